"""Spans and metrics of every operation, on whatever tracer and meter Airflow set up.

Nothing is installed here: without a provider all of this does nothing.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import ParamSpec, TypeVar

from opentelemetry import metrics, trace
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from airflow_multicloud.core.spans import SPANS
from airflow_multicloud.errors import CloudError

P = ParamSpec("P")
R = TypeVar("R")

_NAME = "airflow_multicloud"


@contextmanager
def operation(name: str, **attributes: AttributeValue) -> Iterator[Span]:
    """A span ``multicloud.<name>`` around an operation, with its duration and errors counted.

    :param name: one of :data:`~airflow_multicloud.core.spans.SPANS`.
    :param attributes: of the span; names take ``__`` for a dot: ``cloud__provider="aws"``.
    :raises ValueError: for a name that is not registered.
    """
    if name not in SPANS:
        raise ValueError(f"name: {name!r} is no registered span; add it to core/spans.py")
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    started = time.monotonic()
    outcome = "ok"
    with trace.get_tracer(_NAME).start_as_current_span(
        f"multicloud.{name}", attributes=named
    ) as span:
        try:
            yield span
        except CloudError as err:
            outcome = err.kind
            raise
        except BaseException as err:
            outcome = type(err).__name__
            raise
        finally:
            labels = {"operation": name, "outcome": str(outcome)}
            span.set_attribute("multicloud.outcome", str(outcome))
            instruments = _instruments(metrics.get_meter_provider())
            instruments.operations.add(1, labels)
            instruments.duration.record(time.monotonic() - started, labels)


def count_bytes(direction: str, cloud: str, size: int) -> None:
    """Count bytes ``read`` from or ``written`` to a cloud."""
    labels = {"direction": direction, "cloud.provider": cloud}
    _instruments(metrics.get_meter_provider()).bytes.add(size, labels)


def count_objects(cloud: str, outcome: str, count: int) -> None:
    """Count objects by outcome at a cloud."""
    labels = {"cloud.provider": cloud, "multicloud.outcome": outcome}
    _instruments(metrics.get_meter_provider()).objects.add(count, labels)


@dataclass(frozen=True, slots=True)
class _Instruments:
    operations: metrics.Counter
    duration: metrics.Histogram
    bytes: metrics.Counter
    objects: metrics.Counter


@lru_cache(maxsize=1)
def _instruments(provider: metrics.MeterProvider) -> _Instruments:
    """Made once for each provider: OpenTelemetry keeps every one that is made for ever."""
    meter = provider.get_meter(_NAME)
    return _Instruments(
        meter.create_counter("multicloud.operations"),
        meter.create_histogram("multicloud.duration", unit="s"),
        meter.create_counter("multicloud.bytes", unit="By"),
        meter.create_counter("multicloud.objects"),
    )


def in_context(work: Callable[P, R]) -> Callable[P, R]:
    """``work``, to be called once on another thread, under the caller's span.

    Neither threads nor pools carry the context over by themselves.
    """
    context = contextvars.copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.run(work, *args, **kwargs)

    return run


def submit_in_context(
    pool: Executor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> Future[R]:
    """Run in a pool, under the caller's span."""
    return pool.submit(in_context(work), *args, **kwargs)

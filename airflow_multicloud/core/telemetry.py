"""Spans and metrics of every operation, on whatever tracer and meter Airflow set up.

Nothing is installed here: without a provider all of this does nothing. Names of attributes that are
not ``multicloud.*`` are OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

import contextvars
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import ParamSpec, TypeVar

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, Status, StatusCode, format_span_id, format_trace_id
from opentelemetry.util.types import AttributeValue
from structlog.contextvars import bound_contextvars

from airflow_multicloud.adapters.secret_text import without_header_values
from airflow_multicloud.core.spans import SPANS
from airflow_multicloud.errors import CloudError
from airflow_multicloud.text import printable, shortened

P = ParamSpec("P")
R = TypeVar("R")

_NAME = "airflow_multicloud"
_OK = "ok"
#: Characters; of a stack the end is kept, where the error is.
_LONGEST_MESSAGE = 4_000
_LONGEST_STACK = 30_000
_UNREADABLE = "a text that can't be read"


@dataclass(slots=True)
class _Open:
    """An operation under way."""

    name: str
    span: Span
    error: BaseException | None = None


_open: ContextVar[_Open | None] = ContextVar("multicloud_operation", default=None)


@contextmanager
def operation(name: str, **attributes: AttributeValue) -> Iterator[Span]:
    """A span ``multicloud.<name>`` around an operation, with its duration and errors counted.

    Directly within an operation of the same name this is that one, and adds to its attributes: who
    offers an operation opens it before the first check of its arguments, and who carries it out
    opens it for those who call that part alone.

    :param name: one of :data:`~airflow_multicloud.core.spans.SPANS`.
    :param attributes: of the span; names take ``__`` for a dot: ``cloud__provider="aws"``.
    :raises ValueError: for a name that is not registered.
    """
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    around = _open.get()
    if around is not None and around.name == name:
        around.span.set_attributes(named)
        yield around.span
        return
    if name not in SPANS:
        raise ValueError(f"name: {name!r} is no registered span; add it to core/spans.py")
    started = time.monotonic()
    with (
        trace.get_tracer(_NAME).start_as_current_span(
            f"multicloud.{name}",
            attributes=named,
            # What others wrote is in errors: it is recorded here, without secrets.
            record_exception=False,
            set_status_on_exception=False,
        ) as span,
        _told_in_logs(span),
    ):
        this = _Open(name, span)
        token = _open.set(this)
        try:
            yield span
        except BaseException as err:
            this.error = err
            raise
        finally:
            _open.reset(token)
            _end(this, time.monotonic() - started)


def failed(err: CloudError) -> None:
    """The operation under way has failed although it raises nothing: its result says why."""
    around = _open.get()
    if around is not None:
        around.error = err


@contextmanager
def noted() -> Iterator[None]:
    """What is raised within makes the operation under way a failed one, and goes no further."""
    try:
        yield
    except CloudError as err:
        failed(err)


def count_retry(err: CloudError) -> None:
    """Count that what failed is tried again."""
    around = _open.get()
    labels = _error_labels("" if around is None else around.name, err)
    _instruments(metrics.get_meter_provider()).retries.add(1, labels)


def _end(this: _Open, seconds: float) -> None:
    err = this.error
    outcome = _OK if err is None else _type_of(err)
    this.span.set_attribute("multicloud.outcome", outcome)
    labels = {"multicloud.operation": this.name, "multicloud.outcome": outcome}
    instruments = _instruments(metrics.get_meter_provider())
    instruments.operations.add(1, labels)
    if err is not None:
        labels["error.type"] = outcome
        instruments.errors.add(1, _error_labels(this.name, err))
        if this.span.is_recording():
            _record(this.span, err, outcome)
    instruments.duration.record(seconds, labels)


def _record(span: Span, err: BaseException, error_type: str) -> None:
    """Say what went wrong, without secrets.

    Causes that SDKs raised have signed URLs in their messages, and the stack shows those.
    """
    message = _message_of(err)
    of = type(err)
    span.set_attribute("error.type", error_type)
    span.add_event(
        "exception",
        {
            "exception.type": f"{of.__module__}.{of.__qualname__}".removeprefix("builtins."),
            "exception.message": message,
            "exception.stacktrace": _stack_of(err),
        },
    )
    span.set_status(Status(StatusCode.ERROR, message))


def _message_of(err: BaseException) -> str:
    try:
        text = str(err)
    except Exception:  # noqa: BLE001 - the error itself must come through
        text = _UNREADABLE
    return shortened(_shown(text), _LONGEST_MESSAGE)


def _stack_of(err: BaseException) -> str:
    """The end of the stack, whose long messages are cut: by themselves, so that frames are kept."""
    try:
        parts = traceback.format_exception(err)
    except Exception:  # noqa: BLE001 - as above
        return _UNREADABLE
    kept: list[str] = []
    size = 0
    while parts and size < _LONGEST_STACK:
        part = parts.pop()
        if len(part) > _LONGEST_MESSAGE:
            part = f"{shortened(_without_secrets(part), _LONGEST_MESSAGE)}\n"
        kept.append(part)
        size += len(part)
    stack = _without_secrets("".join(reversed(kept)))[-_LONGEST_STACK:]
    return "\n".join(map(_shown, stack.splitlines()))


def _shown(line: str) -> str:
    return printable(without_header_values(_without_secrets(line)))


def _without_secrets(text: str) -> str:
    # Imported here: its many patterns are compiled then, and few processes have a failed operation.
    from airflow_multicloud.adapters.sdk_logs import without_secrets

    return without_secrets(text)


def _type_of(err: BaseException) -> str:
    """What class of error this is, of few that there are: the kind, or Python's class."""
    return err.kind.value if isinstance(err, CloudError) else type(err).__qualname__


def _error_labels(name: str, err: BaseException) -> Mapping[str, str]:
    labels = {"multicloud.operation": name, "error.type": _type_of(err)}
    if isinstance(err, CloudError) and err.cloud is not None:
        labels["cloud.provider"] = err.cloud
    return labels


@contextmanager
def _told_in_logs(span: Span) -> Iterator[None]:
    """Lines that are logged meanwhile have the ids of the span, as far as they are structured.

    Airflow's loggers and its handlers of Python's own take structlog's variables into every line.
    """
    context = span.get_span_context()
    if not context.is_valid:
        yield
        return
    with bound_contextvars(
        trace_id=format_trace_id(context.trace_id), span_id=format_span_id(context.span_id)
    ):
        yield


def count_bytes(direction: str, cloud: str, size: int) -> None:
    """Count bytes ``read`` from or ``written`` to a cloud."""
    labels = {"multicloud.direction": direction, "cloud.provider": cloud}
    _instruments(metrics.get_meter_provider()).bytes.add(size, labels)


def count_objects(cloud: str, outcome: str, count: int) -> None:
    """Count objects by outcome at a cloud."""
    labels = {"cloud.provider": cloud, "multicloud.outcome": outcome}
    _instruments(metrics.get_meter_provider()).objects.add(count, labels)


@dataclass(frozen=True, slots=True)
class _Instruments:
    operations: metrics.Counter
    duration: metrics.Histogram
    errors: metrics.Counter
    retries: metrics.Counter
    bytes: metrics.Counter
    objects: metrics.Counter


@lru_cache(maxsize=1)
def _instruments(provider: metrics.MeterProvider) -> _Instruments:
    """Made once for each provider: OpenTelemetry keeps every one that is made for ever."""
    meter = provider.get_meter(_NAME)
    return _Instruments(
        meter.create_counter("multicloud.operations", unit="{operation}"),
        meter.create_histogram("multicloud.duration", unit="s"),
        meter.create_counter("multicloud.errors", unit="{error}"),
        meter.create_counter("multicloud.retries", unit="{retry}"),
        meter.create_counter("multicloud.bytes", unit="By"),
        meter.create_counter("multicloud.objects", unit="{object}"),
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

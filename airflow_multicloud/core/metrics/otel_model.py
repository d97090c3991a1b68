"""OpenTelemetry's metric data as points: what its SDK's objects and OTLP's JSON have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_multicloud.adapters.tallies import Change
from airflow_multicloud.core.metrics.collecting import UnreadableError
from airflow_multicloud.core.metrics.numbers import time_of_nanoseconds
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Gauge,
    Histogram,
    MetricPoint,
    PointData,
    Temporality,
)

#: https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value
_NO_RECORDED_VALUE = 1
#: As OpenTelemetry's exporters of Prometheus' format call it
#: (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/).
SCOPE = "otel.scope.name"
#: What its SDK calls a service that has no name.
_UNNAMED_SERVICE = "unknown_service"

#: OTLP's numbers of temporalities, which its SDK has, too; 0 says nothing.
_TEMPORALITIES = {1: Temporality.DELTA, 2: Temporality.CUMULATIVE}

_LOST = ConversionKind.ATTRIBUTE_LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What all points of one metric have in common.

    :param inherited: of its resource and scope, as attributes of each point.
    :param changes: what is lost of the resource and the scope.
    """

    name: str
    unit: str = ""
    description: str = ""
    inherited: Mapping[str, AttributeValue]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtelPoint:
    """One data point.

    :param time: in nanoseconds; 0: none.
    :param start: as ``time``.
    :param changes: what is lost of its figures.
    """

    data: PointData
    attributes: Mapping[str, object]
    time: int
    start: int
    flags: int = 0
    exemplars: bool = False
    changes: tuple[Change, ...] = ()


def temporality_of(number: int) -> Temporality:
    """What a number of OTLP means.

    :raises UnreadableError: when it means nothing.
    """
    found = _TEMPORALITIES.get(number)
    if found is None:
        raise UnreadableError("temporality: it is neither delta nor cumulative")
    return found


def inherited_of(
    resource: Mapping[str, object],
    *,
    keep: Sequence[str],
    scope: str,
    scope_rest: bool,
) -> tuple[dict[str, AttributeValue], tuple[Change, ...]]:
    """What points have of their resource and scope, and what is lost of them.

    :param keep: names of the resource's attributes.
    :param scope: its name; empty when there is none.
    :param scope_rest: whether it has a version or attributes, too.
    """
    changes: list[Change] = []
    found: dict[str, AttributeValue] = {}
    for name in keep:
        value = resource.get(name)
        if value is not None and not str(value).startswith(_UNNAMED_SERVICE):
            text, change = _attribute(value)
            found[name] = text
            changes += change
    if resource.keys() - {*keep}:
        kept = ", ".join(keep) or "none"
        changes.append(Change(_LOST, f"attributes of the resource are not sent; kept: {kept}"))
    if scope:
        found[SCOPE] = scope
    if scope_rest:
        changes.append(Change(_LOST, "version and attributes of the scope are not sent"))
    return found, tuple(changes)


def check_recorded(flags: int) -> None:
    """Refuse a point that only says that there is none (a "stale marker").

    :raises UnreadableError: for such a one.
    """
    if flags & _NO_RECORDED_VALUE:
        raise UnreadableError("flags: the point says that no value was recorded")


def point_of(
    stream: Stream, given: OtelPoint, default_time: datetime
) -> tuple[MetricPoint, tuple[Change, ...]]:
    """A data point as a point of this package, and what is lost of it.

    :raises UnreadableError: when it is none.
    """
    check_recorded(given.flags)
    changes = [*stream.changes, *given.changes]
    attributes = dict(stream.inherited)
    for name, value in given.attributes.items():
        if value is None:
            changes.append(Change(_LOST, "attributes: one without a value is not sent"))
            continue
        attributes[name], more = _attribute(value)
        changes += more
    time, rounded = default_time, False
    if given.time:
        time, rounded = time_of_nanoseconds(given.time, "time")
    start = None
    if given.start and not isinstance(given.data, Gauge):
        start, more_rounded = time_of_nanoseconds(given.start, "start")
        rounded = rounded or more_rounded
    if rounded:
        changes.append(Change(ConversionKind.TIME_ROUNDED, "times are rounded to microseconds"))
    if given.exemplars:
        changes.append(Change(ConversionKind.EXEMPLARS_LOST, "exemplars are not sent"))
    point = MetricPoint(
        name=stream.name,
        unit=stream.unit,
        description=stream.description,
        data=given.data,
        time=time,
        start=start,
        attributes=attributes,
    )
    return point, tuple(dict.fromkeys(changes))


def _attribute(value: object) -> tuple[AttributeValue, tuple[Change, ...]]:
    if isinstance(value, str | bool | int | float):
        return value, ()
    detail = "attributes: a list or structure is sent as JSON text"
    return json.dumps(_plain(value)), (Change(ConversionKind.TYPE_CHANGED, detail),)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value


def without_summary(count: int, total: float | None) -> tuple[Histogram, tuple[Change, ...]]:
    """What is sent of a summary: its count and sum, since quantiles can't be added up."""
    data = Histogram(count=count, temporality=Temporality.CUMULATIVE, total=total)
    detail = "a summary's quantiles are not sent, only its count and sum"
    return data, (Change(ConversionKind.BUCKETS_LOST, detail),)


def explicit_histogram(
    *,
    count: int,
    temporality: Temporality,
    bounds: Sequence[float],
    counts: Sequence[int],
    total: float | None,
    minimum: float | None,
    maximum: float | None,
) -> Histogram:
    """A histogram, of which OTLP has one bucket where this package has none."""
    if not bounds and len(counts) == 1:
        counts = ()
    # A producer may leave out the figures of no values, or put infinity there.
    return Histogram(
        count=count,
        temporality=temporality,
        bounds=tuple(bounds),
        counts=tuple(counts),
        total=total,
        minimum=minimum if count else None,
        maximum=maximum if count else None,
    )

"""Custom metrics of an Azure resource: a point as Azure Monitor's metric store takes it.

https://learn.microsoft.com/azure/azure-monitor/metrics/metrics-custom-overview: figures of a minute
(minimum, maximum, sum, count) by up to 10 dimensions; names and values of up to 256 characters; no
units; times from 20 minutes ago to 5 minutes ahead. A request has one metric, one time and one set
of dimensions, with any number of series. Which characters a name may have is not documented, and
some mean something in queries; others than letters, digits and ``_ . : -`` are replaced here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.batches import BatchLimits, Prepared, dropped
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.metrics.converting import (
    data_changes,
    figures_of,
    why_not_data,
)
from airflow_multicloud.clouds.azure.metrics.naming import digest_of, fitted
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    MetricLimits,
    MetricPoint,
    Repeats,
    attribute_text,
)

_LONGEST = 256

LIMITS: Final = MetricLimits(
    # Not documented; a request is all or nothing, and so is what an answer tells.
    points_per_request=500,
    bytes_per_request=1024 * 1024,
    most_attributes=10,
    longest_name=_LONGEST,
    longest_attribute_name=_LONGEST,
    longest_attribute_value=_LONGEST,
    repeats=Repeats.ADDED,
    oldest=timedelta(minutes=20),
    newest=timedelta(minutes=5),
)
BATCHES: Final = BatchLimits(
    records=LIMITS.points_per_request, size=LIMITS.bytes_per_request, overhead=len(b",")
)

_OTHERS = re.compile(r"[^A-Za-z0-9_.:-]")
_DIGEST = re.compile(r"_[0-9a-f]{16}$", re.ASCII)

_MINUTE = Change(ConversionKind.TIME_ROUNDED, "custom metrics are kept by the minute")
_UNIT = Change(ConversionKind.UNIT_LOST, "custom metrics have no unit")
_NAME = Change(
    ConversionKind.NAME_CHANGED,
    "characters that a custom metric's name may not have are replaced, what is too long is cut, "
    "and a digest of it is added, also where it ends like one",
)
_KEY = Change(
    ConversionKind.ATTRIBUTE_RENAMED,
    "characters that a dimension's name may not have are replaced, what is too long is cut, and a "
    "digest of it is added, also where it ends like one",
)
_CUT = Change(
    ConversionKind.ATTRIBUTE_CUT,
    f"a dimension's value of more than {_LONGEST} characters is cut and ends with a digest of it",
)
_EMPTY = Change(ConversionKind.ATTRIBUTE_LOST, "a dimension can't have an empty value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One point as it is sent.

    :param about: time, metric, namespace and names of the dimensions, which a request has once.
    :param series: the rest.
    """

    about: tuple[str, str, str, tuple[str, ...]]
    series: dict[str, Any]


def safe_name(name: str) -> str:
    """A metric's or a dimension's name as it is kept; two never become one.

    What ends with a digest is a name that was replaced, so one that does by itself is, too.
    """
    safe = _OTHERS.sub("_", name)
    if safe == name and len(name) <= _LONGEST and not _DIGEST.search(name):
        return name
    digest = digest_of(name)
    return f"{safe[: _LONGEST - len(digest) - 1]}_{digest}"


def safe_value(value: AttributeValue) -> str:
    """A dimension's value as it is kept."""
    return fitted(attribute_text(value), _LONGEST)


def order(point: MetricPoint) -> Any:
    """Points that may share a request come one after another, and a series in its order."""
    return _minute(point), point.name, sorted(point.attributes), point.time


def prepared(point: MetricPoint, namespace: str) -> Prepared[Value] | Reason:
    """A point as the metric store takes it, or why it can't."""
    reason = why_not_exportable(point, LIMITS) or why_not_data(point)
    if reason is not None:
        return reason
    dimensions = dimensions_of(point.attributes)
    if len({name.casefold() for name in dimensions}) < len(dimensions):
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            "attributes: the names of two differ in upper and lower case only, which are one here",
        )
    figures = figures_of(point)
    series = {
        "dimValues": [*dimensions.values()],
        "min": figures.minimum,
        "max": figures.maximum,
        "sum": figures.total,
        "count": figures.count,
    }
    time = _minute(point).isoformat().replace("+00:00", "Z")
    about = (time, safe_name(point.name), namespace, tuple(dimensions))
    return Prepared(
        name=name_of(point),
        records=(Value(about=about, series=series),),
        size=len(json.dumps(series)),
        # The same series twice in one minute is two requests: both are added.
        alone=(about, tuple(dimensions.values())),
        apart=about,
        changes=tuple(_changes(point)),
    )


def kept_as(point: MetricPoint) -> tuple[str, frozenset[tuple[str, str]]]:
    """What tells a point's series from others in the metric store."""
    return safe_name(point.name), frozenset(dimensions_of(point.attributes).items())


def body_of(values: Sequence[Value]) -> bytes:
    """The request for points that share what a request has once."""
    time, metric, namespace, names = values[0].about
    base = {
        "metric": metric,
        "namespace": namespace,
        "dimNames": [*names],
        "series": [value.series for value in values],
    }
    return json.dumps({"time": time, "data": {"baseData": base}}, allow_nan=False).encode()


def check_answer(body: bytes, doing: str) -> None:
    """Refuse an answer of success that is none of this service, as a sign-in page is.

    What it answers is not documented: so nothing, or a JSON object.

    :raises MetricsError: kind ``integrity`` then.
    """
    with well_formed(doing, NAME, area=MetricsError):
        if body and not isinstance(json.loads(body), dict):
            raise TypeError("it is no JSON object")


def dimensions_of(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    """Attributes as they are kept, by name; an empty value is none."""
    kept = {safe_name(name): safe_value(value) for name, value in sorted(attributes.items())}
    return {name: value for name, value in kept.items() if value}


def _minute(point: MetricPoint) -> datetime:
    return point.time.astimezone(UTC).replace(second=0, microsecond=0)


def _changes(point: MetricPoint) -> Iterator[Change]:
    yield from data_changes(point)
    if point.time != _minute(point):
        yield _MINUTE
    if point.unit:
        yield _UNIT
    if safe_name(point.name) != point.name:
        yield _NAME
    if any(safe_name(name) != name for name in point.attributes):
        yield _KEY
    values = point.attributes.values()
    if any(safe_value(value) != attribute_text(value) for value in values):
        yield _CUT
    if not all(map(attribute_text, values)):
        yield _EMPTY

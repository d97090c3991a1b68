"""Points of Prometheus' text format, and of OpenMetrics, as prometheus-client parses them.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.adapters.tallies import Change
from airflow_multicloud.core.metrics.collecting import (
    UNEXPECTED_FORM,
    Collected,
    Collector,
    UnreadableError,
    refused,
)
from airflow_multicloud.core.metrics.numbers import count_of
from airflow_multicloud.core.metrics.otel_model import without_summary
from airflow_multicloud.extras import require_extra
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    Counter,
    Gauge,
    Histogram,
    MetricPoint,
    PointData,
    Temporality,
)
from airflow_multicloud.text import shortened

Parse = Callable[[str], Iterable[Any]]
Labels = tuple[tuple[str, str], ...]

_CREATED = "_created"
_BUCKET, _SUM, _COUNT = "_bucket", "_sum", "_count"
_LE, _QUANTILE = "le", "quantile"
#: So many characters are shown of what the parser says.
_LONGEST_REASON = 300
#: What OpenMetrics calls units, in UCUM.
_UNITS: Mapping[str, str] = {
    "seconds": "s",
    "bytes": "By",
    "ratio": "1",
    "celsius": "Cel",
    "meters": "m",
    "volts": "V",
    "amperes": "A",
    "joules": "J",
    "grams": "g",
}


def read_prometheus(content: bytes, collector: Collector, *, name: str) -> Collected:
    """Points of what was scraped; a line that can't be read costs itself.

    OpenMetrics (which ends with ``# EOF``) is sound as a whole or not at all, as its specification
    demands. Counters, histograms and summaries are cumulative, from what ``_created`` says. A
    histogram is one point, whose buckets count what is in each of them.

    :param name: what the file is called in reports.
    :raises MetricsError: ``invalid_argument`` for what is no text, or no OpenMetrics.
    :raises ProviderNotAvailableError: when prometheus-client is not installed.
    """
    require_extra("prometheus_client", "metrics")
    from prometheus_client.openmetrics import parser as openmetrics
    from prometheus_client.parser import text_string_to_metric_families

    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise refused(f"prometheus_text: {name} is no UTF-8 text") from None
    if text.rstrip("\n").endswith("# EOF"):
        try:
            parse: Parse = openmetrics.text_string_to_metric_families
            families = [*parse(text)]
        except UNEXPECTED_FORM as err:
            why = shortened(str(err), _LONGEST_REASON)  # It has the line, however long that is.
            raise refused(f"prometheus_text: {name} is no OpenMetrics: {why}") from None
    else:
        families = _families(text, text_string_to_metric_families, collector, name)
    created = _created(families)
    for family in families:
        if family.type == "gauge" and family.name.removesuffix(_CREATED) in created:
            continue  # It says when another metric began, and is none itself.
        _read_family(family, created, collector)
    return collector.collected()


def _families(text: str, parse: Parse, collector: Collector, name: str) -> list[Any]:
    try:
        return [*parse(text)]
    except UNEXPECTED_FORM:
        pass
    sound: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            [*parse(line)]
        except UNEXPECTED_FORM:
            collector.refuse(f"{name} line {number}", "the line is not in Prometheus' text format")
        else:
            sound.append(line)
    try:
        return [*parse("\n".join(sound))]
    except UNEXPECTED_FORM as err:
        why = shortened(str(err), _LONGEST_REASON)
        raise refused(f"prometheus_text: {name} can't be read: {why}") from None


Created = Mapping[str, Mapping[Labels, float]]


def _created(families: Iterable[Any]) -> Created:
    """Metric → labels → since when it counts, in seconds.

    In OpenMetrics that is a sample of the metric, in Prometheus' format a gauge beside it.
    """
    families = [*families]
    counting = {one.name for one in families if one.type in ("counter", "histogram", "summary")}
    found: dict[str, dict[Labels, float]] = defaultdict(dict)
    for family in families:
        for sample in family.samples:
            base = sample.name.removesuffix(_CREATED)
            if base != sample.name and base in counting:
                found[base][_labels(sample)] = sample.value
    return found


def _labels(sample: Any, *without: str) -> Labels:
    return tuple(sorted((k, v) for k, v in (sample.labels or {}).items() if k not in without))


@dataclass(frozen=True, slots=True)
class _Read:
    """What one or several samples say."""

    name: str
    labels: Labels
    data: PointData
    timestamp: float | None
    exemplars: bool
    changes: tuple[Change, ...] = ()


def _read_family(family: Any, created: Created, collector: Collector) -> None:
    starts = created.get(family.name, {})
    unit = _UNITS.get(family.unit, "")
    changes: tuple[Change, ...] = ()
    if family.unit and not unit:
        changes = (Change(ConversionKind.UNIT_LOST, "the unit has no name in UCUM"),)
    read = _READERS.get(family.type)
    for (name, labels, _), samples in _grouped(family).items():

        def one(labels: Labels = labels, samples: list[Any] = samples) -> Any:
            if read is None:
                raise UnreadableError(f"a {family.type} can't be sent")
            found = read(family, labels, samples)
            return _point(family, found, starts.get(labels), unit, changes, collector.time)

        collector.attempt(name, one)


def _grouped(family: Any) -> Mapping[tuple[str, Labels, int], list[Any]]:
    """The samples of each point: one of all buckets, else each its own."""
    found: dict[tuple[str, Labels, int], list[Any]] = defaultdict(list)
    for place, sample in enumerate(family.samples):
        if sample.name.endswith(_CREATED) and sample.name != family.name:
            continue
        if family.type in ("histogram", "gaugehistogram"):
            found[family.name, _labels(sample, _LE), 0].append(sample)
        elif family.type == "summary":
            found[family.name, _labels(sample, _QUANTILE), 0].append(sample)
        else:
            found[sample.name, _labels(sample), place].append(sample)
    return found


def _gauge(family: Any, labels: Labels, samples: list[Any]) -> _Read:
    (sample,) = samples
    changes: tuple[Change, ...] = ()
    if family.type != "gauge":
        detail = f"a metric of type {family.type} is sent as a gauge"
        changes = (Change(ConversionKind.TYPE_CHANGED, detail),)
    return _Read(sample.name, labels, Gauge(sample.value), _time(samples), False, changes)


def _counter(_family: Any, labels: Labels, samples: list[Any]) -> _Read:
    (sample,) = samples
    data = Counter(sample.value, Temporality.CUMULATIVE)
    return _Read(sample.name, labels, data, _time(samples), sample.exemplar is not None)


def _histogram(family: Any, labels: Labels, samples: list[Any]) -> _Read:
    figures = {one.name.removeprefix(family.name): one.value for one in samples}
    if any(getattr(one, "native_histogram", None) is not None for one in samples):
        raise UnreadableError("a native histogram can't be sent; expected one with buckets")
    buckets = sorted(
        (_bound(one.labels.get(_LE, "")), count_of(one.value, _BUCKET))
        for one in samples
        if one.name.endswith(_BUCKET)
    )
    if not buckets or buckets[-1][0] != math.inf:
        raise UnreadableError("a histogram has no bucket with le=+Inf")
    below = [count for _, count in buckets]
    if _COUNT in figures and count_of(figures[_COUNT], _COUNT) != below[-1]:
        raise UnreadableError("a histogram's count is not that of its bucket with le=+Inf")
    # The first bucket has all that is at most its bound; what is negative, clouds refuse.
    counts = [below[0], *(after - before for before, after in itertools.pairwise(below))]
    data = Histogram(
        count=below[-1],
        temporality=Temporality.CUMULATIVE,
        bounds=tuple(bound for bound, _ in buckets[:-1]),
        counts=tuple(counts) if len(counts) > 1 else (),
        total=figures.get(_SUM),
    )
    exemplars = any(one.exemplar is not None for one in samples)
    return _Read(family.name, labels, data, _time(samples), exemplars)


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UnreadableError("le: expected a number") from None


def _summary(family: Any, labels: Labels, samples: list[Any]) -> _Read:
    figures = {one.name.removeprefix(family.name): one.value for one in samples}
    if _COUNT not in figures:
        raise UnreadableError("a summary has no count")
    data, changes = without_summary(count_of(figures[_COUNT], _COUNT), figures.get(_SUM))
    return _Read(family.name, labels, data, _time(samples), False, changes)


_READERS: Mapping[str, Callable[[Any, Labels, list[Any]], _Read]] = {
    **dict.fromkeys(("gauge", "unknown", "info", "stateset"), _gauge),
    "counter": _counter,
    "histogram": _histogram,
    "summary": _summary,
}


def _time(samples: list[Any]) -> float | None:
    stamps = [float(one.timestamp) for one in samples if one.timestamp is not None]
    return max(stamps, default=None)


def _moment(seconds: float, what: str) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise UnreadableError(f"{what}: there is no such time") from None


def _point(
    family: Any,
    found: _Read,
    start: float | None,
    unit: str,
    changes: tuple[Change, ...],
    default_time: datetime,
) -> tuple[MetricPoint, tuple[Change, ...]]:
    lost = (*changes, *found.changes)
    if found.exemplars:
        lost = (*lost, Change(ConversionKind.EXEMPLARS_LOST, "exemplars are not sent"))
    time = default_time if found.timestamp is None else _moment(found.timestamp, "time")
    is_gauge = isinstance(found.data, Gauge)
    point = MetricPoint(
        name=found.name,
        data=found.data,
        time=time,
        start=None if is_gauge or start is None else _moment(start, _CREATED),
        unit=unit,
        attributes=dict(found.labels),
        description=family.documentation,
    )
    return point, lost

"""Points of CloudWatch, read back (``ListMetrics``, ``GetMetricData``).

CloudWatch lists a new series after up to 15 minutes, and none that was silent for two weeks. One
whose attributes are all given in the query is asked for by them, so it is found at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.metrics.client import MetricsBase
from airflow_multicloud.clouds.aws.metrics.converting import series_of
from airflow_multicloud.clouds.aws.metrics.errors import translated
from airflow_multicloud.clouds.aws.metrics.limits import (
    FILTERS_PER_REQUEST,
    KEPT_BY,
    LISTED_FOR,
    QUERIES_PER_REQUEST,
)
from airflow_multicloud.clouds.aws.metrics.naming import NO_UNIT, check_namespace, read
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.metrics import MetricQuery, MetricReading, ReadPoint
from airflow_multicloud.text import printable, shortened

_STATISTICS = ("SampleCount", "Sum", "Minimum", "Maximum")
_SERIES_PER_REQUEST = QUERIES_PER_REQUEST // len(_STATISTICS)
#: The units of so many series are asked for, each by a request of its own.
_MOST_UNITS = 20
_FINEST = timedelta(seconds=1)
#: MetricDataResult: "An error occurred", and what the caller may not see. "PartialData" goes with a
#: token for the rest.
_NOT_ALL = ("InternalError", "Forbidden")

_NOTE_CHARACTERS = 300

#: The dimensions of a series, as CloudWatch has them.
_Series = frozenset[tuple[str, str]]


class PointReading(MetricsBase):
    """The reading half of the port."""

    def read_points(self, query: MetricQuery) -> MetricReading:
        """What CloudWatch has of a metric; see the port.

        A point is all that came in its second; after three hours, in its minute; after 15 days, in
        five minutes; after 63 days, in an hour: the one that ``since`` is in is there, too.
        CloudWatch shows a point within minutes, and one that was hours old when it was exported
        after up to 48 hours.

        The unit is that of the first 20 series, and not read of others.
        """
        check_namespace(query.namespace)
        asked = _Asked(self._reader(), query)
        found = [point for span in _spans(query) for point in asked.points(span)]
        return MetricReading(
            points=tuple(sorted(found, key=lambda point: point.time)),
            notes=tuple(dict.fromkeys(asked.notes)),
        )


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of the time that is asked for, and how finely CloudWatch has it."""

    since: datetime
    until: datetime
    period: timedelta


def _spans(query: MetricQuery) -> Iterator[_Span]:
    """Each by its own period: nothing is answered for one that is too short for its beginning."""
    now = datetime.now(UTC)
    since = query.since
    for age, period in KEPT_BY:
        end = _floor(now - age, period) + period
        if since < min(end, query.until):
            yield _Span(_floor(since, period), min(end, query.until), period)
            since = end
    if since < query.until:
        yield _Span(_floor(since, _FINEST), query.until, _FINEST)


def _floor(moment: datetime, period: timedelta) -> datetime:
    seconds = int(period.total_seconds())
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


@dataclass(slots=True)
class _Asked:
    """One query under way."""

    client: Any
    query: MetricQuery
    notes: list[str] = field(default_factory=list)
    name: str = ""
    _series: list[_Series] = field(default_factory=list)
    _units: dict[_Series, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name, pairs = series_of(self.query.name, self.query.attributes)
        exact = frozenset(pairs)
        listed = [one for one in self._listed(pairs) if one >= exact]
        self._series = list(dict.fromkeys([exact, *listed]))
        if datetime.now(UTC) - self.query.since > LISTED_FOR:
            self.notes.append(
                "CloudWatch lists no series without a point in the last two weeks: what of those "
                "has attributes that the query does not give was not read"
            )

    def points(self, span: _Span) -> Iterator[ReadPoint]:
        """The points of all series in a span."""
        for first in range(0, len(self._series), _SERIES_PER_REQUEST):
            series = self._series[first : first + _SERIES_PER_REQUEST]
            figures = self._figures(series, span)
            for (place, time), statistics in sorted(figures.items()):
                yield self._point(series[place], time, statistics, span)

    def _listed(self, pairs: Sequence[tuple[str, str]]) -> Iterator[_Series]:
        doing = f"listing metric {self.query.name!r}"
        arguments = {
            "Namespace": self.query.namespace,
            "MetricName": self.name,
            "Dimensions": _dimensions(pairs[:FILTERS_PER_REQUEST]),
        }
        for page in self._pages(doing, self.client.list_metrics, arguments):
            with well_formed(doing, NAME, area=MetricsError):
                for metric in page["Metrics"]:
                    yield frozenset(
                        (one["Name"], one["Value"]) for one in metric.get("Dimensions", ())
                    )

    def _figures(
        self, series: Sequence[_Series], span: _Span
    ) -> dict[tuple[int, datetime], dict[str, float]]:
        """The statistics by the series' place and the time."""
        doing = f"reading metric {self.query.name!r}"
        places = {
            f"m{place}_{number}": (place, number)
            for place, number in product(range(len(series)), range(len(_STATISTICS)))
        }
        arguments = {
            "StartTime": span.since,
            "EndTime": span.until,
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": [
                {
                    "Id": name,
                    "MetricStat": {
                        "Metric": self._metric(series[place]),
                        "Period": int(span.period.total_seconds()),
                        "Stat": _STATISTICS[number],
                    },
                }
                for name, (place, number) in places.items()
            ],
        }
        found: dict[tuple[int, datetime], dict[str, float]] = {}
        for page in self._pages(doing, self.client.get_metric_data, arguments):
            with well_formed(doing, NAME, area=MetricsError):
                self._note(page.get("Messages", ()))
                for result in page["MetricDataResults"]:
                    self._note(result.get("Messages", ()))
                    if (status := result.get("StatusCode")) in _NOT_ALL:
                        self.notes.append(f"CloudWatch says: {status}: not all could be read")
                    place, number = places[result["Id"]]
                    for time, value in zip(result["Timestamps"], result["Values"], strict=True):
                        statistics = found.setdefault((place, time.astimezone(UTC)), {})
                        statistics[_STATISTICS[number]] = value
        return found

    def _note(self, messages: Sequence[Mapping[str, str]]) -> None:
        for one in messages:
            told = printable(f"{one.get('Code')}: {one.get('Value')}")
            self.notes.append(f"CloudWatch says: {shortened(told, _NOTE_CHARACTERS)}")

    def _pages(
        self, doing: str, call: Any, arguments: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        tokens = Tokens(doing, NAME, area=MetricsError)
        following: dict[str, str] = {}
        while True:
            with translated(doing):
                page = call(**arguments, **following)
            yield page
            if not (token := page.get("NextToken")):
                return
            tokens.note(token)
            following = {"NextToken": token}

    def _metric(self, series: _Series) -> dict[str, Any]:
        return {
            "Namespace": self.query.namespace,
            "MetricName": self.name,
            "Dimensions": _dimensions(sorted(series)),
        }

    def _point(
        self, series: _Series, time: datetime, statistics: Mapping[str, float], span: _Span
    ) -> ReadPoint:
        with well_formed(f"reading metric {self.query.name!r}", NAME, area=MetricsError):
            count, total = round(statistics["SampleCount"]), statistics["Sum"]
        return ReadPoint(
            time=time,
            attributes={read(name): read(value) for name, value in series},
            count=count,
            total=total,
            minimum=statistics.get("Minimum"),
            maximum=statistics.get("Maximum"),
            unit=self._unit(series, time, span),
        )

    def _unit(self, series: _Series, time: datetime, span: _Span) -> str:
        """GetMetricData does not tell it."""
        if series not in self._units and len(self._units) < _MOST_UNITS:
            doing = f"reading the unit of metric {self.query.name!r}"
            with translated(doing):
                answer = self.client.get_metric_statistics(
                    **self._metric(series),
                    StartTime=time,
                    EndTime=time + span.period,
                    Period=int(span.period.total_seconds()),
                    Statistics=["SampleCount"],
                )
            with well_formed(doing, NAME, area=MetricsError):
                units = {one.get("Unit", NO_UNIT) for one in answer["Datapoints"]} - {NO_UNIT}
            self._units[series] = min(units, default="")
        return self._units.get(series, "")


def _dimensions(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs]

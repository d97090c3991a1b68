"""``ListMetrics``, ``GetMetricStatistics`` and ``GetMetricData``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.metrics.series import (
    Key,
    Region,
    Sample,
    is_statistic,
    periods,
    statistic,
)
from airflow_multicloud.testing.local_clouds.aws.metrics.words import contradictory, invalid
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused

_LISTED = 500
_LISTED_FOR = timedelta(days=14)
_MOST_DATAPOINTS = 1440
_MOST_QUERIES = 500
#: "with a total of as many as 100,800 data points".
MOST_POINTS = 100_800
_FINE = (1, 5, 10, 20, 30)


def list_metrics(call: Call, region: Region, *, lag: timedelta) -> Mapping[str, Any]:
    """The series that fit, in an order of their own, 500 at a time."""
    given = call.given
    filters = {one["Name"]: one.get("Value") for one in given.get("Dimensions", [])}
    now = datetime.now(UTC)
    with region.lock:
        known = [
            key
            for key, series in region.series.items()
            if now - series.since >= lag
            and max(one.second for one in series.samples) > (now - _LISTED_FOR).timestamp()
        ]
    fitting = [
        key
        for key in known
        if given.get("Namespace") in (None, key[0])
        and given.get("MetricName") in (None, key[1])
        and _has(dict(key[2]), filters)
    ]
    first = _place_of(given.get("NextToken"))
    page = fitting[first : first + _LISTED]
    more = first + _LISTED < len(fitting)
    return {
        "Metrics": [_metric(key) for key in page],
        **({"NextToken": _token(first + _LISTED)} if more else {}),
    }


def get_metric_statistics(call: Call, region: Region) -> Mapping[str, Any]:
    """The statistics of one series, in no order."""
    given = call.given
    since, until, period = _time(given)
    _check_period(given["Period"])
    wanted = [*given.get("Statistics", []), *given.get("ExtendedStatistics", [])]
    if not wanted or not all(is_statistic(name) for name in wanted):
        raise Refused("MissingParameter", "The parameter Statistics is required.")
    if (until - since) / period > _MOST_DATAPOINTS:
        raise contradictory(
            f"You have requested up to {(until - since) // period:.0f} datapoints, which exceeds "
            f"the limit of {_MOST_DATAPOINTS}."
        )
    found = _found(region, _key(given), since, until, given["Period"], given.get("Unit"))
    datapoints = []
    for (start, unit), samples in sorted(found.items(), reverse=True):
        told = {name: statistic(name, samples) for name in wanted}
        simple = {name: told[name] for name in given.get("Statistics", [])}
        extended = {n: told[n] for n in given.get("ExtendedStatistics", []) if told[n] is not None}
        datapoints.append(
            {
                "Timestamp": datetime.fromtimestamp(start, UTC),
                "Unit": unit,
                **simple,
                **({"ExtendedStatistics": extended} if extended else {}),
            }
        )
    return {"Label": given["MetricName"], "Datapoints": datapoints}


def get_metric_data(call: Call, region: Region, *, most: int) -> Mapping[str, Any]:
    """The statistics that queries ask for, page by page."""
    given = call.given
    since, until, _ = _time(given)
    queries = given["MetricDataQueries"]
    if not queries or len(queries) > _MOST_QUERIES:
        raise _malformed(f"MetricDataQueries: expected 1 to {_MOST_QUERIES} members.")
    if len({query["Id"] for query in queries}) < len(queries):
        raise _malformed("The values for parameter id in MetricDataQueries must be unique.")
    points = list(_points(region, queries, since, until, given.get("ScanBy", "")))
    first, most = _place_of(given.get("NextToken")), min(given.get("MaxDatapoints", most), most)
    more = first + most < len(points)
    results: dict[str, dict[str, Any]] = {
        query["Id"]: {
            "Id": query["Id"],
            "Label": query["MetricStat"]["Metric"]["MetricName"],
            "Timestamps": [],
            "Values": [],
            "StatusCode": "PartialData" if more else "Complete",
        }
        for query in queries
        if query.get("ReturnData", True)
    }
    for name, start, value in points[first : first + most]:
        results[name]["Timestamps"].append(datetime.fromtimestamp(start, UTC))
        results[name]["Values"].append(value)
    return {
        "MetricDataResults": [*results.values()],
        "Messages": [],
        **({"NextToken": _token(first + most)} if more else {}),
    }


def _points(
    region: Region, queries: Sequence[Mapping[str, Any]], since: float, until: float, order: str
) -> Iterator[tuple[str, float, float]]:
    for query in queries:
        if "MetricStat" not in query:
            raise _malformed("Expressions are not offered by this local CloudWatch.")
        asked = query["MetricStat"]
        if not is_statistic(asked["Stat"]):
            raise _malformed(f"The value {asked['Stat']} for parameter Stat is invalid.")
        _check_period(asked["Period"])
        found = _found(
            region, _key(asked["Metric"]), since, until, asked["Period"], asked.get("Unit")
        )
        by_start: dict[float, list[Sample]] = {}
        for (start, _), samples in found.items():
            by_start.setdefault(start, []).extend(samples)
        # "TimestampDescending" is the default.
        for start in sorted(by_start, reverse=order != "TimestampAscending"):
            value = statistic(asked["Stat"], by_start[start])
            if value is not None and query.get("ReturnData", True):
                yield query["Id"], start, value


def _found(
    region: Region, key: Key, since: float, until: float, period: int, unit: str | None
) -> dict[tuple[float, str], list[Sample]]:
    with region.lock:
        series = region.series.get(key)
        samples = [] if series is None else [*series.samples]
    return periods(samples, since=since, until=until, period=period, unit=unit)


def _key(given: Mapping[str, Any]) -> Key:
    dimensions = frozenset((one["Name"], one["Value"]) for one in given.get("Dimensions", []))
    return given["Namespace"], given["MetricName"], dimensions


def _metric(key: Key) -> dict[str, Any]:
    namespace, name, dimensions = key
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": n, "Value": v} for n, v in sorted(dimensions)],
    }


def _has(dimensions: Mapping[str, str], filters: Mapping[str, str | None]) -> bool:
    return all(
        name in dimensions and value in (None, dimensions[name]) for name, value in filters.items()
    )


def _time(given: Mapping[str, Any]) -> tuple[float, float, int]:
    since, until = given["StartTime"].timestamp(), given["EndTime"].timestamp()
    if since >= until:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    return since, until, given.get("Period", 60)


def _check_period(period: int) -> None:
    if period not in _FINE and period % 60:
        raise invalid("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60.")


def _token(place: int) -> str:
    return f"page-{place}"


def _place_of(token: str | None) -> int:
    if token is None:
        return 0
    _, _, place = token.rpartition("-")
    if not place.isdecimal():
        raise Refused("InvalidNextToken", "The token is invalid.")
    return int(place)


def _malformed(message: str) -> Refused:
    return Refused("ValidationError", message)

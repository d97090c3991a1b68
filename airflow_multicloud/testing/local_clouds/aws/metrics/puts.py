"""``PutMetricData``: one datum that is not allowed refuses the whole request.

PutMetricData, MetricDatum, Dimension and StatisticSet in the Amazon CloudWatch API Reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.metrics.series import Key, Region, Sample
from airflow_multicloud.testing.local_clouds.aws.metrics.words import contradictory, invalid
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

_MOST_DATA = 1000
_MOST_BYTES = 1_000_000
_MOST_VALUES = 150
_LARGEST = 2.0**360
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)
_RESOLUTIONS = (1, 60)
_VALUES = ("Value", "Values", "StatisticValues")


def put(call: Call, region: Region, faults: SeededDeliveryFaults) -> Mapping[str, Any]:
    """Keep the data of a request, if all are allowed."""
    if call.size > _MOST_BYTES:
        raise Refused(
            "RequestEntityTooLarge",
            f"Request size {call.size} exceeded {_MOST_BYTES} bytes",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    namespace, data = call.given["Namespace"], call.given.get("MetricData", [])
    if namespace.startswith("AWS/"):
        raise invalid("The value AWS/ for parameter Namespace is invalid.")
    _check_text("Namespace", namespace)
    if not data:
        raise Refused("MissingParameter", "The parameter MetricData is required.")
    if len(data) > _MOST_DATA:
        raise invalid(f"The collection MetricData must not have more than {_MOST_DATA} members.")
    kept = [
        (_key(namespace, datum, place), _sample(datum, place))
        for place, datum in enumerate(data, 1)
    ]
    for place, datum in enumerate(data, 1):
        if faults.rejects(datum["MetricName"]):
            raise invalid(f"The value for MetricData.member.{place} is invalid: a fault is planted")
    with region.lock:
        for key, sample in kept:
            region.series[key].samples.append(sample)
    return {}


def _key(namespace: str, datum: Mapping[str, Any], place: int) -> Key:
    path = f"MetricData.member.{place}"
    _check_text(f"{path}.MetricName", datum["MetricName"])
    dimensions = datum.get("Dimensions", [])
    for dimension in dimensions:
        _check_text(f"{path}.Dimensions.Name", dimension["Name"], colon=False)
        _check_text(f"{path}.Dimensions.Value", dimension["Value"])
    found = {one["Name"]: one["Value"] for one in dimensions}
    if len(found) < len(dimensions):
        raise invalid(f"The parameter {path}.Dimensions has a name more than once.")
    return namespace, datum["MetricName"], frozenset(found.items())


def _check_text(path: str, text: str, *, colon: bool = True) -> None:
    if not text.isascii() or not text.isprintable() or not text.strip():
        raise invalid(
            f"The value for parameter {path} must contain only ASCII characters, none of them a "
            "control character, and one that is no whitespace."
        )
    if text.startswith(":") and not colon:
        raise invalid(f"The value for parameter {path} must not start with a colon.")


def _sample(datum: Mapping[str, Any], place: int) -> Sample:
    path = f"MetricData.member.{place}"
    now = datetime.now(UTC)
    time = datum.get("Timestamp", now)
    if not now - _OLDEST <= time <= now + _NEWEST:
        raise invalid(
            f"The parameter {path}.Timestamp must specify a time within the past two weeks and no "
            "more than two hours in the future."
        )
    resolution = datum.get("StorageResolution", 60)
    if resolution not in _RESOLUTIONS:
        raise invalid(f"The value {resolution} for parameter {path}.StorageResolution is invalid.")
    common = {
        "second": int(time.timestamp()) // resolution * resolution,
        "resolution": resolution,
        "unit": datum.get("Unit", "None"),
    }
    given = [name for name in _VALUES if datum.get(name) is not None]
    if len(given) != 1 or ("Counts" in datum and given != ["Values"]):
        raise contradictory(f"The parameters {path} expect exactly one of {', '.join(_VALUES)}.")
    if "StatisticValues" in datum:
        return _of_statistics(datum["StatisticValues"], f"{path}.StatisticValues", common)
    values = datum.get("Values") or [datum.get("Value")]
    counts = datum.get("Counts") or [1.0] * len(values)
    if not given or len(values) > _MOST_VALUES or len(values) != len(counts):
        raise invalid(f"The parameters {path}.Values and {path}.Counts do not go together.")
    _check_numbers(f"{path}.Value", values)
    _check_numbers(f"{path}.Counts", counts)
    if min(counts) <= 0:
        raise invalid(f"The value for parameter {path}.Counts is invalid.")
    pairs = tuple(zip(map(float, values), map(float, counts), strict=True))
    return Sample(
        **common,
        count=sum(counts),
        total=math.fsum(value * count for value, count in pairs),
        minimum=min(values),
        maximum=max(values),
        values=pairs,
    )


def _of_statistics(given: Mapping[str, float], path: str, common: Mapping[str, Any]) -> Sample:
    _check_numbers(path, [*given.values()])
    if given["SampleCount"] <= 0 or given["Minimum"] > given["Maximum"]:
        raise invalid(f"The value for parameter {path} is invalid.")
    return Sample(
        **common,
        count=given["SampleCount"],
        total=given["Sum"],
        minimum=given["Minimum"],
        maximum=given["Maximum"],
    )


def _check_numbers(path: str, values: Sequence[float]) -> None:
    for value in values:
        if not math.isfinite(value) or abs(value) > _LARGEST:
            raise invalid(f"The value {value} for parameter {path} is invalid.")

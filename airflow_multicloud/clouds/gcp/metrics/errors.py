"""What Cloud Monitoring's errors mean, and which series of a request one is about.

Status names and reasons are those of all Google services. A write of which a part failed says in
its text which: either ``timeSeries[0-2]: write for resource=… failed with: REASON`` or
``REASON: global{} timeSeries[3]: …``, one after another; its details are a
``CreateTimeSeriesSummary``, which only counts
(https://cloud.google.com/monitoring/api/ref_v3/rest/v3/CreateTimeSeriesSummary).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.api_core import exceptions as api
from google.cloud.monitoring_v3 import CreateTimeSeriesSummary

from airflow_multicloud.clouds.gcp import tries
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import ErrorKind, MetricsError

TABLE = BASE

#: Turns the exceptions of Cloud Monitoring, and of the way there, into this package's.
translated = partial(tries.translated, area=MetricsError)

_INTRODUCTION = "One or more TimeSeries could not be written: "
_PARTS = re.compile(r"; (?=timeSeries\[|[A-Z])")
_PLACES = re.compile(r"timeSeries\[([0-9,-]+)\]")
_RUN = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")
_FAILED_WITH = " failed with: "
_SERIES_FOLLOWS = re.compile(r": (?:[a-z0-9_]+\{|timeSeries\[)")
#: What is said of a point whose time the series has, or is past.
_ORDER = ("written in order", "maximum sampling period", "Duplicate TimeSeries")


@dataclass(frozen=True, slots=True)
class Partial:
    """A write of which a part failed.

    :param reasons: place in the request → why; empty where the text does not tell the places, or
        where other points are counted than were sent.
    :param code: the status of what failed.
    """

    reasons: Mapping[int, str]
    kind: ErrorKind
    code: str
    text: str


def partial_of(err: BaseException, given: int) -> Partial | None:
    """What an error says about parts of a write; ``None`` when it is about all of it.

    :param given: how many series there were.
    """
    if not isinstance(err, api.GoogleAPICallError):
        return None
    text = str(err.message)
    summary = _summary(err)
    if summary is None and given == 1 and text.startswith(_INTRODUCTION):
        code = err.grpc_status_code or grpc.StatusCode.UNKNOWN
        return _partial(_reasons(text.removeprefix(_INTRODUCTION), 1), code.name, text)
    if summary is None:
        return None
    failed = given - summary.success_point_count
    codes = {error.status.code for error in summary.errors if error.status.code}
    code = codes.pop() if len(codes) == 1 else (err.grpc_status_code or grpc.StatusCode.UNKNOWN)
    name = code.name if isinstance(code, grpc.StatusCode) else _name(code)
    reasons = _reasons(text.removeprefix(_INTRODUCTION), given)
    fits = summary.total_point_count == given and len(reasons) == failed
    return _partial(reasons if fits else {}, name, text)


def is_about_order(reason: str) -> bool:
    """Whether a point was refused for its time: it may be there already."""
    return any(words in reason for words in _ORDER)


def shown(reason: str) -> str:
    """A reason in words that are the same for all series."""
    return _PLACES.sub("the series", reason)


def _partial(reasons: Mapping[int, str], code: str, text: str) -> Partial:
    kind = TABLE.kind_of_code(code) or ErrorKind.UNAVAILABLE
    return Partial(reasons, kind, code, shown(text))


def _summary(err: Any) -> Any:
    kind = CreateTimeSeriesSummary.pb()
    for detail in err.details or ():
        if hasattr(detail, "Is") and detail.Is(kind.DESCRIPTOR):
            found = kind()
            detail.Unpack(found)
            return found
    return None


def _reasons(text: str, given: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in _PARTS.split(text):
        if _FAILED_WITH in part:
            reason = part.partition(_FAILED_WITH)[2]
        else:
            reason = _SERIES_FOLLOWS.split(part)[0]
        for places in _PLACES.findall(part):
            for place in _numbers(places, given):
                found.setdefault(place, shown(reason))
    return found


def _numbers(places: str, given: int) -> list[int]:
    numbers: list[int] = []
    for run in filter(None, places.split(",")):
        if (found := _RUN.fullmatch(run)) is None:
            return []
        first, last = found[1], found[2] or found[1]
        numbers += range(int(first), min(int(last), given - 1) + 1)
    return numbers


def _name(code: int) -> str:
    return next((one.name for one in grpc.StatusCode if one.value[0] == code), "UNKNOWN")

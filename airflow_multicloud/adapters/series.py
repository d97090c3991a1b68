"""Series that a cloud can't tell apart, although they are told apart here.

``cloud.region`` and ``cloud_region`` may be one name there, ``True`` and ``"true"`` one text.
Points of both would be one series: the later replaces the earlier or is added to it, unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from airflow_multicloud.adapters.batches import Prepare, Prepared, dropped
from airflow_multicloud.adapters.points import attribute_text
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.metrics import MetricPoint

R = TypeVar("R")


def each_series_apart(
    prepare: Prepare[MetricPoint, R], kept_as: Callable[[MetricPoint], Hashable]
) -> Prepare[MetricPoint, R]:
    """Prepares the points of one call, of which none may become part of another's series.

    The series that comes first is kept, and all points of one that would be the same are dropped.

    :param kept_as: what the cloud tells a point's series from others by; asked for once a series.
    """
    first: dict[Hashable, Hashable] = {}
    is_first: dict[Hashable, bool] = {}

    def prepared(point: MetricPoint) -> Prepared[R] | Reason:
        found = prepare(point)
        if isinstance(found, Reason):
            return found
        own = _own(point)
        if own not in is_first:
            is_first[own] = first.setdefault(kept_as(point), own) == own
        if is_first[own]:
            return found
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            "name and attributes: another point is the same series there; expected names and "
            "attributes that this cloud can tell apart",
        )

    return prepared


def _own(point: MetricPoint) -> Hashable:
    return point.name, frozenset(
        (name, isinstance(value, str), attribute_text(value))
        for name, value in point.attributes.items()
    )

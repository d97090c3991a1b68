"""Series that a cloud can't tell apart, although they are told apart here.

``cloud.region`` and ``cloud_region`` may be one name there, ``True`` and ``"true"`` one text.
Points of both would be one series: the later replaces the earlier or is added to it, unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from airflow_multicloud.adapters.batches import Prepare, Prepared, dropped
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.metrics import MetricPoint, attribute_text

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SeriesSeen:
    """Which series came first at one place, and which would become part of another's.

    :param first: what a place keeps a series as → the series.
    :param is_first: the series → whether it is that one.
    """

    first: dict[Hashable, Hashable] = field(default_factory=dict)
    is_first: dict[Hashable, bool] = field(default_factory=dict)


_SHARED: ContextVar[SeriesSeen | None] = ContextVar("multicloud_series_seen", default=None)


@contextmanager
def shared_by_calls(seen: SeriesSeen) -> Iterator[None]:
    """Several calls of one hook tell series apart as if they were one: the batches of an export.

    :param seen: of one place; nothing else may use it at the same time.
    """
    token = _SHARED.set(seen)
    try:
        yield
    finally:
        _SHARED.reset(token)


def each_series_apart(
    prepare: Prepare[MetricPoint, R], kept_as: Callable[[MetricPoint], Hashable]
) -> Prepare[MetricPoint, R]:
    """Prepares the points of one call, of which none may become part of another's series.

    The series that comes first is kept, and all points of one that would be the same are dropped.
    Calls do not know of each other, except within :func:`shared_by_calls`.

    :param kept_as: what the cloud tells a point's series from others by; asked for once a series.
    """
    seen = _SHARED.get() or SeriesSeen()
    first, is_first = seen.first, seen.is_first

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

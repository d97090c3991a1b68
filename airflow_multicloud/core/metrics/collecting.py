"""Points on their way in: what could not be read as one is counted, and so is what it lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from airflow_multicloud.adapters.batches import dropped
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.tallies import Change, Tally
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Conversion, Refusal
from airflow_multicloud.ports.metrics import AttributeValue, MetricPoint
from airflow_multicloud.text import traceback_text

_log = logging.getLogger(__name__)

#: Which of a resource's attributes tell its series from others'. OpenTelemetry's SDK gives every
#: process another ``service.instance.id``: with it, each run would begin series of its own.
RESOURCE_ATTRIBUTES = ("service.namespace", "service.name")


def refused(message: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT) -> MetricsError:
    """The error for what can't be used."""
    return MetricsError(message, kind=kind)


#: What code raises that meets a form which nobody thought of.
UNEXPECTED_FORM = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class UnreadableError(ValueError):
    """Why one thing is no point, in words that are the same for all of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was read.

    :param points: in the order in which they were given.
    :param given: how many there were, with those that could not be read.
    :param refusals: the others, as dropped.
    :param conversions: what the points have lost already.
    """

    points: tuple[MetricPoint, ...]
    given: int
    refusals: tuple[Refusal, ...] = ()
    conversions: tuple[Conversion, ...] = ()

    def __post_init__(self) -> None:
        if len(self.points) + sum(one.count for one in self.refusals) != self.given:
            raise ValueError(f"given: {self.given} points, which are not all accounted for")


class Collector:
    """Where readers put what they find.

    :param time: of points that have none.
    :param attributes: added to each point, unless it has one of that name itself.
    """

    def __init__(
        self,
        time: datetime | None = None,
        attributes: Mapping[str, AttributeValue] = MappingProxyType({}),
    ) -> None:
        self.time = time or datetime.now(UTC)
        self._attributes = attributes
        self._points: list[MetricPoint] = []
        self._seen: set[Hashable] = set()
        self._given = 0
        self._tally = Tally()

    def add(self, point: MetricPoint, changes: Iterable[Change] = ()) -> None:
        """A point; one of a series that has one at that time already is dropped.

        A cloud would add both, keep one of them, or refuse one.
        """
        shown = name_of(point)
        if self._attributes:
            point = replace(point, attributes={**self._attributes, **point.attributes})
        key = (point.series, point.time)
        if key in self._seen:
            self.refuse(shown, "another point of the same series has the same time")
            return
        self._seen.add(key)
        self._given += 1
        self._points.append(point)
        self._tally.accept()
        self._tally.convert(shown, changes)

    def refuse(self, name: str, why: str) -> None:
        """Something that is no point.

        :param name: what it is shown as.
        :param why: the same for all that share it.
        """
        self._given += 1
        self._tally.refuse(name, dropped(ErrorKind.INVALID_ARGUMENT, why))

    def attempt(self, name: str, read: Callable[[], tuple[MetricPoint, Iterable[Change]]]) -> None:
        """Add what a function reads, or count why it can't."""
        try:
            point, changes = read()
            self.add(point, changes)
        except UnreadableError as err:
            self.refuse(name, str(err))
        except UNEXPECTED_FORM as err:
            _log.warning("a metric can't be read:\n%s", traceback_text(err))
            self.refuse(name, f"it can't be read ({type(err).__name__})")

    def collected(self) -> Collected:
        """All of it."""
        account = self._tally.accounting(self._given)
        return Collected(
            points=tuple(self._points),
            given=self._given,
            refusals=account.refusals,
            conversions=account.conversions,
        )

"""From what was recorded to what a page shows: a report that can't be read costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from airflow_multicloud.documents import read_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.plugins.page.recorded import Later, Recorded, TaskRef
from airflow_multicloud.text import shortened

T = TypeVar("T")

_LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class Unread:
    """A report that can't be read.

    :param why: a reason, for a reader.
    """

    task: TaskRef
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """Who told something, and when.

    :param succeeded: whether the task did; ``None`` while it runs, or is to run again.
    :param is_event: it told that before it was run again, or before its run was deleted.
    :param is_gone: its run was deleted.
    :param later: a later try of the task that has told nothing.
    """

    task: TaskRef
    at: datetime
    succeeded: bool | None
    is_event: bool = False
    is_gone: bool = False
    later: Later | None = None


def read_each(
    found: Iterable[Recorded], read: Callable[[Recorded], T]
) -> tuple[list[T], list[Unread]]:
    """What could be read, in the order given; and what not."""
    good: list[T] = []
    bad: list[Unread] = []
    for one in found:
        try:
            good.append(read(one))
        except (CloudError, ArithmeticError, LookupError, TypeError, ValueError) as err:
            bad.append(Unread(one.task, one.at, shortened(str(err), _LONGEST_WHY)))
    return good, bad


def facts_as(cls: type[T], one: Recorded) -> T:
    """The facts of a report, in the form that they are expected in; what else is there is left.

    :raises CloudError: kind ``integrity``, naming what is missing or wrong.
    :raises ValueError: when the report was not read at all.
    """
    if one.facts is None:
        raise ValueError(one.problem)
    return read_document(cls, one.facts, what=f"the {one.key}")


def told_by(one: Recorded) -> Told:
    """Who told it."""
    return Told(one.task, one.at, one.succeeded, one.is_event, one.is_gone, one.later)


def aware(at: datetime | None) -> datetime | None:
    """A time without a zone is in UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at

"""The commits before one, and whether one of a number is among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.errors import CloudError, ErrorKind


class End(Enum):
    """How a search for a commit came to its end."""

    THERE = auto()
    """A commit of this number is there."""
    NOT_AMONG = auto()
    """The ledger leaves it out, or begins later."""
    DELETED = auto()
    """The commits before are not there any more."""
    TOO_FAR = auto()
    """It was given up."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found of a commit, by its number.

    :param why: what that means for one that is looked for, as a part of a sentence.
    """

    end: End
    why: str
    root: str | None = None


def search(head: Head, number: int, *, furthest: int | None) -> Search:
    """Look for the commit of a number among those up to this one."""
    last = head
    for looked, one in enumerate(chain(head, number)):
        if one.commit.number == number:
            return Search(End.THERE, f"commit {number} has the root {one.root} there", one.root)
        if one.commit.number < number:
            why = f"commit {last.commit.number} there follows on commit {one.commit.number}"
            return Search(End.NOT_AMONG, why)
        if looked == furthest:
            why = f"it was looked for as far back as commit {one.commit.number} only"
            return Search(End.TOO_FAR, why)
        last = one
    before = last.commit.previous
    if before is None:
        return Search(End.NOT_AMONG, f"that ledger begins with commit {last.commit.number}")
    return Search(End.DELETED, f"commit {before.number} and those before it are not there")


def chain(head: Head, number: int) -> Iterator[Head]:
    """A commit and those before it, as far back as they are kept.

    :param number: the last to be read, if it is among them.
    :raises StorageError: kind ``integrity`` when one is not the one that the next one names.
    """
    yield head
    earlier = reading.back_to(head, number)
    while True:
        try:
            one = next(earlier, None)
        except CloudError as err:
            # Old commits may be deleted: each later one has the whole state.
            before = err.__cause__
            if isinstance(before, CloudError) and before.kind is ErrorKind.NOT_FOUND:
                return
            raise
        if one is None:
            return
        yield one

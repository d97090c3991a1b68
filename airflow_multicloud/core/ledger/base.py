"""What a run goes by: the newest commit of a ledger, as far as it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import mending, reading
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.errors import CloudError, ErrorKind


@dataclass(frozen=True, slots=True)
class Base:
    """What a run goes by: the newest commit when it began, or that it can't be read.

    :param number: of the newest commit, readable or not.
    :param damaged: why what is there counts for nothing.
    :param alone: whether nobody else has committed since the run began.
    :param refused: why nothing can be written: by another release, or out of reach.
    :param lost: segments that can't be read, and
    :param partly: what that means: the rest of what is there still counts.
    :param as_it_is: the newest commit with them.
    :param began: the number of the newest commit when the run began; ``None``: it is this one.
    :param dropped: how many objects that the run has written were deleted or replaced by others
        before it could say so; at least one if what the run goes by was lost.
    """

    head: Head | None = None
    number: int = 0
    damaged: str | None = None
    alone: bool = True
    refused: CloudError | None = None
    lost: tuple[SegmentRef, ...] = ()
    partly: str | None = None
    as_it_is: Head | None = None
    began: int | None = None
    dropped: int = 0

    @property
    def since(self) -> int:
        """The newest commit when the run began."""
        return self.number if self.began is None else self.began

    def without_state(self, why: str) -> Base:
        """The same, once its state turned out to be unreadable."""
        return Base(self.head, self.number, why)

    def without_unreadable(self, prefix: str, why: str) -> Base:
        """The same, once some of what it says below a prefix turned out to be unreadable.

        What else it says still counts; nothing does if all of it can be read, and is no ledger, or
        if too much is lost.
        """
        lost = mending.unreadable(self.head, prefix) if self.head else ()
        if not lost or len(lost) > mending.MOST:
            return self.without_state(why)
        return self.without(lost, mending.text(lost, why))

    def without(self, lost: tuple[SegmentRef, ...], why: str | None) -> Base:
        """The same without some segments, as far as it has them; writes nothing."""
        if self.head is None or not lost:
            return self
        head = mending.mended(self.head, lost)
        if head is None:
            return self.without_state(f"{why}")
        if head is self.head:
            return self
        return replace(self, head=head, lost=lost, partly=why, as_it_is=self.head)

    def to_write_on(self) -> Base:
        """The same with all that can be kept, some of which has to be written again."""
        if self.as_it_is is None:
            return self
        head = mending.mended(self.as_it_is, self.lost, cut=True)
        return replace(self, head=head) if head else self.without_state(f"{self.partly}")

    def is_lost(self, now: Head | None) -> bool:
        """Whether the ledger has lost some of this since, as somebody could not read it.

        :param now: the newest commit; ``None``: there is none that counts.
        """
        if self.damaged or self.partly:
            return False  # Then the run has gone without.
        if now is None or self.head is None:
            return self.head is not None
        return now.commit.mended > self.head.commit.mended

    @property
    def looks(self) -> tuple[Look, ...]:
        """What was looked at, and when."""
        return self.head.commit.looks if self.head and not self.damaged else ()

    def entries(self, prefix: str, *, least: str = "", most: str | None = None) -> Iterator[Entry]:
        """What is known below a prefix, from one key to another."""
        if self.head is None or self.damaged:
            return iter(())
        return self.head.entries(prefix, least=least, most=most)

    def entry(self, key: str) -> Entry | None:
        """What is known of one key."""
        return self.head.entry(key) if self.head and not self.damaged else None


def base_of(end: Endpoint) -> Base:
    """The newest commit.

    One that is damaged is no error here: what it said is then found out again.

    :raises StorageError: kind ``unsupported`` when another release wrote it.
    """
    try:
        head = reading.newest(end)
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        return Base(None, next(reading.numbers(end), 0), str(err))
    return Base(head, head.commit.number if head else 0)


def base_or_refusal(end: Endpoint) -> Base:
    """The newest commit, or why none can follow: by another release, or out of reach."""
    try:
        return base_of(end)
    except CloudError as err:
        if err.kind is not ErrorKind.UNSUPPORTED and not err.kind.is_outage:
            raise
        return Base(refused=err)

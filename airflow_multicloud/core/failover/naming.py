"""The names of what lies below a prefix, by the first copy that knows them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import timedelta

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.failover.copies import Copies, Copy
from airflow_multicloud.core.failover.limits import started
from airflow_multicloud.core.failover.names import Names
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError, kind_of
from airflow_multicloud.core.failover.references import blaming
from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.looks import Freshness
from airflow_multicloud.core.replication import pages
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError


@dataclass(frozen=True, slots=True)
class Naming:
    """What lies below a prefix.

    :param copy: who says so.
    :param freshness: how fresh that is, when it is a ledger that says so.
    """

    names: Names
    copy: Copy
    freshness: Freshness | None


def left_of(policy: FailoverPolicy, end: float, attempts: Sequence[Attempt]) -> timedelta:
    """What is left until ``end`` (of the monotonic clock).

    :raises FailoverError: kind ``timeout`` when that is nothing.
    """
    left = end - time.monotonic()
    if left <= 0:
        raise FailoverError(
            f"deadline ({policy.deadline}) passed",
            kind=ErrorKind.TIMEOUT,
            attempts=tuple(attempts),
        )
    return timedelta(seconds=left)


def names_of(copies: Copies, end: float) -> tuple[Naming, list[Attempt]]:
    """The names below the prefix, by the first copy that knows any, and who did not.

    They come from the listing of the live primary, and of what has no ledger; from the ledger of a
    replica, so that what was lost there is missed.

    :raises FailoverError: when none does, or one fails for a reason that ends the fetch.
    """
    if not copies.all:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    return _Asking(copies, end).run()


@dataclass(frozen=True, slots=True)
class _Listing:
    """A copy that is being listed."""

    copy: Copy
    future: Future[Naming]
    since: float

    def attempt(self, kind: ErrorKind, why: str, *, overtaken: bool = False) -> Attempt:
        candidate = self.copy.candidate
        cloud = candidate.endpoint.cloud if candidate.endpoint else None
        took = round((time.monotonic() - self.since) * 1000)
        return Attempt(candidate.uri, cloud, took, kind, why, overtaken)

    def drop(self) -> None:
        """Nobody wants its names any more."""
        self.future.add_done_callback(_close)


class _Asking:
    """Copies in order, each asked when the one before failed or takes too long."""

    def __init__(self, copies: Copies, end: float) -> None:
        self._waiting = list(copies.all)
        self._policy = copies.policy
        self._end = end
        self._running: list[_Listing] = []
        self._failed: list[Attempt] = []

    def run(self) -> tuple[Naming, list[Attempt]]:
        try:
            return self._run()
        finally:
            for listing in self._running:
                listing.drop()

    def _run(self) -> tuple[Naming, list[Attempt]]:
        while self._running or self._waiting:
            if not self._running:
                self._start_next()
            done, _ = wait(
                [listing.future for listing in self._running],
                timeout=min(self._until() - time.monotonic(), cancellation.LOOK),
                return_when=FIRST_COMPLETED,
            )
            for listing in [one for one in self._running if one.future in done]:
                self._running.remove(listing)
                if found := self._judge(listing):
                    return found, self._failed
            cancellation.check()
            if not done and time.monotonic() >= self._until():
                self._on_time_out()
        raise FailoverError(
            "no candidate could be listed",
            kind=kind_of(self._failed),
            attempts=tuple(self._failed),
        )

    def _start_next(self) -> None:
        left_of(self._policy, self._end, self._failed)
        copy = self._waiting.pop(0)
        since = time.monotonic()
        self._running.append(_Listing(copy, started(lambda: _named(copy)), since))

    def _until(self) -> float:
        return min([self._end, self._hedge_at(), *map(self._expires, self._running)])

    def _hedge_at(self) -> float:
        after = self._policy.hedge_after
        if after is None or not self._waiting:
            return float("inf")
        return self._running[-1].since + after.total_seconds()

    def _expires(self, listing: _Listing) -> float:
        return listing.since + self._policy.attempt_timeout.total_seconds()

    def _judge(self, listing: _Listing) -> Naming | None:
        try:
            found = listing.future.result()
        except CloudError as err:
            self._on_failure(listing, err.kind, str(err))
            return None
        if not len(found.names):
            listing.drop()
            self._on_failure(listing, ErrorKind.NOT_FOUND, "no object under this prefix")
            return None
        after = self._policy.hedge_after
        late = f"had not been listed yet when another one was (hedge_after: {after})"
        self._failed += [
            other.attempt(ErrorKind.TIMEOUT, late, overtaken=True) for other in self._running
        ]
        return found

    def _on_time_out(self) -> None:
        now = time.monotonic()
        for listing in [one for one in self._running if now >= self._expires(one)]:
            self._running.remove(listing)
            listing.drop()
            self._on_failure(listing, ErrorKind.TIMEOUT, "took longer than attempt_timeout")
        left_of(self._policy, self._end, self._failed)
        if self._running and now >= self._hedge_at():
            self._start_next()

    def _on_failure(self, listing: _Listing, kind: ErrorKind, why: str) -> None:
        listing.copy.copies.moments.at_failure(time.monotonic())
        self._failed.append(listing.attempt(kind, why))
        # An empty prefix is no error of the store's; another copy may still have the objects.
        if kind is not ErrorKind.NOT_FOUND and not self._policy.goes_on(kind):
            raise FailoverError(
                f"{listing.copy.candidate.uri} can't be listed",
                kind=kind,
                attempts=tuple(self._failed),
            )


def _close(future: Future[Naming]) -> None:
    if future.exception() is None:
        future.result().names.close()


def _named(copy: Copy) -> Naming:
    end = copy.end
    names = Names()
    try:
        with blaming(end, "listed"):
            return Naming(names, copy, _fill(names, copy, end.location.key))
    except BaseException:
        names.close()
        raise


def _fill(names: Names, copy: Copy, prefix: str) -> Freshness | None:
    """Take the names, and say how fresh they are if they are a ledger's."""
    head = copy.judged().head
    if head is not None:
        # Those that were left out are told.
        there = (entry for entry in head.entries(prefix) if entry.gone is None)
        names.add(entry.key[len(prefix) :] for entry in there)
        known = looks.freshness(head.commit.looks, prefix)
        if known.looks or len(names):
            return known
    names.add(listed_names(copy))
    return None


def listed_names(copy: Copy) -> Iterator[str]:
    """What lies at a copy."""
    return (listed.name for listed in pages.listing(copy.end))

"""The copies of one prefix, and the names of what lies below it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.limits import started
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError, kind_of
from airflow_multicloud.core.failover.references import Reference, blaming, manifest_of, references
from airflow_multicloud.core.replication import stock
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError


class Copy:
    """One candidate, and what its manifest or listing says of its objects, read once."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self._lock = threading.Lock()
        self._references: dict[str, Reference] | None = None

    def references(self) -> Mapping[str, Reference]:
        """What is known of each object, by its name below the prefix."""
        with self._lock:
            if self._references is None:
                end = self.candidate.endpoint
                if end is None:
                    raise self.candidate.refused or AssertionError("neither endpoint nor refusal")
                with blaming(end, "listed"):
                    self._references = dict(_listed(end))
            return self._references

    def below(self, name: str) -> Candidate:
        """This copy of one object."""
        end = self.candidate.endpoint
        if end is None:
            return self.candidate
        reference = partial(self._reference, name)
        return replace(self.candidate, endpoint=end.below(name), reference=reference)

    def _reference(self, name: str) -> Reference:
        # What it does not list may still be there: reading it will tell.
        return self.references().get(name, Reference(None))

    def left_out(self, name: str) -> bool:
        """Whether this copy is known to lack the object because it was left out here."""
        known = self._references
        return known is not None and name in known and known[name].left_out


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


def names_of(
    copies: Sequence[Copy], policy: FailoverPolicy, end: float
) -> tuple[list[str], list[Attempt]]:
    """The names below the prefix, by the first copy that lists any, and who did not.

    :raises FailoverError: when none does, or one fails for a reason that ends the fetch.
    """
    if not copies:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    return _Naming(copies, policy, end).run()


@dataclass(frozen=True, slots=True)
class _Listing:
    """A copy that is being listed."""

    copy: Copy
    future: Future[Mapping[str, Reference]]
    since: float

    def attempt(self, kind: ErrorKind, why: str, *, overtaken: bool = False) -> Attempt:
        candidate = self.copy.candidate
        cloud = candidate.endpoint.cloud if candidate.endpoint else None
        took = round((time.monotonic() - self.since) * 1000)
        return Attempt(candidate.uri, cloud, took, kind, why, overtaken)


class _Naming:
    """Copies in order, each asked when the one before failed or takes too long."""

    def __init__(self, copies: Sequence[Copy], policy: FailoverPolicy, end: float) -> None:
        self._waiting = list(copies)
        self._policy = policy
        self._end = end
        self._running: list[_Listing] = []
        self._failed: list[Attempt] = []

    def run(self) -> tuple[list[str], list[Attempt]]:
        while self._running or self._waiting:
            if not self._running:
                self._start_next()
            done, _ = wait(
                [listing.future for listing in self._running],
                timeout=min(max(0.0, self._until() - time.monotonic()), cancellation.LOOK),
                return_when=FIRST_COMPLETED,
            )
            for listing in [one for one in self._running if one.future in done]:
                self._running.remove(listing)
                if known := self._judge(listing):
                    return sorted(known), self._failed
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
        self._running.append(_Listing(copy, started(copy.references), time.monotonic()))

    def _until(self) -> float:
        return min([self._end, self._hedge_at(), *map(self._expires, self._running)])

    def _hedge_at(self) -> float:
        after = self._policy.hedge_after
        if after is None or not self._waiting:
            return float("inf")
        return self._running[-1].since + after.total_seconds()

    def _expires(self, listing: _Listing) -> float:
        return listing.since + self._policy.attempt_timeout.total_seconds()

    def _judge(self, listing: _Listing) -> Mapping[str, Reference] | None:
        try:
            known = listing.future.result()
        except CloudError as err:
            self._on_failure(listing, err.kind, str(err))
            return None
        if not known:
            self._on_failure(listing, ErrorKind.NOT_FOUND, "no object under this prefix")
            return None
        after = self._policy.hedge_after
        late = f"had not been listed yet when another one was (hedge_after: {after})"
        self._failed += [
            other.attempt(ErrorKind.TIMEOUT, late, overtaken=True) for other in self._running
        ]
        return known

    def _on_time_out(self) -> None:
        now = time.monotonic()
        for listing in [one for one in self._running if now >= self._expires(one)]:
            self._running.remove(listing)
            self._on_failure(listing, ErrorKind.TIMEOUT, "took longer than attempt_timeout")
        left_of(self._policy, self._end, self._failed)
        if self._running and now >= self._hedge_at():
            self._start_next()

    def _on_failure(self, listing: _Listing, kind: ErrorKind, why: str) -> None:
        self._failed.append(listing.attempt(kind, why))
        # An empty prefix is no error of the store's; another copy may still have the objects.
        if kind is not ErrorKind.NOT_FOUND and not self._policy.goes_on(kind):
            raise FailoverError(
                f"{listing.copy.candidate.uri} can't be listed",
                kind=kind,
                attempts=tuple(self._failed),
            )


def _listed(endpoint: Endpoint) -> Iterator[tuple[str, Reference]]:
    latest = manifest_of(endpoint)
    if latest is None:
        for listed in stock.listing(endpoint):
            yield listed.name, Reference(None)
        return
    skip = endpoint.location.key[len(latest.replica) :]
    for name, reference in references(endpoint, latest):
        if name.startswith(skip):
            yield name[len(skip) :], reference

"""The copies of one object or prefix, and what their ledgers say of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.clocks import CLOCKS_DIFFER
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.judging import Judged, judge
from airflow_multicloud.core.failover.ledgers import AGAIN, CopyLedger
from airflow_multicloud.core.failover.limits import started, within
from airflow_multicloud.core.failover.moments import Moments
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.references import Reference, blaming, reference_of
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.records import UNREADABLE
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

_log = logging.getLogger(__name__)

#: How long is waited at most for the other candidates' ledgers, once in a fetch.
_GRACE = timedelta(seconds=2)
#: How long another candidate may take to say what an object must be.
_TO_ASK = timedelta(seconds=10)
#: How long one object, and all objects of a copy together, wait for a run to say what it wrote.
_PATIENCE = timedelta(seconds=10)
_PATIENCE_FOR_ALL = timedelta(seconds=30)
#: A run that has said nothing for longer is not waited for; it commits more often.
_ALIVE = timedelta(minutes=2)


class Copy:
    """One candidate, and what its ledger says of its objects."""

    def __init__(self, candidate: Candidate, copies: Copies) -> None:
        self.candidate = candidate
        self.copies = copies
        self._lock = threading.Lock()
        self._judged: Judged | None = None
        self._refused: CloudError | None = None
        self._ledger = CopyLedger(candidate.endpoint) if candidate.endpoint else None
        self._asked: Future[Head | None] | None = None
        self._silent = False
        self._waits_until: float | None = None

    @property
    def end(self) -> Endpoint:
        """Where it lies.

        :raises CloudError: why it could not be opened.
        """
        end = self.candidate.endpoint
        if end is None:
            raise self.candidate.refused or AssertionError("neither endpoint nor refusal")
        return end

    @property
    def ledger(self) -> CopyLedger:
        """Its ledger, believed or not."""
        if self._ledger is None:
            raise self.candidate.refused or AssertionError("neither endpoint nor refusal")
        return self._ledger

    def judged(self) -> Judged:
        """What it is judged by; found out once.

        :raises StorageError: kind ``integrity`` for a ledger that is not believed.
        """
        with self._lock:
            if self._refused is not None:
                raise self._refused
            if self._judged is None:
                try:
                    self._judged = judge(self, self.copies)
                except CloudError as err:
                    if err.kind in UNREADABLE:  # It stays so; others may pass.
                        self._refused = err
                    raise
            return self._judged

    def reference(self, name: str) -> Reference:
        """What is known of an object here, before it is read.

        :raises CloudError: when its ledger can't be read, or is not believed.
        """
        with blaming(self.end, "read"):
            return self._reference(name, self.judged())

    def left_out(self, name: str) -> bool:
        """Whether this copy is known to lack the object because it was left out here."""
        if self._judged is None or self._judged.head is None:
            return False
        try:
            return self.reference(name).left_out
        except CloudError:
            return False

    def newer(
        self, name: str, known: Reference, cancelled: threading.Event, *, wait: bool
    ) -> Reference | None:
        """What newer commits say of an object that is not what its ledger said, if anything.

        A run may have written it a moment ago: it counts as it was before the run, or as the run
        says that it is now. While the run is under way and has not said it yet, this waits a
        little.

        :param cancelled: set when nobody wants to know any more.
        :param wait: whether to wait at all.
        :return: ``None`` when nothing else is known.
        """
        if self.judged().live:
            return None
        key = self.end.key_of(name)
        patience = min(_PATIENCE, self.copies.policy.attempt_timeout / 2)
        until = time.monotonic() + patience.total_seconds()
        while True:
            with blaming(self.end, "read"):
                head = self._look_again()
                entry = None if head is None else self.ledger.entry(head, key)
                if entry != known.entry and entry is not None:
                    return self._reference(name, self.judged())
            if not wait or head is None or not _being_written(head, key):
                return None
            if not self._may_wait(until) or cancelled.wait(AGAIN):
                return None

    def known_elsewhere(self, name: str) -> Iterator[Reference]:
        """What the other candidates' ledgers say of an object, as far as they can be asked."""
        for other in self.copies.beside(self):
            if other._silent:  # noqa: SLF001 - one of its own kind
                continue
            try:
                yield within(_TO_ASK, lambda: other.reference(name), parameter="attempt_timeout")  # noqa: B023
            except CloudError as err:
                other._silent = err.kind is ErrorKind.TIMEOUT  # noqa: SLF001 - likewise
                _log.debug("%s can't say what %r must be: %s", other.candidate.uri, name, err)

    def disputed(self, name: str, known: Reference) -> str | None:
        """What another candidate's ledger says of the very object at the source that this one has.

        :return: a finding, where one contradicts.
        :raises StorageError: kind ``integrity`` when two contradict.
        """
        proof = known.proof
        if proof is None or not proof.origin.etag:
            return None
        against = [
            other
            for other, head in self.copies.heads_beside(self)
            if (theirs := other.at_hand(head, name)) is not None
            and theirs.proof is not None
            and _same_source(theirs, known)
            and (compared := compare(proof.digests, theirs.proof.digests)) is not None
            and not compared.equal
        ]
        if not against:
            return None
        who = " and ".join(other.candidate.uri for other in against)
        said = (
            f"the ledgers of {self.candidate.uri} and of {who} have different digests of the same "
            f"object {self.end.key_of(name)!r} of the source"
        )
        # Two ways to one bucket are one voice.
        voices = {place_of(other.end) for other in against} - {place_of(self.end)}
        if len(voices) > 1:
            raise StorageError(
                f"{said}: this one is not believed",
                kind=ErrorKind.INTEGRITY,
                cloud=self.end.cloud,
            )
        return f"{said}: one of the two is wrong, and which can't be told from them alone"

    def at_hand(self, head: Head, name: str) -> Entry | None:
        """What its ledger says of an object; ``None``, too, when it does not answer."""
        if self._silent:
            return None
        try:
            with blaming(self.end, "read"):
                key = self.end.key_of(name)
                return within(
                    _TO_ASK, lambda: self.ledger.entry(head, key), parameter="attempt_timeout"
                )
        except CloudError:
            self._silent = True
            return None

    def asked(self) -> Future[Head | None]:
        """Its ledger's newest commit, which is read meanwhile."""
        with self.copies.asking:
            if self._asked is None:
                self._asked = started(self.ledger.head)
            return self._asked

    def _reference(self, name: str, judged: Judged) -> Reference:
        head = judged.head
        if head is None:
            return Reference(findings=judged.findings)
        key = self.end.key_of(name)
        entry = self.ledger.entry(head, key)
        uri = str(self.end.below(name).location)
        if entry is not None:
            found = reference_of(entry, head.commit.looks, uri)
        elif any(key.startswith(look.prefix) for look in head.commit.looks):
            found = Reference(findings=(f"{uri} is not known to its ledger",))
        else:
            found = Reference()
        return replace(found, findings=(*judged.findings, *found.findings))

    def _look_again(self) -> Head | None:
        """Its ledger's newest commit, judged again if it is another one."""
        judged = self.judged()
        if self.ledger.newer(judged.head) is not None:
            with self._lock:
                self._judged = None
            judged = self.judged()
        return judged.head

    def _may_wait(self, until: float) -> bool:
        """Whether an object may be waited for: all objects together only for so long."""
        now = time.monotonic()
        if self._waits_until is None:
            self._waits_until = now + _PATIENCE_FOR_ALL.total_seconds()
        return now < min(until, self._waits_until)


class Copies:
    """The candidates of one fetch, which say what each other's ledgers are worth."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        policy: FailoverPolicy,
        moments: Moments | None = None,
    ) -> None:
        policy.check_candidates({c.uri: c.bucket_place for c in candidates})
        self.policy = policy
        self.moments = moments or Moments()
        self.asking = threading.Lock()
        self.all = tuple(Copy(candidate, self) for candidate in candidates)
        limits = [_GRACE, policy.attempt_timeout / 4, policy.deadline / 4]
        limits += [policy.hedge_after] if policy.hedge_after else []
        self._grace = min(limits).total_seconds()
        self._waits_until: float | None = None

    def beside(self, copy: Copy) -> list[Copy]:
        """The others that could be opened."""
        return [one for one in self.all if one is not copy and one.candidate.endpoint is not None]

    def answered(self, copy: Copy) -> list[tuple[Copy, Head | None]]:
        """The newest commits of the others' ledgers, as far as they are read within a short time.

        Who does not answer in that time once is not waited for again.
        """
        asked = [(other, other.asked()) for other in self.beside(copy)]
        if self._waits_until is None:
            self._waits_until = time.monotonic() + self._grace
        found: list[tuple[Copy, Head | None]] = []
        for other, future in asked:
            try:
                found.append((other, future.result(self._waits_until - time.monotonic())))
            except (CloudError, TimeoutError) as err:
                _log.debug("%s: its ledger can't be asked: %s", other.candidate.uri, err)
            except Exception:  # noqa: BLE001 - another copy's, which its own attempt tells
                _log.debug("%s: its ledger can't be asked", other.candidate.uri, exc_info=True)
        return found

    def heads_beside(self, copy: Copy) -> list[tuple[Copy, Head]]:
        """As :meth:`answered`, those that have a ledger."""
        return [(other, head) for other, head in self.answered(copy) if head is not None]


def _same_source(theirs: Entry, ours: Reference) -> bool:
    """Whether two proofs are about one version of one object at the source."""
    if theirs.proof is None or ours.proof is None:
        return False
    one, other = theirs.proof.origin, ours.proof.origin
    return (one.uri, one.etag, one.version) == (other.uri, other.etag, other.version)


def _being_written(head: Head, key: str) -> bool:
    """Whether a run is under way that writes there."""
    now = datetime.now(UTC)
    return any(
        key.startswith(run.prefix) and -CLOCKS_DIFFER <= now - run.seen <= _ALIVE
        for run in head.commit.open_runs
    )

"""Every object of a replica is judged, also while a run replaces them.

What contradicts the ledger may have been replaced since the ledger was read. So it is judged once
more, by what the ledger says then: a verification goes by the state before a run or after it, and
never by a mixture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger import trust, writing
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.chain import search
from airflow_multicloud.core.ledger.commits import OpenRun
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.trust import Verifier
from airflow_multicloud.core.replication import history, judging, pages, stock, under_way
from airflow_multicloud.core.replication.catalog import Catalog, Listed
from airflow_multicloud.core.replication.judging import Depth, Finding, Found
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.under_way import Clock, Waiting, run_text
from airflow_multicloud.errors import ErrorKind, StorageError

#: How many findings a report names; every finding is counted.
NAMED_FINDINGS = 100

_LISTED = 0
_LOOK_AGAIN = 1.0

_Judging = Future[tuple[Found, int]]


class Tally:
    """Counts what was found, and names the first that is not proven."""

    def __init__(self) -> None:
        self.findings: Counter[Finding] = Counter()
        self.named: list[Found] = []

    def add(self, found: Found) -> None:
        """Count one object."""
        self.findings[found.finding] += 1
        amiss = found.finding not in (Finding.VERIFIED, Finding.RESERVED)
        if amiss and len(self.named) < NAMED_FINDINGS:
            self.named.append(found)

    def take(self, other: Tally) -> None:
        """Add what was counted apart."""
        self.findings.update(other.findings)
        self.named += other.named[: NAMED_FINDINGS - len(self.named)]


class Check(Tally):
    """Judges the objects of a replica by a commit of its ledger, and by newer ones.

    :ivar newest: the newest commit that was read.
    :ivar content: the Merkle root over what is proven by the first.
    :ivar extraneous: objects that are there and that the source has not, as far as is known.
    :ivar gone: those among them that the source had once.
    """

    def __init__(
        self,
        replica: Endpoint,
        depth: Depth,
        head: Head,
        catalog: Catalog,
        pool: ThreadPoolExecutor,
        concurrency: int,
    ) -> None:
        super().__init__()
        self.replica = replica
        self.head = self.newest = head
        self.bytes_read = 0
        self.content = ""
        self.extraneous = self.gone = 0
        self._depth = depth
        self._catalog = catalog
        self._pool = pool
        self._most = 2 * concurrency
        self._doubts = Tally()
        #: The catalog's side of what contradicts the ledger: two sides take turns.
        self._side = 1

    def run(self, keys: Verifier | None, clock: Clock | None) -> None:
        """Judge every object.

        :param keys: newer commits must be signed with one of them too.
        :param clock: by which newer commits are waited for; ``None``: they are not looked at.
        """
        self._catalog.add_listing(_LISTED, pages.listing(self.replica))
        self._judge_all(doubt=clock is not None)
        if clock is not None:
            self._wait(keys, clock)
        if self.newest is not self.head:
            self._count_extraneous()

    def _wait(self, keys: Verifier | None, clock: Clock) -> None:
        """Judge what contradicts the ledger by what runs record of it."""
        waiting = Waiting(clock)
        judged: tuple[OpenRun, ...] | None = None
        while self._doubts.findings:
            newer = self._read_again(keys)
            news = newer.mark != self.newest.mark
            runs = under_way.open_runs(newer.commit, self.replica.location.key, clock.now())
            if judged is None and not news and not runs:
                self.take(self._doubts)  # Nothing explains it.
                return
            if news:
                self.newest = newer
                waiting.heard()
            if news or runs != judged:
                self._judge_again(runs)
                judged = runs
            if not self._doubts.findings:
                return
            if waiting.over(runs):
                self._give_up(runs)
                return
            clock.sleep(_LOOK_AGAIN)
            cancellation.check()

    def _known(self, head: Head) -> Iterator[tuple[str, Entry]]:
        return stock.known_at(self.replica, Base(head, head.commit.number))

    def _judge_all(self, *, doubt: bool) -> None:
        there = Follow((one.name, one) for one in self._catalog.listing(_LISTED))
        tree = MerkleTree()
        running: dict[_Judging, tuple[str, Entry]] = {}
        known = 0
        for name, entry in self._known(self.head):
            cancellation.check()
            if entry.current and entry.proof is not None:
                tree.add(name, entry.proof.size, entry.proof.digests)
            listed: Listed | None = there.at(name)
            if entry.gone is not None:
                self.gone += listed is not None
                continue
            known += listed is not None
            found = judging.by_listing(name, entry, listed, self._depth)
            if found is not None:
                self._settle(found, entry, doubt=doubt)
            elif listed is not None:
                closer = partial(judging.look_closer, self.replica, name, entry, listed)
                running[self._submit(closer)] = name, entry
            for done, (_, of) in self._done(running):
                self._settle(done, of, doubt=doubt)
        for done, (_, of) in self._done(running, every=True):
            self._settle(done, of, doubt=doubt)
        self.content = tree.root()
        self.extraneous = self._catalog.count_listed(_LISTED) - known

    def _settle(self, found: Found, entry: Entry, *, doubt: bool) -> None:
        if doubt and found.finding.contradicts:
            self._catalog.add_known(self._side, [(found.name, entry)])
            self._doubts.add(found)
        else:
            self.add(found)

    def _judge_again(self, runs: tuple[OpenRun, ...]) -> None:
        """Judge what contradicted the ledger by what it says now; runs may explain it still."""
        before, self._side = self._side, 3 - self._side
        self._catalog.forget_known(self._side)
        self._doubts = Tally()
        now = Follow(self._known(self.newest))
        running: dict[_Judging, tuple[str, Entry]] = {}
        for name, known in self._catalog.known(before):
            entry: Entry | None = now.at(name)
            if entry is None or entry.gone is not None:
                continue  # The source has it no more.
            if entry == known and self._writing(name, runs):
                self._settle(Found(name, Finding.CHANGED), entry, doubt=True)
                continue
            afresh = partial(judging.look_afresh, self.replica, name, entry)
            running[self._submit(afresh)] = name, entry
            for done, (at, of) in self._done(running):
                self._settle(done, of, doubt=self._writing(at, runs))
        for done, (at, of) in self._done(running, every=True):
            self._settle(done, of, doubt=self._writing(at, runs))

    def _writing(self, name: str, runs: Iterable[OpenRun]) -> bool:
        key = self.replica.key_of(name)
        return any(history.overlaps(run.prefix, key) for run in runs)

    def _give_up(self, runs: tuple[OpenRun, ...]) -> None:
        """What a run that is under way may be replacing is neither proven nor damaged."""
        for name, _ in self._catalog.known(self._side):
            key = self.replica.key_of(name)
            run = next(run for run in runs if history.overlaps(run.prefix, key))
            self.add(Found(name, Finding.UNVERIFIABLE, f"being replaced by {run_text(run)}"))

    def _read_again(self, keys: Verifier | None) -> Head:
        """The newest commit by now, if it follows on the one that was read before."""
        newer, last = history.newest(self.replica), self.newest
        if newer.mark == last.mark:
            return last
        found = search(newer, last.commit.number, furthest=None)
        if found.root != last.root and writing.is_guarded(self.replica):
            raise StorageError(
                f"{newer.uri}: it does not follow on commit {last.commit.number} of root "
                f"{last.root}, which was the newest a moment ago: somebody writes the ledger anew; "
                "find out who wrote to the bucket",
                kind=ErrorKind.INTEGRITY,
                cloud=self.replica.cloud,
            )
        trust.check_signature(newer, keys)
        return newer

    def _count_extraneous(self) -> None:
        """What is there besides, by both commits: a run may just have brought it."""
        first, later = (Follow(self._known(head)) for head in (self.head, self.newest))
        self.extraneous = self.gone = 0
        for listed in self._catalog.listing(_LISTED):
            known: list[Entry] = [e for e in (first.at(listed.name), later.at(listed.name)) if e]
            if all(entry.gone is not None for entry in known):
                self.extraneous += 1
                self.gone += bool(known)

    def _submit(self, task: partial[tuple[Found, int]]) -> _Judging:
        return telemetry.submit_in_context(self._pool, task, self._depth)

    def _done(
        self, running: dict[_Judging, tuple[str, Entry]], *, every: bool = False
    ) -> Iterator[tuple[Found, tuple[str, Entry]]]:
        """What has been found, once so many are under way that it is time to wait for some."""
        while running and (every or len(running) >= self._most):
            cancellation.check()
            for future in wait(running, cancellation.LOOK, return_when=FIRST_COMPLETED).done:
                found, size = future.result()
                self.bytes_read += size
                yield found, running.pop(future)

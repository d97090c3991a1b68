"""What must hold of a ledger, whatever has happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_multicloud.core.ledger import looks, reading, selections
from airflow_multicloud.core.replication import pages, under_way
from airflow_multicloud.core.replication.standing import holds
from airflow_multicloud.core.replication.verification import verify

from .living import STRANGER, Clock, Source, contents, is_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.commits import Look
    from airflow_multicloud.core.ledger.entries import Entry
    from airflow_multicloud.core.ledger.reading import Head
    from airflow_multicloud.core.replication.catalog import Listed


@dataclass
class Checked:
    """One replica, and how it was when it was looked at last.

    :param killed: runs that were, and may count as under way.
    :param apart: objects that are not those that are recorded, since others wrote or a run died.
    """

    end: Endpoint
    source: Source
    head: Head | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)

    def check(self, *, disturbed: Collection[str], killed: Collection[str]) -> None:
        """Look at everything.

        :param disturbed: names that others have changed here since.
        :param killed: runs that died since.
        """
        self.killed.update(killed)
        head = reading.newest(self.end)
        if head is None:
            return
        self._is_a_chain(head)
        found = list(head.entries(self.end.location.key))
        assert all(one.key < other.key for one, other in pairwise(found))
        now = {self._name(entry): entry for entry in found}
        there = {listed.name: listed for listed in pages.listing(self.end)}
        for entry in found:
            self._tells_the_truth(entry)
        self._lost_nothing(now, there)
        recorded_otherwise = {
            name
            for name, entry in now.items()
            if entry.current and entry.proof and not _holds(entry, there.get(name))
        }
        if not killed:
            assert recorded_otherwise <= self.apart | set(disturbed)
        self.apart = recorded_otherwise
        for prefix in ("", "x/"):
            self._is_as_fresh_as_it_says(head, now, prefix)
        for name, entry in now.items():
            if not _is_strange(entry.proof.origin.uri if entry.proof else ""):
                self._has_what_it_says(name, entry, looks.as_of(entry, head.commit.looks))
        assert {run.identity.run_id for run in head.commit.open_runs} <= self.killed
        self.head, self.entries = head, now

    def _name(self, entry: Entry) -> str:
        return entry.key[len(self.end.location.key) :]

    def _is_a_chain(self, head: Head) -> None:
        """Numbers follow each other, and what was committed once stays."""
        before = self.head
        if before is None:
            assert [one.commit.number for one in reading.back_to(head, 0)] == [
                *range(head.commit.number - 1, 0, -1)
            ]
        else:
            assert head.commit.number >= before.commit.number
            assert reading.has(head, before.mark)
            chain = [head, *reading.back_to(head, before.commit.number)]
            assert all(
                one.commit.number == other.commit.number + 1 for one, other in pairwise(chain)
            )
        assert not head.commit.restarted

    def _tells_the_truth(self, entry: Entry) -> None:
        """What is recorded as proven were these bytes, in this version."""
        proof = entry.proof
        if proof is None:
            return
        content = bytes(self.end.store.get_object(self.end.ref(entry.key, proof.version)).read())
        assert proof.size == len(content)
        assert is_of(proof.digests, content)

    def _lost_nothing(self, now: dict[str, Entry], there: dict[str, Listed]) -> None:
        """What was proven and still lies there is proven."""
        for name, before in self.entries.items():
            if _holds(before, there.get(name)):
                assert name in now, f"{name} was proven, lies there, and is forgotten"
                assert _holds(now[name], there.get(name)), f"{name} was proven, and lies there"

    def _is_as_fresh_as_it_says(self, head: Head, now: dict[str, Entry], prefix: str) -> None:
        place = self.end.location.key + prefix
        fresh = looks.freshness(head.commit.looks, place)
        if fresh.as_of is None:
            return
        around = [one for one in fresh.looks if place.startswith(one.prefix)]
        if any(_is_strange(one.source) for one in around):
            return  # It is another source's as well, which this model knows nothing of.
        for name in self.source.history:
            key = self.end.location.key + name
            if not key.startswith(place):
                continue
            had, entry = self.source.at(name, fresh.as_of), now.get(name)
            if had is None:
                continue
            telling = [
                look
                for look in fresh.looks
                if self._takes(look, key, had, fresh.as_of)
                and (_is_ours(entry) or not _is_taken_over(look, head.commit.looks))
            ]
            if not telling:
                continue
            changed = len(self.source.since(name, fresh.as_of)) > 1
            if changed and not (_is_ours(entry) or any(_knew(head, one, key) for one in telling)):
                continue  # Never seen before and changed since: it counts as made then.
            self._has_what_it_says(name, entry, fresh.as_of)

    def _takes(self, look: Look, key: str, content: bytes, moment: datetime) -> bool:
        """Whether a look was at an object as it was then."""
        chosen = look.selection
        if not key.startswith(look.prefix) or _is_strange(look.source):
            return False
        name = key[len(look.prefix) :]
        when = max(
            at for at, _ in self.source.history[key[len(self.end.location.key) :]] if at < moment
        )
        return (
            selections.admits(chosen, name)
            and (chosen.min_size is None or len(content) >= chosen.min_size)
            and (chosen.max_size is None or len(content) <= chosen.max_size)
            and (chosen.max_age is None or (look.started - when).total_seconds() <= chosen.max_age)
        )

    def _has_what_it_says(self, name: str, entry: Entry | None, moment: datetime | None) -> None:
        """The replica has an object as the source had it at a moment, or later.

        What another source has put there is none of this one's: as if nothing were there.
        """
        if moment is None:
            return
        states = self.source.since(name, moment)
        if entry is None or entry.proof is None or entry.gone is not None or not _is_ours(entry):
            assert None in states, f"{name} was there at {moment} and since"
            return
        digests = entry.proof.digests
        assert any(state is not None and is_of(digests, state) for state in states), (
            f"{name} is not as it was at {moment} or later"
        )

    def is_as_the_source(self) -> None:
        """The replica has exactly what the source has, and proves it."""
        ours = contents(self.source.end)
        theirs = contents(self.end)
        assert theirs == ours, f"{theirs} instead of {ours}"
        head = reading.newest(self.end)
        assert head is not None
        found = {self._name(entry): entry for entry in head.entries(self.end.location.key)}
        there = {listed.name: listed for listed in pages.listing(self.end)}
        assert {name for name, entry in found.items() if entry.owed} == ours.keys()
        assert all(_holds(found[name], there[name]) and found[name].current for name in ours)
        fresh = looks.freshness(head.commit.looks, self.end.location.key)
        assert fresh.covered
        report = verify(self.end, clock=_impatient(self.source.clock))
        assert (report.proven, report.objects, report.as_of) == (True, len(ours), fresh.as_of)


def _impatient(clock: Clock) -> under_way.Clock:
    """A clock on which waiting takes no time at all."""
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds

    return under_way.Clock(clock.now, lambda: waited[0], sleep)


def _is_ours(entry: Entry | None) -> bool:
    """Whether it is a copy of the source's that is recorded."""
    return entry is not None and not (entry.proof and _is_strange(entry.proof.origin.uri))


def _is_taken_over(look: Look, known: Collection[Look]) -> bool:
    """Whether another source was looked at where a look was, as if the source had moved there.

    What became of an object since then is that one's, which the model knows nothing of.
    """
    return any(
        _is_strange(one.source)
        and one.selection == looks.ALL
        and look.prefix.startswith(one.prefix)
        and one.as_of >= look.as_of
        for one in known
    )


def _knew(head: Head, look: Look, key: str) -> bool:
    """Whether something was recorded of a key when a look was over."""
    run = (look.run_id, look.started, look.prefix, look.selection)
    for one in (head, *reading.back_to(head, 0)):
        if run not in {(of.run_id, of.started, of.prefix, of.selection) for of in one.commit.looks}:
            break
        head = one
    return head.entry(key) is not None


def _is_strange(uri: str) -> bool:
    return uri.startswith(f"mem://{STRANGER}@")


def _holds(entry: Entry, there: Listed | None) -> bool:
    return entry.proof is not None and there is not None and holds(entry.proof, there)

"""What a run's last commit says of all objects of its selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import looks, selections
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.items import Item, Untouched
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.core.replication.strangers import Strangers, strange


class Coverage:
    """Counts what a run's last commit says of all objects of its selection.

    :param seen: the looks of the ledger as the run read it: whose are the entries it counts.
    """

    def __init__(
        self,
        run: Run,
        destination: Endpoint,
        base: Base,
        untouched: Untouched = Untouched(),
        *,
        seen: Iterable[Look] = (),
    ) -> None:
        self._run = run
        self._prefix = destination.location.key
        self._looks = base.looks
        self._seen = tuple(seen)
        self._untouched = untouched
        self.begin()
        self._plain = self._look(run.as_of)

    def begin(self) -> None:
        """Count from the start: changes are gone through for each try of a commit."""
        self._tree = MerkleTree()
        self._objects = self._proven = self._untouched.objects
        self._bytes, self._newest = self._untouched.bytes, self._untouched.newest
        self._behind = self._left_out = self._strangers = 0
        self._theirs = Strangers(self._seen)
        self._never = False
        self._since: datetime | None = None
        self._as_of = self._run.as_of

    def untouched(self, name: str, entry: Entry) -> None:
        """Take in one name that is untouched; it is among the numbers already."""
        if entry.proof is None:
            raise AssertionError(f"{name!r} is untouched, and nothing is proven of it")
        self._tree.add(name, entry.proof.size, entry.proof.digests)

    def settled(self, leaves: Sequence[bytes]) -> None:
        """Take in names that are, by the hashes of their leaves."""
        self._tree.extend(leaves)

    def count(self, name: str, entry: Entry | None, item: Item | None, index: int) -> None:
        """Count one name."""
        if item is not None:
            self._objects += 1
            self._bytes += item.size
            self._newest = max(self._newest or item.modified, item.modified)
            outcome = item.replicas[index].outcome
            if outcome is not None and not outcome.owed:
                self._left_out += 1
            elif entry is not None and entry.behind is not None:
                self._is_behind(entry.behind.since)
            elif outcome is not None and outcome.proven:
                self._proven += 1
        elif entry is not None and selections.admits(self._run.selection, name):
            others = strange(entry, self._run.origin_of(name))
            self._strangers += bool(others)
            for uri in others:
                self._theirs.add(entry.key, uri)
        if entry is not None and entry.current and entry.proof is not None:
            self._tree.add(name, entry.proof.size, entry.proof.digests)

    def pass_over(self, name: str, entry: Entry, listed: Listed) -> None:
        """An object that the source has, and that does not take part: by its size or age.

        When it is another one by now, nothing tells since when: perhaps since the last look. Where
        another source has put its own here, nothing tells of any time.
        """
        proof, behind, origin = entry.proof, entry.behind, self._run.origin_of(name)
        about = behind or proof
        if about is None:
            return
        ours = about.origin.uri == origin
        if behind is not None or not ours:
            late = listed.modified > self._run.as_of
            if late and selections.admits(self._run.selection, name):
                self._is_behind(behind.since if behind is not None and ours else None)
        elif proof is not None and looks.within(proof, entry.key, self._plain):
            if proof.is_about(origin, listed.etag, listed.size):
                return
            if (since := looks.as_of(entry, self._looks)) is not None:
                self._as_of = min(self._as_of, since)

    def _is_behind(self, since: datetime | None) -> None:
        self._behind += 1
        self._never = self._never or since is None
        if since is not None:
            self._since = min(self._since or since, since)

    @property
    def root(self) -> str:
        """Over what is proven below the prefix."""
        return self._tree.root()

    def stays(self, look: Look) -> bool:
        """Whether there may be objects that only a look at another source tells of."""
        return self._theirs.stay_of(look)

    def look(self) -> Look | None:
        """What was found; ``None`` for a single object, of which its entry says all."""
        return self._look(self._as_of) if self._run.whole else None

    def _look(self, as_of: datetime) -> Look:
        return Look(
            prefix=self._prefix,
            source=self._run.source,
            selection=self._run.selection,
            as_of=as_of,
            run_id=self._run.run_id,
            started=self._run.started,
            finished=datetime.now(UTC),
            objects=self._objects,
            proven=self._proven,
            behind=self._behind,
            left_out=self._left_out,
            strangers=self._strangers,
            bytes=self._bytes,
            since=None if self._never else self._since,
            newest=self._newest,
        )

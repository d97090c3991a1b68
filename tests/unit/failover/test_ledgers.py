"""The ledger of one copy, looked into for one object after the other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.failover import ledgers as ledgers_module
from airflow_multicloud.core.failover.ledgers import CopyLedger
from airflow_multicloud.core.failover.references import blaming, reference_of
from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import behind, damage, write
from tests.unit.failover.stores import named
from tests.unit.ledger.made import NOON, at, entry, look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta


@pytest.fixture
def end() -> Endpoint:
    return named("r")


class TestEntries:
    """As the whole ledger has them, each looked up in one segment of each run at most."""

    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The first keys of the segments that were read."""
        read: list[str] = []
        real = segments.read
        monkeypatch.setattr(segments, "ENTRIES", 2)
        monkeypatch.setattr(segments, "read", lambda e, ref: read.append(ref.first) or real(e, ref))
        return read

    def test_the_newest_of_a_key_counts(self, end: Endpoint, read: list[str]) -> None:
        def run(*found: tuple[str, bytes | None]) -> segments.Run:
            return segments.write(
                end, [Entry(k, removed=True) if c is None else entry(k, c) for k, c in found]
            )

        runs = (
            run(("a", b"old"), ("c", b"old"), ("e", b"old"), ("g", b"old"), ("i", b"old")),
            run(("c", b"new"), ("e", None), ("h", b"new")),
        )
        recent = (entry("a", b"newest"), Entry("i", removed=True), entry("z", b"newest"))
        head = write(end, *recent, segments=runs)
        ledger = CopyLedger(end)
        expected = {"a": b"newest", "c": b"new", "g": b"old", "h": b"new", "z": b"newest"}
        for key in "abcdefghiyz0":
            found = ledger.entry(head, key)
            content = expected.get(key)
            assert found == (None if content is None else entry(key, content)), key
            assert found == head.entry(key)
        assert ledger.entry(head, "zz") is None

    def test_a_segment_is_read_only_for_keys_that_it_may_have(
        self, end: Endpoint, read: list[str]
    ) -> None:
        head = write(end, segments=(segments.write(end, [entry(key) for key in "bdfh"]),))
        ledger = CopyLedger(end)
        for key in "aei":
            assert ledger.entry(head, key) is None
        assert read == []
        assert ledger.entry(head, "d") == entry("d")
        assert ledger.entry(head, "c") is None
        assert read == ["b"]

    def test_of_each_run_one_segment_is_held_and_one_more(
        self, end: Endpoint, read: list[str]
    ) -> None:
        head = write(end, segments=(segments.write(end, [entry(key) for key in "abcdef"]),))
        ledger = CopyLedger(end)
        for key in "abcdab":  # two segments of one run
            ledger.entry(head, key)
        assert read == ["a", "c"]
        ledger.entry(head, "e")  # instead of the one used longest ago
        ledger.entry(head, "a")
        assert read == ["a", "c", "e"]
        ledger.entry(head, "c")
        assert read == ["a", "c", "e", "c"]


class TestHead:
    def test_it_is_read_once(self, end: Endpoint) -> None:
        ledger = CopyLedger(end)
        first = write(end)
        assert ledger.head() == first
        write(end, number=2)
        assert ledger.head() == first

    def test_newer_commits_are_looked_for_once_a_second(
        self, end: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = SimpleNamespace(now=5.0)
        monkeypatch.setattr(ledgers_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
        ledger, first = CopyLedger(end), write(end)
        assert ledger.newer(None) == first  # it was not read yet
        assert ledger.newer(first) is None
        second = write(end, number=2)
        clock.now += 0.75
        assert ledger.newer(first) is None
        clock.now += 0.25
        assert ledger.newer(first) == second
        assert ledger.newer(second) is None
        third = write(end, number=3)
        clock.now += 0.75  # since it was read last
        assert ledger.newer(second) is None
        clock.now += 0.25
        assert ledger.newer(second) == third == ledger.head()

    def test_one_that_is_gone_is_not_newer(self, end: Endpoint) -> None:
        assert CopyLedger(end).newer(None) is None
        assert CopyLedger(end).newer(write(named("other"))) is None

    @pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND])
    def test_what_may_not_be_read_is_no_ledger(self, kind: ErrorKind) -> None:
        """Reading the object itself tells what is the matter."""
        assert CopyLedger(named("closed", closed(kind))).head() is None

    def test_an_outage_is_told_and_it_is_asked_again(self) -> None:
        ledger = CopyLedger(named("down", closed(ErrorKind.UNAVAILABLE)))
        for _ in range(2):
            with pytest.raises(StorageError, match="closed"):
                ledger.head()

    def test_damage_is_told(self, end: Endpoint) -> None:
        damage(end)
        with pytest.raises(CloudError) as caught:
            CopyLedger(end).head()
        assert caught.value.kind is ErrorKind.INTEGRITY


def closed(kind: ErrorKind) -> type[object_store.Hook]:
    class Closed(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            raise StorageError("closed", kind=kind)

    return Closed


class TestReferences:
    """What an entry says to who wants to read the object."""

    def of(self, found: Entry, *looks: Any) -> Any:
        return reference_of(found, looks, "mem://r/a")

    def test_a_current_object(self) -> None:
        one = entry("a")
        known = self.of(one, look("", 60, source="mem://lab/"))
        assert known.as_of == at(60)
        assert (known.entry, known.proof, known.owed) == (one, one.proof, True)
        assert (known.unsound, known.left_out, known.findings) == (None, False, ())
        assert known.contract.digests == one.proof.digests
        assert (known.contract.size, known.contract.by) == (1, "ledger")

    def test_without_digests_there_is_no_contract(self) -> None:
        one = entry("a")
        bare = changed(one, proof=changed(one.proof, digests=Digests()))
        assert self.of(bare).contract is None

    def test_one_that_is_behind(self) -> None:
        known = self.of(behind(entry("a")))
        assert known.as_of == NOON
        (finding,) = known.findings
        assert finding == (
            "mem://r/a is older than what the source had at 2026-01-02T12:00:00+00:00, whose copy "
            "failed (failed in run later: no room): as of 2026-01-01T12:00:00+00:00"
        )
        (finding,) = self.of(behind(entry("a"), since=None)).findings
        assert finding.endswith(": it is not known since when")

    def test_one_that_is_gone_is_as_old_as_that_at_most(self) -> None:
        for gone, since, as_of in (
            (at(9), at(5), at(5)),
            (at(5), at(9), at(5)),
            (at(5), None, at(5)),
        ):
            known = self.of(changed(behind(entry("a"), since=since), gone=gone))
            assert known.as_of == as_of
            assert not known.owed
            assert known.findings[1].startswith("mem://r/a was not at the source any more at 2026")

    def test_one_that_was_never_proven(self) -> None:
        failed = self.of(behind(entry("a"), proven=False))
        assert failed.unsound == "failed in run later: no room"
        assert (failed.left_out, failed.owed, failed.contract) == (False, True, None)
        reserved = self.of(behind(entry("a"), proven=False, outcome=Outcome.RESERVED))
        assert (reserved.left_out, reserved.owed) == (True, False)
        nothing = self.of(Entry("a"))
        assert nothing.unsound == "its ledger proves nothing of it"
        assert not nothing.left_out

    def test_what_a_ledger_says_is_printable(self) -> None:
        (finding,) = self.of(behind(entry("a"), reason="x\x1b[2J")).findings
        assert "\x1b" not in finding


class TestBlame:
    """Whatever reading a copy raises is that copy's failure."""

    def raised(self, end: Endpoint, err: BaseException) -> BaseException:
        with pytest.raises(BaseException) as caught, blaming(end, "listed"):  # noqa: PT011
            raise err
        return caught.value

    def test_what_breaks_the_reader_is_told_in_short(self, end: Endpoint) -> None:
        broken = ValueError("x" * 300)
        err = self.raised(end, broken)
        assert isinstance(err, StorageError)
        assert (err.kind, err.cloud, err.__cause__) == (ErrorKind.INTEGRITY, "memory", broken)
        assert str(err) == f"{end.location} could not be listed: ValueError: {'x' * 200}"

    @pytest.mark.parametrize(
        "err",
        [
            StorageError("down", kind=ErrorKind.UNAVAILABLE),
            cancellation.WorkCancelledError("told to stop"),
            KeyboardInterrupt(),
        ],
    )
    def test_what_is_understood_stays_as_it_is(self, end: Endpoint, err: BaseException) -> None:
        assert self.raised(end, err) is err

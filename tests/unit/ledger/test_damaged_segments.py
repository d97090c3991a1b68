"""A damaged segment costs what it said, and never another replica of the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.core import upload_record
from airflow_multicloud.core.ledger import commits, reading, segments
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.names import segment_key
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import conn_of, endpoint, ledger

from .made import NOON, commit, entry

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.refs import SegmentRef
    from airflow_multicloud.core.ledger.segments import Run
    from airflow_multicloud.ports.object_store import ObjectRef


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    monkeypatch.setattr(segments, "ENTRIES", 2)


@pytest.fixture
def end() -> Endpoint:
    return endpoint("")


def written(end: Endpoint, keys: str) -> Run:
    return segments.write(end, [entry(key) for key in keys])


def damage(end: Endpoint, ref: SegmentRef) -> None:
    end.store.put_object(end.ref(segment_key(ref.sha256)), b"?")


class TestCompaction:
    @pytest.mark.parametrize("damaged", [0, 1])
    def test_runs_that_can_not_be_read_stay_as_they_are(self, end: Endpoint, damaged: int) -> None:
        runs = (written(end, "abcdefghij"), written(end, "acgj"), written(end, "aei"))
        damage(end, runs[2][damaged])
        assert segments.compacted(end, runs) == runs

    def test_what_is_older_is_not_looked_at_then(self, end: Endpoint) -> None:
        """Which would be so much as a repair of what others may still need as it is."""
        runs = (written(end, "ac"), written(end, "ab"), written(end, "a"))
        damage(end, runs[1][0])
        assert segments.compacted(end, runs) == runs

    def test_those_that_can_be_read_are_joined(self, end: Endpoint) -> None:
        runs = (written(end, "ab"), written(end, "ac"))
        (joined,) = segments.compacted(end, runs)
        found = segments.merged(end, [joined], ())
        assert [one.key for one in found] == ["a", "b", "c"]

    def test_a_store_that_can_not_be_read_now_is_another_matter(self, end: Endpoint) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                raise StorageError("not today", kind=ErrorKind.TIMEOUT)

        runs = (written(end, "ab"), written(end, "ac"))
        away = type(end)(end.cloud, Away(conn_of(end)), end.location)
        with pytest.raises(StorageError, match="not today"):
            segments.compacted(away, runs)

    def test_another_replica_of_the_bucket_goes_on(self, end: Endpoint) -> None:
        commit(end, [entry("one/a"), entry("one/b"), entry("one/c")])
        (run,) = ledger(end).commit.segments
        damage(end, run[0])
        commit(end, [entry("one/0"), entry("two/a")])
        assert [one.key for one in ledger(end).entries("two/")] == ["two/a"]
        assert ledger(end).commit.restarted is None
        with pytest.raises(StorageError) as raised:
            list(ledger(end).entries("one/"))
        assert raised.value.kind is ErrorKind.INTEGRITY


def uploaded(
    end: Endpoint, key: str, outcome: Outcome = Outcome.COPIED, etag: str = "e"
) -> reading.Head | None:
    """The commit that an upload made."""
    content = entry(key)
    assert content.proof is not None
    mark = upload_record.record_upload(
        type(end)(end.cloud, end.store, end.location.with_key(key)),
        "file.csv",
        1,
        content.proof.digests,
        etag=etag,
        version="v",
        outcome=outcome,
        started=NOON,
    )
    if mark is None:
        return None
    head = ledger(end)
    assert head.mark == mark
    return head


class TestUpload:
    def test_a_bucket_without_a_ledger_gets_none(self, end: Endpoint) -> None:
        assert uploaded(end, "a") is None
        assert reading.newest(end) is None

    @pytest.mark.parametrize(
        ("outcome", "confirmed"), [(Outcome.COPIED, "crc32c"), (Outcome.VERIFIED, "sha256")]
    )
    def test_it_is_a_fact_about_the_object(
        self, end: Endpoint, outcome: Outcome, confirmed: str
    ) -> None:
        commit(end, [entry("b")])
        head = uploaded(end, "a", outcome)
        assert head is not None
        assert (head.commit.step, head.commit.prefix) == (Step.UPLOAD, "a")
        assert (head.commit.source, head.commit.started) == ("file:file.csv", NOON)
        known = head.entry("a")
        assert known is not None
        assert known.proof is not None
        assert (known.proof.origin.uri, known.proof.as_of) == ("file:file.csv", NOON)
        assert (known.proof.etag, known.proof.version) == ("e", "v")
        assert (known.proof.outcome, known.proof.confirmed) == (outcome, confirmed)
        assert head.entry("b") == entry("b")

    @pytest.mark.parametrize(
        ("etag", "outcome", "before", "recorded"),
        [
            ("e", Outcome.VERIFIED, Outcome.COPIED, False),
            ("another", Outcome.VERIFIED, Outcome.COPIED, True),
            ("e", Outcome.REPLACED, Outcome.COPIED, True),
            ("e", Outcome.VERIFIED, Outcome.UNVERIFIABLE, True),
        ],
    )
    def test_what_is_known_as_it_is_takes_no_commit(
        self, end: Endpoint, etag: str, outcome: Outcome, before: Outcome, recorded: bool
    ) -> None:
        known = entry("a")
        assert known.proof is not None
        commit(end, [replace(known, proof=replace(known.proof, outcome=before))])
        assert (uploaded(end, "a", outcome, etag) is not None) is recorded

    @pytest.mark.parametrize("outcome", [Outcome.COPIED, Outcome.VERIFIED])
    def test_a_segment_that_is_damaged_stops_no_upload(
        self, end: Endpoint, outcome: Outcome
    ) -> None:
        commit(end, [entry("a"), entry("b")])
        ((ref,),) = ledger(end).commit.segments
        damage(end, ref)
        head = uploaded(end, "a", outcome)
        assert head is not None
        known = head.entry("a")
        assert known is not None
        assert known.proof is not None
        assert known.proof.origin.uri == "file:file.csv"
        # The next replication finds out what is the matter.
        assert head.commit.restarted is None
        with pytest.raises(StorageError) as raised:
            head.entry("b")
        assert raised.value.kind is ErrorKind.INTEGRITY

    def test_one_that_can_not_be_asked_for_is_another_matter(self, end: Endpoint) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                if "/segments/" in ref.key:
                    raise StorageError("not today", kind=ErrorKind.TIMEOUT)
                return super().get_object(ref, **limits)

        commit(end, [entry("a"), entry("b")])
        away = type(end)(end.cloud, Away(conn_of(end)), end.location)
        with pytest.raises(StorageError, match="not today"):
            uploaded(away, "a")

    def test_a_ledger_that_is_damaged_is_started_over_by_no_upload(self, end: Endpoint) -> None:
        made = commit(end, [entry("a")])
        assert made.head is not None
        key = made.head.uri.partition(f"{end.bucket}/")[2]
        end.store.put_object(end.ref(key), b"?")
        assert uploaded(end, "b") is None
        with pytest.raises(StorageError, match="damaged"):
            reading.newest(end)

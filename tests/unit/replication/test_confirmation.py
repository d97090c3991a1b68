"""What was written to a store whose answer shows no digest: what it says of it afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, conn_of, ledger, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

#: So many are asked for one by one; one more, and they are looked for in a listing.
FEW, MANY = 8, 9
BOTH = pytest.mark.parametrize("count", [FEW, MANY])


class Mute(object_store.Hook):
    """Its answer to a write shows no digest; what it tells later is ``told``.

    :param refuses: the kind of error that it answers with later.
    """

    def __init__(
        self,
        conn_id: str,
        told: Callable[[ObjectMeta], ObjectMeta] = lambda meta: meta,
        refuses: ErrorKind | None = None,
    ) -> None:
        super().__init__(conn_id)
        self._told, self._refuses = told, refuses
        self.written = self.asked = self.listed = 0

    def _fail(self) -> None:
        if self.written and self._refuses is not None:
            raise StorageError("not now", kind=self._refuses)

    def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
        meta = super().put_object(ref, *given, **named)
        if ref.key.startswith(RESERVED_PREFIX):
            return meta
        self.written += 1
        return replace(meta, digests=Digests(), etag=self.etag(meta))

    def etag(self, meta: ObjectMeta) -> str:
        """Of the write, as its answer has it."""
        return meta.etag

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        if not ref.key.startswith(RESERVED_PREFIX):
            self.asked += 1
            self._fail()
        return self._told(super().stat_object(ref))

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        own = prefix.startswith(RESERVED_PREFIX)
        self.listed += not own
        for number, meta in enumerate(super().list_objects(bucket, prefix)):
            if number == 1 and not own:
                self._fail()
            yield meta if own else self._told(meta)


class Anonymous(Mute):
    """Tells no ETags."""

    def etag(self, meta: ObjectMeta) -> str:
        return ""


def run(count: int, store: Callable[[str], Mute]) -> tuple[ReplicationReport, Mute]:
    made = world({f"k{number}": b"content" for number in range(count)})
    hook = store(conn_of(made.destinations[0]))
    options = replace(SMALL, min_success_ratio=0)
    return replicate(made.with_destination(hook).replication(options)), hook


def outcomes(report: ReplicationReport) -> dict[Outcome, int]:
    return dict(report.destinations[0].outcomes)


def test_few_are_asked_for_one_by_one_and_many_cost_one_listing() -> None:
    report, store = run(FEW, Mute)
    assert outcomes(report) == {Outcome.COPIED: FEW}
    assert (store.asked, store.listed) == (FEW, 1)  # The one that a run begins with.
    report, store = run(MANY, Mute)
    assert outcomes(report) == {Outcome.COPIED: MANY}
    assert (store.asked, store.listed) == (0, 2)


def test_what_is_confirmed_is_recorded_as_any_other() -> None:
    made = world({"a": b"content"})
    (end,) = made.destinations
    replicate(made.with_destination(Mute(conn_of(end))).replication())
    (entry,) = ledger(end).entries()
    assert entry.proof is not None
    assert (entry.proof.outcome, entry.proof.confirmed) == (Outcome.COPIED, "sha256")


@BOTH
def test_what_was_replaced_meanwhile_is_a_conflict(count: int) -> None:
    def another(meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, etag="another")

    class Raced(Mute):
        def etag(self, meta: ObjectMeta) -> str:
            return "ours"

    report, _ = run(count, lambda conn_id: Raced(conn_id, another))
    assert outcomes(report) == {Outcome.CONFLICT: count}
    assert report.failures[0].kind is ErrorKind.PRECONDITION_FAILED
    assert "another writer replaced the object" in str(report.failures[0])


@BOTH
def test_what_is_gone_is_a_conflict(count: int) -> None:
    class Losing(Mute):
        def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
            meta = super().put_object(ref, *given, **named)
            if not ref.key.startswith(RESERVED_PREFIX):
                self.delete_object(ref)
            return meta

    report, _ = run(count, Losing)
    assert outcomes(report) == {Outcome.CONFLICT: count}
    assert report.failures[0].kind is ErrorKind.PRECONDITION_FAILED
    assert "another writer deleted the object" in str(report.failures[0])


@BOTH
def test_another_digest_refutes_the_write(count: int) -> None:
    def other(meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, digests=Digests(md5=digests_of(b"other").md5))

    report, _ = run(count, lambda conn_id: Mute(conn_id, other))
    assert outcomes(report) == {Outcome.FAILED: count}
    assert report.failures[0].kind is ErrorKind.INTEGRITY
    assert "the store's md5 differs" in str(report.failures[0])


def test_where_nothing_tells_it_stays_unverifiable() -> None:
    report, _ = run(1, lambda conn_id: Mute(conn_id, lambda meta: replace(meta, digests=Digests())))
    assert outcomes(report) == {Outcome.UNVERIFIABLE: 1}


def test_what_cant_be_looked_up_one_by_one_stays_unverifiable() -> None:
    report, store = run(FEW, lambda conn_id: Mute(conn_id, refuses=ErrorKind.THROTTLED))
    assert store.asked == FEW
    assert outcomes(report) == {Outcome.UNVERIFIABLE: FEW}


def test_a_listing_that_breaks_confirms_what_it_showed_and_refutes_nothing() -> None:
    report, _ = run(MANY, lambda conn_id: Mute(conn_id, refuses=ErrorKind.THROTTLED))
    assert outcomes(report) == {Outcome.COPIED: 1, Outcome.UNVERIFIABLE: MANY - 1}


@pytest.mark.parametrize(
    ("content", "store", "expected"),
    [
        (b"content", Mute, Outcome.COPIED),
        (b"other", Mute, Outcome.FAILED),
        # Without an ETag it may be another object, whose writer declared this.
        (b"content", Anonymous, Outcome.UNVERIFIABLE),
        (b"other", Anonymous, Outcome.UNVERIFIABLE),
    ],
)
def test_a_declared_digest_counts_with_the_etag_of_the_write(
    content: bytes, store: type[Mute], expected: Outcome
) -> None:
    def declared(meta: ObjectMeta) -> ObjectMeta:
        digests = Digests(md5=digests_of(content).md5)
        etag = meta.etag if store is Mute else ""
        return replace(meta, etag=etag, digests=Digests(), declared=digests)

    report, _ = run(1, lambda conn_id: store(conn_id, declared))
    assert outcomes(report) == {expected: 1}


@pytest.mark.parametrize(
    ("name", "expected"), [("sha256", Outcome.COPIED), ("crc32c", Outcome.UNVERIFIABLE)]
)
def test_without_an_etag_the_digest_must_identify_the_content(name: str, expected: Outcome) -> None:
    def only(meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, etag="", digests=Digests(**{name: getattr(meta.digests, name)}))

    report, _ = run(1, lambda conn_id: Anonymous(conn_id, only))
    assert outcomes(report) == {expected: 1}


@BOTH
def test_what_one_destination_confirms_stays_when_the_next_one_is_asked(count: int) -> None:
    lab = world({f"k{n}": b"%d" % n for n in range(count)}, destinations=2)
    for index, end in enumerate(lab.destinations):
        lab = lab.with_destination(Mute(conn_of(end)), index)
    report = replicate(lab.replication())
    assert [one.outcomes for one in report.destinations] == [{Outcome.COPIED: count}] * 2

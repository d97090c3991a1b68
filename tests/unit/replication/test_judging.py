"""What becomes of one object that is verified: by the ledger, a listing, a look, its bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.judging import (
    Depth,
    Finding,
    Found,
    by_listing,
    look_afresh,
    look_closer,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at, proof

from .memory import conn_of, endpoint, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

GOOD, EVIL = b"good", b"evil"
PROOF = proof(GOOD)
ENTRY = Entry("copy/a", PROOF)
THE_ONE = Listed("a", 4, "e", None, at(0), Digests())
ANOTHER = changed(THE_ONE, etag="another")
LATE = Behind(Outcome.FAILED, "late", Origin("mem://lab/a"), 9, at(60), None, "too late", at(30))

NOT_READ = [Depth.CHECKSUMS, Depth.AUTO]


def proven(**changes: Any) -> Entry:
    return Entry("copy/a", changed(PROOF, **changes))


def finding(
    listed: Listed | None, depth: Depth = Depth.AUTO, entry: Entry = ENTRY
) -> Finding | None:
    found = by_listing("a", entry, listed, depth)
    return found.finding if found else None


@pytest.mark.parametrize("depth", Depth)
class TestByListing:
    def test_what_was_left_out_is_neither_there_nor_missing(self, depth: Depth) -> None:
        kept = changed(LATE, outcome=Outcome.RESERVED, reason="kept")
        for entry in (Entry("copy/a", None, kept), Entry("copy/a", PROOF, kept)):
            found = by_listing("a", entry, THE_ONE, depth)
            assert found == Found("a", Finding.RESERVED, "reserved: kept")

    def test_what_was_never_proven_was_not_replicated(self, depth: Depth) -> None:
        found = by_listing("a", Entry("copy/a", None, LATE), THE_ONE, depth)
        assert found == Found("a", Finding.NOT_REPLICATED, "failed: too late")
        found = by_listing("a", Entry("copy/a"), THE_ONE, depth)
        assert found == Found("a", Finding.NOT_REPLICATED, "the ledger proves nothing of it")

    def test_what_is_not_there_is_missing(self, depth: Depth) -> None:
        found = by_listing("a", ENTRY, None, depth)
        assert found == Found("a", Finding.MISSING, "there is no object of this key")

    def test_the_object_of_the_proven_write_is_read_by_read_only(self, depth: Depth) -> None:
        expected = None if depth is Depth.READ else Finding.VERIFIED
        assert finding(THE_ONE, depth) is expected
        assert finding(changed(THE_ONE, digests=digests_of(GOOD)), depth) is expected

    @pytest.mark.parametrize("size", [0, 3, 5])
    def test_another_size_is_another_content(self, depth: Depth, size: int) -> None:
        found = by_listing("a", ENTRY, changed(THE_ONE, size=size), depth)
        assert found == Found("a", Finding.DAMAGED, f"{size} bytes instead of 4")
        found = by_listing("a", ENTRY, changed(ANOTHER, size=size), depth)
        why = f"it was written again: {size} bytes instead of 4"
        assert found == Found("a", Finding.CHANGED, why)

    @pytest.mark.parametrize("name", ["sha256", "md5", "crc32c"])
    def test_another_digest_is_another_content(self, depth: Depth, name: str) -> None:
        shown = replace(digests_of(GOOD), **{name: getattr(digests_of(EVIL), name)})
        why = f"the store's {name} differs from the ledger's"
        entry = proven(confirmed="md5")
        found = by_listing("a", entry, changed(THE_ONE, digests=shown), depth)
        assert found == Found("a", Finding.DAMAGED, why)
        found = by_listing("a", entry, changed(ANOTHER, digests=shown), depth)
        assert found == Found("a", Finding.CHANGED, f"it was written again: {why}")

    def test_the_same_content_written_again_is_proven_by_a_digest_that_tells_it(
        self, depth: Depth
    ) -> None:
        good = digests_of(GOOD)
        expected = None if depth is Depth.READ else Finding.VERIFIED
        assert finding(changed(ANOTHER, digests=Digests(sha256=good.sha256)), depth) is expected
        assert finding(changed(ANOTHER, digests=Digests(md5=good.md5)), depth) is expected
        assert finding(changed(ANOTHER, digests=Digests(crc32c=good.crc32c)), depth) is None
        assert finding(ANOTHER, depth) is None

    def test_an_etag_may_only_look_like_an_md5(self, depth: Depth) -> None:
        """Listings of S3 do not say which objects are encrypted with KMS."""
        etag = digests_of(EVIL).md5 or ""
        other = changed(THE_ONE, etag=etag, digests=Digests(md5=etag))
        assert finding(other, depth) is None
        told = changed(other, digests=Digests(md5=etag, crc32c=digests_of(EVIL).crc32c))
        assert finding(told, depth) is Finding.CHANGED
        # What S3 has confirmed by it holds the MD5 of its content as its ETag.
        confirmed = finding(other, depth, proven(etag=etag, confirmed="md5"))
        assert confirmed is Finding.DAMAGED
        kms = finding(other, depth, proven(etag=etag, confirmed="crc32c"))
        assert kms is (None if depth is Depth.READ else Finding.VERIFIED)

    def test_the_copy_of_what_is_behind_is_judged_too(self, depth: Depth) -> None:
        entry = Entry("copy/a", PROOF, LATE)
        found = by_listing("a", entry, changed(THE_ONE, size=5), depth)
        assert found is not None
        assert found.finding is Finding.DAMAGED
        assert found.reason == (
            "5 bytes instead of 4; this is the copy as of 2026-01-01T12:30:00+00:00, as the "
            "newest one was not made: failed: too late"
        )
        if depth is not Depth.READ:
            found = by_listing("a", entry, THE_ONE, depth)
            why = "failed: too late; what is there is proven, as of 2026-01-01T12:30:00+00:00"
            assert found == Found("a", Finding.NOT_REPLICATED, why)

    def test_a_copy_that_was_never_up_to_date_is_as_of_its_proof(self, depth: Depth) -> None:
        entry = Entry("copy/a", proof(GOOD, minutes=7), changed(LATE, since=None))
        found = by_listing("a", entry, None, depth)
        assert found is not None
        assert "the copy as of 2026-01-01T12:07:00" in found.reason


class Store(object_store.Hook):
    """Says what it is told to say of an object, and gives it in pieces."""

    said: dict[str, Any]
    pieces: tuple[bytes, ...]
    fails: ErrorKind | None = None
    fails_at_stat: ErrorKind | None = None
    given: int

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        if self.fails_at_stat:
            raise StorageError("not today", kind=self.fails_at_stat)
        return replace(super().stat_object(ref), **self.said)

    def get_object(self, ref: ObjectRef, **limits: Any) -> Iterator[bytes]:  # type: ignore[override]
        for piece in self.pieces:
            self.given += len(piece)
            yield piece
        if self.fails:
            raise StorageError("not today", kind=self.fails)


def place(*pieces: bytes, **said: Any) -> tuple[Endpoint, Store]:
    """A replica in which there is one object, as its store tells it."""
    end = endpoint("copy/")
    fill(end, {"a": GOOD})
    store = Store(conn_of(end))
    store.pieces, store.given = pieces, 0
    store.said = {"etag": "another", "version": None, "digests": Digests(), **said}
    return replace(end, store=store), store


def closer(
    end: Endpoint, depth: Depth = Depth.AUTO, entry: Entry = ENTRY, listed: Listed = ANOTHER
) -> tuple[Found, int]:
    return look_closer(end, "a", entry, listed, depth)


class TestCloser:
    @pytest.mark.parametrize("depth", NOT_READ)
    def test_a_stat_may_tell_what_a_listing_does_not(self, depth: Depth) -> None:
        end, _ = place(digests=digests_of(GOOD))
        assert closer(end, depth) == (Found("a", Finding.VERIFIED), 0)
        evil = digests_of(EVIL)
        end, _ = place(etag=evil.md5, digests=Digests(md5=evil.md5))
        why = "it was written again: the store's md5 differs from the ledger's"
        assert closer(end, depth) == (Found("a", Finding.CHANGED, why), 0)

    def test_by_checksums_nothing_is_read(self) -> None:
        why = "the store reports no digest to compare"
        end, store = place(GOOD)
        found = closer(end, Depth.CHECKSUMS)
        assert found == (Found("a", Finding.CHANGED, f"it was written again, and {why}"), 0)
        end, store = place(GOOD, etag="e")
        unconfirmed = proven(outcome=Outcome.UNVERIFIABLE)
        assert closer(end, Depth.CHECKSUMS, unconfirmed) == (
            Found("a", Finding.UNVERIFIABLE, why),
            0,
        )
        assert store.given == 0

    @pytest.mark.parametrize("depth", [Depth.AUTO, Depth.READ])
    def test_what_is_read_is_what_counts(self, depth: Depth) -> None:
        end, _ = place(b"go", b"od")
        assert closer(end, depth) == (Found("a", Finding.VERIFIED), 4)
        end, _ = place(EVIL)
        why = "it was written again: the content's sha256 differs from the ledger's"
        assert closer(end, depth) == (Found("a", Finding.CHANGED, why), 4)

    def test_other_bytes_of_the_proven_write_are_damage(self) -> None:
        end, _ = place(EVIL)
        found = closer(end, Depth.READ, listed=THE_ONE)
        why = "the content's sha256 differs from the ledger's"
        assert found == (Found("a", Finding.DAMAGED, why), 4)
        end, _ = place(GOOD)
        assert closer(end, Depth.READ, listed=THE_ONE) == (Found("a", Finding.VERIFIED), 4)

    def test_by_reading_the_store_is_not_asked_what_it_says(self) -> None:
        end, _ = place(EVIL, digests=digests_of(GOOD))
        assert closer(end, Depth.READ)[0].finding is Finding.CHANGED

    def test_more_than_there_should_be_is_not_read_on(self) -> None:
        end, store = place(b"good", b"!", b"and much more")
        found = closer(end)
        why = "it was written again: its content has more than 4"
        assert found == (Found("a", Finding.CHANGED, why), 5)
        assert store.given == 5

    def test_less_is_named(self) -> None:
        end, _ = place(b"goo")
        why = "it was written again: its content has 3 bytes instead of 4"
        assert closer(end) == (Found("a", Finding.CHANGED, why), 3)

    def test_an_md5_alone_tells_the_content_as_well(self) -> None:
        entry = proven(digests=Digests(md5=digests_of(GOOD).md5))
        end, _ = place(GOOD)
        assert closer(end, entry=entry) == (Found("a", Finding.VERIFIED), 4)
        end, _ = place(EVIL)
        assert closer(end, entry=entry)[0].reason.endswith("md5 differs from the ledger's")

    @pytest.mark.parametrize(
        ("etag", "finding", "reason"),
        [
            ("e", Finding.UNVERIFIABLE, ""),
            ("another", Finding.CHANGED, "it was written again, and "),
        ],
    )
    def test_a_crc32c_alone_does_not(self, etag: str, finding: Finding, reason: str) -> None:
        entry = proven(digests=Digests(crc32c=digests_of(GOOD).crc32c))
        end, _ = place(GOOD, etag=etag)
        why = f"{reason}the ledger has no digest that tells its content"
        assert closer(end, entry=entry) == (Found("a", finding, why), 4)

    @pytest.mark.parametrize("depth", Depth)
    def test_what_is_deleted_meanwhile_is_missing(self, depth: Depth) -> None:
        end, store = place(GOOD)
        store.fails = store.fails_at_stat = ErrorKind.NOT_FOUND
        assert closer(end, depth) == (
            Found("a", Finding.MISSING, "it was deleted meanwhile"),
            0,
        )

    def test_what_can_not_be_read_is_not_told(self) -> None:
        end, store = place(b"go")
        store.fails = ErrorKind.TIMEOUT
        why = "it was written again, and timeout: not today"
        assert closer(end) == (Found("a", Finding.CHANGED, why), 2)
        found = closer(end, Depth.READ, listed=THE_ONE)
        assert found == (Found("a", Finding.UNVERIFIABLE, "timeout: not today"), 2)

    def test_the_copy_of_what_is_behind_is_looked_at_too(self) -> None:
        end, _ = place(GOOD)
        found, read = closer(end, entry=Entry("copy/a", PROOF, LATE))
        assert (found.finding, read) == (Finding.NOT_REPLICATED, 4)
        assert "failed: too late; what is there is proven" in found.reason


class TestAfresh:
    def afresh(self, end: Endpoint, entry: Entry = ENTRY) -> tuple[Found, int]:
        return look_afresh(end, "a", entry, Depth.AUTO)

    def test_what_is_there_now_counts(self) -> None:
        end, _ = place(EVIL, etag="e")
        assert self.afresh(end) == (Found("a", Finding.VERIFIED), 0)
        end, _ = place(GOOD)
        assert self.afresh(end) == (Found("a", Finding.VERIFIED), 4)
        end, _ = place(size=5)
        found, read = self.afresh(end)
        assert (found.finding, read) == (Finding.CHANGED, 0)

    def test_what_is_not_there_is_missing(self) -> None:
        end, store = place()
        store.fails_at_stat = ErrorKind.NOT_FOUND
        assert self.afresh(end)[0].finding is Finding.MISSING

    def test_what_can_not_be_asked_is_not_told(self) -> None:
        end, store = place()
        store.fails_at_stat = ErrorKind.TIMEOUT
        expected = Found("a", Finding.UNVERIFIABLE, "timeout: not today")
        assert self.afresh(end) == (expected, 0)


@pytest.mark.parametrize(
    ("found", "contradicts"),
    [
        (Finding.VERIFIED, False),
        (Finding.DAMAGED, True),
        (Finding.CHANGED, True),
        (Finding.MISSING, True),
        (Finding.UNVERIFIABLE, False),
        (Finding.NOT_REPLICATED, False),
        (Finding.RESERVED, False),
    ],
)
def test_what_contradicts_the_ledger(found: Finding, contradicts: bool) -> None:
    assert found.contradicts is contradicts


def test_a_finding_is_one_line() -> None:
    assert str(Found("a\n", Finding.CHANGED, "b\nc")) == "'a\\n' is changed: b\\nc"

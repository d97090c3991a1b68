"""Large objects that are told by a BLAKE3: copied, found unchanged, verified, and refuted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import blake3
import pytest

from airflow_multicloud import extras
from airflow_multicloud.adapters.digests import BLAKE3_METADATA, SHA256_METADATA, digests_of
from airflow_multicloud.core.ledger import entries
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.engine import plan, replicate
from airflow_multicloud.core.replication.judging import Depth
from airflow_multicloud.core.replication.options import ContentDigest
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.standing import holds
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.adapters.collisions import with_crc32c_of
from tests.unit.ledger.made import at

from .memory import BUCKET, SMALL, World, conn_of, fill, ledger, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef, Part

LARGE = bytes(range(100))  # seven parts
#: Another content that a CRC32C does not tell from it.
FORGED = with_crc32c_of(LARGE, LARGE[::-1])
TREE = {"large": LARGE, "small": b"1"}
READ = digests_of(LARGE)
BY_BLAKE3 = Digests(crc32c=READ.crc32c, blake3=blake3.blake3(LARGE).hexdigest())
BY_SHA256 = replace(READ, md5=None)
DIGEST = {ContentDigest.BLAKE3: BY_BLAKE3, ContentDigest.SHA256: BY_SHA256}

both_ways = pytest.mark.parametrize(
    ("first", "second"), [(*ContentDigest,), (*reversed(ContentDigest),)]
)


class Store(object_store.Hook):
    """Tells of objects a CRC32C, as services do of what came in parts, and gives them changed."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.tells: Callable[[ObjectMeta], ObjectMeta] = crc32c_only
        self.gives: Callable[[int, bytes], bytes] = lambda start, part: part
        self.before_complete: Callable[[], None] = lambda: None
        self.after_complete: Callable[[], None] = lambda: None
        self.reads = self.parts = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(self.tells, super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self.tells(super().stat_object(ref))

    def get_object(self, ref: ObjectRef, *, start: int = 0, **more: Any) -> ObjectBody:
        body = super().get_object(ref, start=start, **more)
        if not ref.key.endswith("large"):
            return body
        self.reads += 1
        return _Given(body.meta, self.gives(start, bytes(body.read())))

    def put_part(self, *given: Any, **named: Any) -> Part:
        self.parts += 1
        part = super().put_part(*given, **named)
        return replace(part, digests=Digests(crc32c=part.digests.crc32c))

    def complete_upload(self, *given: Any, **named: Any) -> ObjectMeta:
        self.before_complete()
        written = super().complete_upload(*given, **named)
        self.after_complete()
        return self.tells(written)


class _Given:
    def __init__(self, meta: ObjectMeta, content: bytes) -> None:
        self.meta = meta
        self._content = content

    def read(self) -> bytes:
        return self._content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content


def crc32c_only(meta: ObjectMeta) -> ObjectMeta:
    return replace(meta, digests=Digests(crc32c=meta.digests.crc32c))


def lab(destinations: int = 1) -> tuple[World, Store, list[Store]]:
    made = world(TREE, destinations=destinations)
    source = Store(conn_of(made.source))
    there = [Store(conn_of(end)) for end in made.destinations]
    made = made.with_source(source)
    for index, store in enumerate(there):
        made = made.with_destination(store, index)
    return made, source, there


def run(made: World, digest: ContentDigest = ContentDigest.BLAKE3) -> ReplicationReport:
    return replicate(made.replication(replace(SMALL, digest=digest, min_success_ratio=0)))


def recorded(end: Endpoint, name: str = "large") -> entries.Proof:
    entry = ledger(end).entry(end.key_of(name))
    assert entry is not None
    assert entry.proof is not None
    return entry.proof


def metadata(end: Endpoint, name: str = "large") -> dict[str, str]:
    attributes = end.store.stat_object(end.ref(end.key_of(name))).attributes
    assert attributes is not None
    return dict(attributes.metadata)


def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)


def test_large_objects_are_told_by_it_and_small_ones_by_sha256() -> None:
    made, _, _ = lab()
    report = run(made)
    (end,) = made.destinations
    assert report.destinations[0].outcomes == {Outcome.COPIED: 2}
    assert tree_of(end) == TREE
    proof = recorded(end)
    assert (proof.digests, proof.confirmed) == (BY_BLAKE3, "crc32c")
    assert recorded(end, "small").digests == digests_of(b"1")
    assert metadata(end) == {BLAKE3_METADATA: BY_BLAKE3.blake3}
    assert metadata(end, "small") == {SHA256_METADATA: digests_of(b"1").sha256}


@both_ways
def test_what_one_digest_has_proven_is_unchanged_for_the_other(
    first: ContentDigest, second: ContentDigest
) -> None:
    made, source, _ = lab()
    before = run(made, first)
    reads = source.reads
    after = run(made, second)
    assert after.destinations[0].outcomes == {Outcome.UNCHANGED: 2}
    assert (source.reads, after.bytes_read, after.root) == (reads, 0, before.root)
    assert recorded(made.destinations[0]).digests == DIGEST[first]
    fill(made.source, {"large": LARGE[::-1]})
    assert run(made, second).destinations[0].outcomes == {Outcome.UNCHANGED: 1, Outcome.REPLACED: 1}
    (end,) = made.destinations
    assert (recorded(end).digests.blake3 is not None) is (second is ContentDigest.BLAKE3)
    assert set(metadata(end)) == {f"multicloud_{second}"}


@both_ways
def test_replicas_by_different_digests_are_both_proven(
    first: ContentDigest, second: ContentDigest
) -> None:
    """Only their roots can't be compared."""
    made, _, _ = lab(destinations=2)
    run(replace(made, destinations=made.destinations[:1]), first)
    report = run(made, second)
    assert [one.outcomes for one in report.destinations] == [
        {Outcome.UNCHANGED: 2},
        {Outcome.COPIED: 2},
    ]
    assert report.root is None
    assert [recorded(end).digests for end in made.destinations] == [DIGEST[first], DIGEST[second]]
    one, other = made.destinations
    for replica, sibling in ((one, other), (other, one)):
        found = verify(replica, depth=Depth.READ, siblings=[sibling])
        assert (found.proven, found.contradictions) == (True, ())
        assert found.bytes_read == 101


@pytest.mark.parametrize("digest", ContentDigest)
def test_a_wrong_byte_that_no_crc32c_shows_is_found_by_reading(digest: ContentDigest) -> None:
    made, _, (there,) = lab()
    run(made, digest)
    there.gives = lambda start, part: FORGED
    (end,) = made.destinations
    assert verify(end).proven  # Nothing was written since.
    found = verify(end, depth=Depth.READ)
    assert found.findings == {"verified": 1, "damaged": 1}
    assert f"the content's {digest} differs from the ledger's" in found.found_lines[0]


def test_what_was_written_again_is_told_by_its_bytes() -> None:
    made, _, _ = lab()
    run(made)
    (end,) = made.destinations
    fill(end, {"large": LARGE})
    assert verify(end).findings == {"verified": 2}
    fill(end, {"large": FORGED})
    assert verify(end).findings == {"verified": 1, "changed": 1}


class TestOnTheWay:
    """What is altered between the source and here is never taken for the object."""

    def test_by_the_crc32c_of_the_source(self) -> None:
        made, source, _ = lab()
        source.gives = lambda start, part: bytes([part[0] ^ (start == 16)]) + part[1:]
        self.refused(made, "the crc32c of the bytes read differs from the one the source reports")

    def test_by_a_sha256_of_the_source_which_is_computed_then(self) -> None:
        made, source, _ = lab()
        source.tells = lambda meta: replace(meta, digests=Digests(sha256=meta.digests.sha256))
        source.gives = lambda start, part: FORGED[start : start + len(part)]
        self.refused(made, "the sha256 of the bytes read differs from the one the source reports")
        source.gives = lambda start, part: part
        run(made)
        assert recorded(made.destinations[0]).digests == BY_SHA256

    @pytest.mark.parametrize("wrong", [True, False])
    def test_by_reading_once_more_where_the_source_was_told_another_md5(self, wrong: bool) -> None:
        made, source, _ = lab()
        md5 = READ.md5 if wrong else "0" * 32
        source.tells = lambda meta: replace(meta, digests=Digests(), declared=Digests(md5=md5))
        if wrong:
            source.gives = lambda start, part: (
                FORGED[start : start + len(part)] if source.reads <= 7 else part
            )
            self.refused(made, "altered on the way")
        else:
            assert run(made).destinations[0].outcomes[Outcome.COPIED] == 2
            assert source.reads == 8
            assert recorded(made.destinations[0]).digests.blake3 == BY_BLAKE3.blake3

    def refused(self, made: World, why: str) -> None:
        report = run(made)
        assert report.destinations[0].outcomes == {Outcome.FAILED: 1, Outcome.COPIED: 1}
        assert report.failures[0].kind is ErrorKind.INTEGRITY
        assert why in str(report.failures[0])
        assert "large" not in tree_of(made.destinations[0])


@pytest.mark.parametrize("same", [True, False])
def test_a_write_whose_answer_was_lost_is_looked_for_by_its_bytes(same: bool) -> None:
    made, _, (there,) = lab()
    (end,) = made.destinations

    def lost() -> None:
        fill(end, {"large": LARGE if same else FORGED})
        raise StorageError("it is there", kind=ErrorKind.PRECONDITION_FAILED)

    there.after_complete = lost
    outcomes = run(made).destinations[0].outcomes
    assert outcomes == {Outcome.COPIED: 1, Outcome.VERIFIED if same else Outcome.CONFLICT: 1}
    if same:
        proof = recorded(end)
        assert (proof.confirmed, proof.digests) == ("blake3", BY_BLAKE3)


@both_ways
def test_parts_that_an_earlier_try_has_sent_are_taken_up_with_the_other_digest(
    first: ContentDigest, second: ContentDigest
) -> None:
    made, _, (there,) = lab()

    def cut_off() -> None:
        raise StorageError("cut off", kind=ErrorKind.THROTTLED)

    there.before_complete = cut_off
    assert run(made, first).destinations[0].outcomes[Outcome.FAILED] == 1
    assert there.parts == 7
    there.before_complete = lambda: None
    assert run(made, second).destinations[0].outcomes[Outcome.COPIED] == 1
    assert there.parts == 7  # None is sent again.
    assert recorded(made.destinations[0]).digests == DIGEST[second]


def test_a_copy_of_a_replica_has_one_digest_of_its_own() -> None:
    made, _, _ = lab()
    run(made)
    (replica,) = made.destinations
    back = replace(made, source=replica, destinations=(world({}).destinations[0],))
    run(back, ContentDigest.SHA256)
    assert metadata(back.destinations[0]) == {SHA256_METADATA: READ.sha256}


def test_shards_have_it_too() -> None:
    made, _, _ = lab()
    replication = made.replication(replace(SMALL, digest=ContentDigest.BLAKE3))
    planned = shards.plan_shards(replication, shards=2, run_id="r")
    for uri in planned.shards:
        shards.replicate_shard(replication, run_id="r", shard=uri)
    shards.close_shards(replication, run_id="r")
    assert recorded(made.destinations[0]).digests == BY_BLAKE3


class TestNotInstalled:
    def test_nothing_is_begun(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made, _, _ = lab()
        uninstalled(monkeypatch)
        options = replace(SMALL, digest=ContentDigest.BLAKE3)
        expected = (
            r"^digest: 'blake3' given, and blake3 is not installed: pip install '\.\[blake3\]' in a"
        )
        for work in (replicate, plan):
            with pytest.raises(ProviderNotAvailableError, match=expected) as caught:
                work(made.replication(options))  # type: ignore[operator]
            assert caught.value.kind is ErrorKind.UNSUPPORTED
        (end,) = made.destinations
        assert list(end.store.list_objects(BUCKET, ".airflow-multicloud/")) == []

    def test_what_was_proven_with_it_stays_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made, _, _ = lab()
        run(made)
        uninstalled(monkeypatch)
        report = run(made, ContentDigest.SHA256)
        assert report.destinations[0].outcomes == {Outcome.UNCHANGED: 2}
        (end,) = made.destinations
        assert verify(end).proven

    def test_what_must_be_read_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made, _, (there,) = lab()
        run(made)
        there.reads = 0
        uninstalled(monkeypatch)
        found = verify(made.destinations[0], depth=Depth.READ)
        assert found.findings == {"verified": 1, "unverifiable": 1}
        assert "blake3 is not installed: pip install '.[blake3]'" in found.found_lines[0]
        assert there.reads == 0


class TestFormat:
    """The version of the ledger's format stays; a reader ignores digests that it does not know."""

    LINE = (
        b'{"key":"copy/a","proof":{"size":1,"etag":"e","digests":%s,"origin":{"uri":"mem://lab/a",'
        b'"etag":"s"},"outcome":"copied","run_id":"r","at":"2026-01-01T12:00:00Z",'
        b'"as_of":"2026-01-01T12:00:00Z","confirmed":"crc32c"}}'
    )
    LISTED = Listed("a", 1, "e", None, at(0), Digests())

    def proof(self, digests: bytes) -> entries.Proof:
        proof = entries.read_line(self.LINE % digests).proof
        assert proof is not None
        return proof

    def test_a_line_of_an_earlier_release(self) -> None:
        proof = self.proof(b'{"crc32c":"00000000","md5":null,"sha256":"ab"}')
        assert proof.digests == Digests(crc32c="00000000", sha256="ab")
        assert holds(proof, self.LISTED)

    def test_one_with_a_blake3(self) -> None:
        proof = self.proof(b'{"crc32c":"00000000","blake3":"ab"}')
        assert proof.digests == Digests(crc32c="00000000", blake3="ab")
        assert holds(proof, self.LISTED)

    def test_to_who_does_not_know_its_digest_it_proves_nothing(self) -> None:
        """As a BLAKE3 is to an earlier release."""
        proof = self.proof(b'{"crc32c":"00000000","sha3":"ab"}')
        assert proof.digests == Digests(crc32c="00000000")
        assert not holds(proof, self.LISTED)

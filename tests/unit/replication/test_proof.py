"""What counts as proof that a replica holds the source's bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import crc32c_of, digests_of
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef, Part, PartUpload

pytestmark = pytest.mark.usefixtures("way")

SMALL, LARGE = b"good", b"good bytes" * 10
EVIL = {SMALL: b"evil", LARGE: b"evil bytes" * 10}
SIZES = pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
IMMUTABLE = replace(memory.SMALL, immutable=True)


def only(names: str) -> Callable[[Digests], Digests]:
    return lambda known: Digests(**{name: getattr(known, name) for name in names.split()})


class Telling(object_store.Hook):
    """Tells of objects what it is asked to tell, made of their digests; counts reads."""

    def __init__(self, conn_id: str, tell: Callable[[Digests], Digests]) -> None:
        super().__init__(conn_id)
        self._tell = tell
        self.read: list[str] = []

    def _told(self, meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, digests=self._tell(meta.digests))

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(self._told, super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self._told(super().stat_object(ref))

    def get_object(self, ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        if not ref.key.startswith(".airflow-multicloud/"):
            self.read.append(ref.key)
        return super().get_object(ref, **limits)

    def put_object(self, *given, **named):  # type: ignore[no-untyped-def]
        return self._told(super().put_object(*given, **named))

    def complete_upload(self, *given, **named):  # type: ignore[no-untyped-def]
        return self._told(super().complete_upload(*given, **named))


def forged(content: bytes) -> Callable[[Digests], Digests]:
    """A store of which an attacker's object has the CRC32C of ``content``."""
    crc32c = digests_of(content).crc32c
    return lambda known: Digests(crc32c=crc32c)


def lab(
    content: bytes,
    there: bytes,
    *,
    source: Callable[[Digests], Digests] = lambda known: known,
    store: Callable[[Digests], Digests] = lambda known: known,
) -> tuple[memory.World, Telling, Telling]:
    """An object at the source and at the destination, which no ledger knows."""
    made = memory.world({"a": content})
    memory.fill(made.destinations[0], {"a": there})
    ends = (
        Telling(memory.conn_of(made.source), source),
        Telling(memory.conn_of(made.destinations[0]), store),
    )
    return made.with_source(ends[0]).with_destination(ends[1]), *ends


def outcomes(report: ReplicationReport, index: int = 0) -> dict[Outcome, int]:
    return dict(report.destinations[index].outcomes)


class TestWhatWasThereAlready:
    @SIZES
    @pytest.mark.parametrize("source", ["crc32c", "", "crc32c md5"])
    def test_a_crc32c_alone_proves_nothing(self, content: bytes, source: str) -> None:
        made, _, _ = lab(content, EVIL[content], source=only(source), store=forged(content))
        assert outcomes(replicate(made.replication())) == {Outcome.REPLACED: 1}
        assert memory.tree_of(made.destinations[0]) == {"a": content}

    @SIZES
    @pytest.mark.parametrize("source", ["crc32c", "", "crc32c md5"])
    def test_nor_where_nothing_may_be_replaced(self, content: bytes, source: str) -> None:
        made, _, _ = lab(content, EVIL[content], source=only(source), store=forged(content))
        with pytest.raises(ReplicationFailedError, match="its content differs") as raised:
            replicate(made.replication(IMMUTABLE))
        assert outcomes(raised.value.report) == {Outcome.CONFLICT: 1}
        assert memory.tree_of(made.destinations[0]) == {"a": EVIL[content]}

    @SIZES
    @pytest.mark.parametrize("store", ["crc32c", "", "md5"])
    @pytest.mark.parametrize("source", ["crc32c", "", "md5", "sha256"])
    def test_the_same_content_is_verified_where_nothing_may_be_replaced(
        self,
        content: bytes,
        source: str,
        store: str,
    ) -> None:
        """By reading what there is no better digest of."""
        made, _, _ = lab(content, content, source=only(source), store=only(store))
        report = replicate(made.replication(IMMUTABLE))
        assert outcomes(report) == {Outcome.VERIFIED: 1}
        assert recorded(made.destinations[0]).confirmed in ("md5", "sha256")

    @SIZES
    def test_it_is_read_where_the_source_has_what_to_compare_it_with(self, content: bytes) -> None:
        made, source, store = lab(content, content, store=only("crc32c"))
        report = replicate(made.replication())
        assert outcomes(report) == {Outcome.VERIFIED: 1}
        assert (source.read, store.read) == ([], ["copy/a"])

    def test_a_large_one_is_copied_again_where_both_would_have_to_be_read(self) -> None:
        made, _, store = lab(LARGE, LARGE, source=only("crc32c"), store=only("crc32c"))
        assert outcomes(replicate(made.replication())) == {Outcome.REPLACED: 1}
        assert store.read == []

    @SIZES
    @pytest.mark.parametrize("name", ["crc32c", "md5", "sha256"])
    def test_one_digest_that_differs_is_another_content(self, content: bytes, name: str) -> None:
        odd = getattr(digests_of(EVIL[content]), name)
        made, _, _ = lab(content, content, store=lambda known: replace(known, **{name: odd}))
        with pytest.raises(ReplicationFailedError, match="its content differs"):
            replicate(made.replication(IMMUTABLE))


class TestWhatWasWritten:
    @SIZES
    @pytest.mark.parametrize("name", ["crc32c", "sha256"])
    def test_any_digest_of_the_store_proves_it(self, content: bytes, name: str) -> None:
        """The store got the bytes that were sent."""
        made = memory.world({"a": content})
        store = Telling(memory.conn_of(made.destinations[0]), only(name))
        made = made.with_destination(store)
        assert outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}

    @pytest.mark.parametrize("name", ["crc32c", "md5", "sha256"])
    def test_one_that_differs_refutes_it(self, name: str) -> None:
        odd = getattr(digests_of(EVIL[SMALL]), name)
        made = memory.world({"a": SMALL})
        store = Telling(
            memory.conn_of(made.destinations[0]), lambda known: replace(known, **{name: odd})
        )
        with pytest.raises(ReplicationFailedError, match=f"the store's {name} differs"):
            replicate(made.with_destination(store).replication())

    @SIZES
    @pytest.mark.parametrize("same", [True, False])
    def test_what_another_run_has_written_is_read(self, content: bytes, *, same: bool) -> None:
        """Where the store has a CRC32C only, which other content may have."""
        there = content if same else EVIL[content]

        class Faster(Telling):
            def _forestalled(self, ref: ObjectRef) -> None:
                if not ref.key.startswith(".airflow-multicloud/"):
                    object_store.Hook.put_object(self, ref, there)
                    raise StorageError("another was faster", kind=ErrorKind.PRECONDITION_FAILED)

            def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
                self._forestalled(ref)
                return super().put_object(ref, *given, **named)

            def complete_upload(self, upload: PartUpload, *given, **named):  # type: ignore[no-untyped-def]
                self._forestalled(upload.ref)
                return super().complete_upload(upload, *given, **named)

        made = memory.world({"a": content})
        store = Faster(memory.conn_of(made.destinations[0]), forged(content))
        options = replace(memory.SMALL, min_success_ratio=0)
        report = replicate(made.with_destination(store).replication(options))
        assert outcomes(report) == {Outcome.VERIFIED if same else Outcome.CONFLICT: 1}

    @pytest.mark.parametrize(
        ("etags", "expected"), [(True, Outcome.COPIED), (False, Outcome.UNVERIFIABLE)]
    )
    def test_a_crc32c_of_the_listing_confirms_the_write_of_this_etag(
        self, expected: Outcome, *, etags: bool
    ) -> None:
        """Without ETags what is listed may be another writer's."""

        class Mute(Telling):
            def _told(self, meta: ObjectMeta) -> ObjectMeta:
                return replace(super()._told(meta), etag=meta.etag if etags else "")

            def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
                return replace(super().put_object(ref, *given, **named), digests=Digests())

        made = memory.world({"a": SMALL})
        store = Mute(memory.conn_of(made.destinations[0]), only("crc32c"))
        assert outcomes(replicate(made.with_destination(store).replication())) == {expected: 1}


def recorded(end: memory.Endpoint) -> Proof:
    """What the replica's ledger proves of the one object that it knows."""
    (entry,) = memory.ledger(end).entries()
    assert entry.proof is not None
    return entry.proof


def test_what_one_destination_says_is_no_fact_about_another() -> None:
    """Whoever writes at one of them can make up its digests."""
    bogus = "0" * 64
    made = memory.world({"a": SMALL}, destinations=2)
    memory.fill(made.destinations[0], {"a": SMALL})
    made = made.with_source(Telling(memory.conn_of(made.source), only("md5")))
    hostile = Telling(
        memory.conn_of(made.destinations[0]), lambda known: replace(known, sha256=bogus)
    )
    honest = Telling(memory.conn_of(made.destinations[1]), only("md5"))
    memory.fill(made.destinations[1], {"a": SMALL})
    made = made.with_destination(hostile, 0).with_destination(honest, 1)
    report = replicate(made.replication())
    assert [outcomes(report, n) for n in (0, 1)] == [{Outcome.VERIFIED: 1}] * 2
    known = digests_of(SMALL)
    assert recorded(made.destinations[1]).digests == Digests(md5=known.md5)
    assert recorded(made.destinations[0]).digests == replace(known, sha256=bogus)


def test_parts_that_a_store_has_another_digest_of_are_sent_again() -> None:
    """A CRC32C that agrees does not outweigh an MD5 that differs."""

    class Parts(object_store.Hook):
        def __init__(self, conn_id: str, *, honest: bool) -> None:
            super().__init__(conn_id)
            self.sent = 0
            self._honest = honest

        def list_parts(self, upload: PartUpload) -> list[Part]:
            held = super().list_parts(upload)
            if self._honest:
                return list(held)
            return [replace(p, digests=replace(p.digests, md5="0" * 32)) for p in held]

        def put_part(self, *given, **named) -> Part:  # type: ignore[no-untyped-def]
            self.sent += 1
            return super().put_part(*given, **named)

    for honest, sent in ((True, 6), (False, 7)):
        made = memory.world({"a": LARGE})
        store = Parts(memory.conn_of(made.destinations[0]), honest=honest)
        upload = store.begin_upload(made.destinations[0].ref("copy/a"))
        body = LARGE[:16]
        store.put_part(upload, 1, body, digests=Digests(crc32c=crc32c_of(body)))
        store.sent = 0
        replicate(made.with_destination(store).replication(replace(memory.SMALL, concurrency=1)))
        assert store.sent >= sent
        assert (store.sent == 6) is honest
        assert memory.tree_of(made.destinations[0]) == {"a": LARGE}

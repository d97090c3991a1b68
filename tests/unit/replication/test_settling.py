"""Replicas that are there already, of which a ledger knows nothing, or not enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, fill, tree_of, world
from .test_left_uploads import grow_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

CONTENT, OTHER = b"content", b"CONTENT"
ALWAYS = {"compare_attributes": CompareAttributes.ALWAYS}


class Store(object_store.Hook):
    """Its listing and its answers tell what they are made to; counts the objects that are read."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.lists: Callable[[ObjectMeta], ObjectMeta] = lambda meta: meta
        self.answers: Callable[[ObjectMeta], ObjectMeta] = lambda meta: meta
        self.reads: Callable[[], None] = lambda: None
        self.read = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            yield self.lists(meta) if meta.key.endswith("/a") else meta

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        meta = super().stat_object(ref)
        return self.answers(meta) if ref.key.endswith("/a") else meta

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        if ref.key.endswith("/a"):
            self.read += 1
            self.reads()
        return super().get_object(ref, **limits)


def lab(content: bytes = CONTENT, there: bytes | None = None) -> tuple[World, Store, Store]:
    made = world({"a": content})
    if there is not None:
        fill(made.destinations[0], {"a": there})
    ends = Store(conn_of(made.source)), Store(conn_of(made.destinations[0]))
    return made.with_source(ends[0]).with_destination(ends[1]), *ends


def run(made: World, **options: Any) -> tuple[ReplicationReport, Outcome]:
    chosen = replace(SMALL, min_success_ratio=0, **options)
    report = replicate(made.replication(chosen))
    (outcome,) = report.destinations[0].outcomes
    return report, outcome


def telling(content: bytes | None, *names: str) -> Callable[[ObjectMeta], ObjectMeta]:
    """These digests of some content, or none at all."""
    known = digests_of(content) if content is not None else Digests()
    digests = Digests(**{name: getattr(known, name) for name in names})
    return lambda meta: replace(meta, digests=digests)


def refusing(kind: ErrorKind) -> Callable[[ObjectMeta], ObjectMeta]:
    def refuse(_: ObjectMeta) -> ObjectMeta:
        raise StorageError("not now", kind=kind)

    return refuse


class TestProven:
    """A ledger proves it by its ETag, and what a listing shows contradicts that."""

    @pytest.mark.parametrize("immutable", [False, True])
    def test_a_source_that_has_another_content_is_copied_or_a_conflict(
        self, *, immutable: bool
    ) -> None:
        made, source, _ = lab()
        run(made)
        source.lists = source.answers = telling(OTHER, "md5")
        source.read = 0
        report, outcome = run(made, immutable=immutable)
        if immutable:
            assert outcome is Outcome.CONFLICT
            assert "its content differs" in str(report.failures[0])
        else:  # It is read, and the bytes are not those that the source tells of.
            assert outcome is Outcome.FAILED
            assert "the md5 of the bytes read differs" in str(report.failures[0])
        assert source.read == (0 if immutable else 1)

    def test_a_listing_that_only_seems_to_contradict_it_does_not(self) -> None:
        made, source, there = lab()
        run(made)
        source.lists = telling(OTHER, "md5")
        source.read = there.read = 0
        assert run(made)[1] is Outcome.UNCHANGED
        assert (source.read, there.read) == (0, 0)

    @pytest.mark.parametrize("doubted_by", ["replica", "source"])
    def test_a_replica_that_has_another_content_is_written_again(self, doubted_by: str) -> None:
        made, source, there = lab()
        run(made)
        there.answers = telling(OTHER, "md5")
        doubting = there if doubted_by == "replica" else source
        doubting.lists = telling(OTHER, "md5")
        report, outcome = run(made)
        assert outcome is Outcome.REPLACED, report.failures
        doubting.lists = there.answers = lambda meta: meta
        assert run(made)[1] is Outcome.UNCHANGED

    @pytest.mark.parametrize("kind", [ErrorKind.NOT_FOUND, ErrorKind.THROTTLED])
    def test_a_replica_that_cant_be_looked_at_fails(self, kind: ErrorKind) -> None:
        made, source, there = lab()
        run(made)
        source.lists, there.answers = telling(OTHER, "md5"), refusing(kind)
        report, outcome = run(made)
        assert (outcome, report.failures[0].kind) == (Outcome.FAILED, kind)

    def test_nor_where_only_its_attributes_are_in_doubt(self) -> None:
        """Its record does not say what it was written with."""
        made, _, there = lab(there=CONTENT)
        grow_old(made.source)
        assert run(made, compare_attributes=CompareAttributes.NEVER)[1] is Outcome.VERIFIED
        there.answers = refusing(ErrorKind.THROTTLED)
        report, outcome = run(made, **ALWAYS)
        assert (outcome, report.failures[0].kind) == (Outcome.FAILED, ErrorKind.THROTTLED)
        there.answers = lambda meta: meta
        assert run(made, **ALWAYS)[1] is Outcome.UNCHANGED


class TestUnknown:
    """No ledger knows it."""

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [
            (ErrorKind.NOT_FOUND, Outcome.COPIED),
            (ErrorKind.PRECONDITION_FAILED, Outcome.CONFLICT),
            (ErrorKind.THROTTLED, Outcome.FAILED),
        ],
    )
    def test_one_that_is_gone_by_now_is_copied(self, kind: ErrorKind, outcome: Outcome) -> None:
        made, source, there = lab(there=CONTENT)

        def answers(meta: ObjectMeta) -> ObjectMeta:
            there.delete_object(made.destinations[0].ref(meta.key))
            return refusing(kind)(meta)

        there.answers = answers
        assert run(made)[1] is outcome
        assert source.read == (outcome is Outcome.COPIED)

    def test_a_source_that_was_replaced_by_then_has_changed(self) -> None:
        made, source, _ = lab(there=CONTENT)
        source.answers = lambda meta: replace(meta, etag="another")
        report, outcome = run(made)
        assert outcome is Outcome.SOURCE_CHANGED
        assert "replaced after it had been listed" in str(report.failures[0])

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [(ErrorKind.NOT_FOUND, Outcome.SOURCE_CHANGED), (ErrorKind.BUSY, Outcome.FAILED)],
    )
    def test_a_source_that_cant_be_asked_fails(self, kind: ErrorKind, outcome: Outcome) -> None:
        made, source, _ = lab(there=CONTENT)
        source.answers = refusing(kind)
        assert run(made)[1] is outcome
        assert tree_of(made.destinations[0]) == {"a": CONTENT}

    @pytest.mark.parametrize("size", [64, 65])
    @pytest.mark.parametrize("same", [True, False])
    def test_where_the_source_tells_nothing_a_small_one_is_compared_once_it_is_read(
        self, size: int, *, same: bool
    ) -> None:
        """And is not written again. A large one is sent as it is read, so that it is written."""
        content = bytes(size)
        made, source, there = lab(content, content if same else b"x" * size)
        source.answers = source.lists = telling(None)
        _, outcome = run(made)
        verified = same and size <= SMALL.parts_above
        assert outcome is (Outcome.VERIFIED if verified else Outcome.REPLACED)
        assert there.read == 0
        assert tree_of(made.destinations[0]) == {"a": content}

    @pytest.mark.parametrize("size", [64, 65])
    @pytest.mark.parametrize("same", [True, False])
    def test_where_nothing_may_be_replaced_both_are_read_if_need_be(
        self, size: int, *, same: bool
    ) -> None:
        content = bytes(size)
        made, source, there = lab(content, content if same else b"x" * size)
        source.answers = source.lists = telling(None)
        there.answers = there.lists = telling(None)
        report, outcome = run(made, immutable=True)
        assert outcome is (Outcome.VERIFIED if same else Outcome.CONFLICT)
        assert same or "its content differs" in str(report.failures[0])
        assert (source.read, there.read) == (1, 1)

    @pytest.mark.parametrize("size", [64, 65])
    def test_only_the_one_that_tells_too_little_is_read(self, size: int) -> None:
        content = bytes(size)
        made, source, there = lab(content, content)
        source.answers = source.lists = telling(content, "md5")
        there.answers = there.lists = telling(content, "crc32c")
        assert run(made, immutable=True)[1] is Outcome.VERIFIED
        assert (source.read, there.read) == (0, 1)

    @pytest.mark.parametrize("same", [True, False])
    def test_other_attributes_are_said_where_nothing_may_be_replaced(self, *, same: bool) -> None:
        made, source, there = lab(there=CONTENT)
        text, html = (ObjectAttributes(content_type=kind) for kind in ("text/plain", "text/html"))
        source.answers = lambda meta: replace(meta, attributes=text)
        there.answers = lambda meta: replace(meta, attributes=text if same else html)
        report, outcome = run(made, immutable=True)
        assert outcome is Outcome.VERIFIED
        said = {} if same else {"changed attributes (immutable)": 1}
        assert report.destinations[0].not_kept == said
        assert run(made)[1] is (Outcome.UNCHANGED if same else Outcome.REPLACED)

    def test_a_source_that_tells_no_attributes_has_no_others(self) -> None:
        made, source, _ = lab(there=CONTENT)
        source.answers = lambda meta: replace(meta, attributes=None)
        assert run(made)[1] is Outcome.VERIFIED

    def test_a_source_that_cant_be_read_for_it_is_the_sources_failure(self) -> None:
        content = bytes(65)
        made, source, _ = lab(content, content)
        source.answers = source.lists = telling(None)

        def gone() -> None:
            raise StorageError("it is gone", kind=ErrorKind.NOT_FOUND)

        source.reads = gone
        report, outcome = run(made, immutable=True)
        assert (outcome, report.failures[0].reason) == (Outcome.SOURCE_CHANGED, "it is gone")

    @pytest.mark.parametrize("immutable", [False, True])
    def test_where_both_tell_all_that_is_needed_nothing_is_read(self, *, immutable: bool) -> None:
        for there in (CONTENT, OTHER):
            made, source, store = lab(there=there)
            _, outcome = run(made, immutable=immutable)
            other = Outcome.CONFLICT if immutable else Outcome.REPLACED
            assert outcome is (Outcome.VERIFIED if there == CONTENT else other)
            assert store.read == 0
            assert source.read == (outcome is Outcome.REPLACED)

"""How a write at one destination is judged, and what the replica keeps of the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import (
    BLAKE3_METADATA,
    SHA256_METADATA,
    Comparison,
    digests_of,
)
from airflow_multicloud.core import attributes as attribute
from airflow_multicloud.core.replication import writing
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.writing import Kept, Noted
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at

from .memory import Bare, conn_of, endpoint, fill

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

GOOD, EVIL = digests_of(b"good"), digests_of(b"evil")
KEPT = Kept(WriteOptions(), ("metadata:x",), keeps_digest=True)
NOTED = Noted("attributes", at(1))
PRIOR = Replica(prior=IfUnchanged("before"))
IMMUTABLE = "changed attributes (immutable)"


def written(end: Endpoint, digests: Digests = GOOD) -> ObjectMeta:
    fill(end, {"a": b"good"})
    return replace(end.store.stat_object(end.ref("copy/a")), digests=digests)


@pytest.fixture
def end() -> Endpoint:
    return endpoint("copy/")


class TestOptions:
    def test_what_is_written_is_what_the_destination_keeps(self, end: Endpoint) -> None:
        end = replace(end, storage_class="COLD", encryption_key="key")
        source = ObjectAttributes(content_type="text/plain", metadata={"a": "b"})
        kept = writing.write_options(end, Replica(), source, sha256="5" * 64)
        options = kept.options
        assert (options.storage_class, options.encryption_key) == ("COLD", "key")
        assert options.attributes.content_type == "text/plain"
        assert options.attributes.metadata == {"a": "b", SHA256_METADATA: "5" * 64}
        assert (options.condition, kept.not_kept, kept.keeps_digest) == (IfAbsent(), (), True)
        again = writing.write_options(end, PRIOR, source, sha256=None)
        assert again.options.condition == IfUnchanged("before")
        assert again.options.attributes.metadata == {"a": "b"}

    @pytest.mark.parametrize(
        ("digests", "keeps", "late"),
        [
            (GOOD, True, {SHA256_METADATA: GOOD.sha256}),
            (GOOD, False, {}),
            (Digests(blake3="3" * 64), True, {BLAKE3_METADATA: "3" * 64}),
            (Digests(blake3="3" * 64), False, {}),
            (Digests(md5=GOOD.md5), True, {}),
        ],
    )
    def test_a_large_object_gets_its_digest_at_the_end(
        self, digests: Digests, keeps: bool, late: Mapping[str, str]
    ) -> None:
        assert replace(KEPT, keeps_digest=keeps).late_metadata(digests) == late


class TestJudge:
    @pytest.mark.parametrize(
        ("prior", "outcome"), [(None, Outcome.COPIED), (IfUnchanged("e"), Outcome.REPLACED)]
    )
    @pytest.mark.parametrize("name", ["sha256", "md5", "crc32c"])
    def test_any_digest_of_the_store_proves_what_was_just_written(
        self, end: Endpoint, prior: IfUnchanged | None, outcome: Outcome, name: str
    ) -> None:
        meta = written(end, Digests(**{name: getattr(GOOD, name)}))
        state = Replica(prior=prior, tags="old", not_kept=("old", IMMUTABLE))
        assert writing.judge(state, GOOD, meta, KEPT, NOTED) == Replica(
            prior=prior,
            outcome=outcome,
            etag=meta.etag,
            version=meta.version,
            confirmed=name,
            not_kept=("metadata:x",),
            attributes="attributes",
            seen=at(1),
        )

    def test_without_one_nothing_is_proven(self, end: Endpoint) -> None:
        meta = written(end, Digests())
        state = writing.judge(PRIOR, GOOD, meta, KEPT, NOTED)
        assert (state.outcome, state.confirmed) == (Outcome.UNVERIFIABLE, None)
        assert state.reason == "the store reports no digest of the object as a whole"
        assert (state.etag, state.version) == (meta.etag, meta.version)

    @pytest.mark.parametrize("name", ["sha256", "md5", "crc32c"])
    def test_one_that_differs_refutes_it(self, end: Endpoint, name: str) -> None:
        meta = written(end, replace(GOOD, **{name: getattr(EVIL, name)}))
        state = writing.judge(PRIOR, GOOD, meta, KEPT, NOTED)
        assert (state.outcome, state.kind) == (Outcome.FAILED, ErrorKind.INTEGRITY)
        assert state.reason == f"the store's {name} differs from the source's"


def error(kind: ErrorKind) -> StorageError:
    return StorageError("not today", kind=kind)


@pytest.mark.parametrize(
    ("kind", "at_source", "at_destination"),
    [
        (ErrorKind.PRECONDITION_FAILED, Outcome.SOURCE_CHANGED, Outcome.CONFLICT),
        (ErrorKind.NOT_FOUND, Outcome.SOURCE_CHANGED, Outcome.FAILED),
        (ErrorKind.SOURCE_CHANGED, Outcome.SOURCE_CHANGED, Outcome.FAILED),
        (ErrorKind.ALREADY_EXISTS, Outcome.FAILED, Outcome.CONFLICT),
        (ErrorKind.TIMEOUT, Outcome.FAILED, Outcome.FAILED),
    ],
)
def test_what_an_error_means_depends_on_where_it_happened(
    kind: ErrorKind, at_source: Outcome, at_destination: Outcome
) -> None:
    reading = writing.failure(PRIOR, error(kind), reading=True)
    told = ErrorKind.SOURCE_CHANGED if at_source is Outcome.SOURCE_CHANGED else kind
    assert reading == PRIOR.failed(at_source, told, "not today")
    wrote = writing.failure(PRIOR, error(kind), reading=False)
    assert wrote == PRIOR.failed(at_destination, kind, "not today")


class Odd(object_store.Hook):
    """Tells what it is told to tell, and counts what is read."""

    said: dict[str, Any]
    reads = 0
    fails = False

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        if self.fails:
            raise error(ErrorKind.TIMEOUT)
        return replace(super().stat_object(ref), **self.said)

    def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
        self.reads += 1
        return super().get_object(ref, **limits)


class TestRefused:
    """A write that failed may have come to its end all the same, or another one of the same."""

    MAYBE = (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED, ErrorKind.NOT_FOUND)

    def refused(
        self,
        end: Endpoint,
        kind: ErrorKind = ErrorKind.PRECONDITION_FAILED,
        ours: Digests = GOOD,
        size: int = 4,
        kept: Kept = KEPT,
        **said: Any,
    ) -> tuple[Replica, Odd]:
        store = Odd(conn_of(end))
        store.said = said
        state = changed(PRIOR, tags="old")
        found = writing.refused(
            replace(end, store=store), "copy/a", state, error(kind), ours, size, kept, NOTED
        )
        return found, store

    @pytest.mark.parametrize("kind", MAYBE)
    def test_the_same_content_is_verified(self, end: Endpoint, kind: ErrorKind) -> None:
        meta = written(end)
        found, store = self.refused(end, kind)
        assert found == Replica(
            prior=PRIOR.prior,
            outcome=Outcome.VERIFIED,
            etag=meta.etag,
            version=meta.version,
            confirmed="sha256",
            not_kept=("metadata:x",),
            attributes="attributes",
            seen=at(1),
        )
        assert store.reads == 0

    @pytest.mark.parametrize("told", [Digests(), Digests(crc32c=GOOD.crc32c)])
    def test_where_no_digest_tells_it_is_read(self, end: Endpoint, told: Digests) -> None:
        written(end)
        found, store = self.refused(end, digests=told)
        assert (found.outcome, found.confirmed, store.reads) == (Outcome.VERIFIED, "sha256", 1)

    @pytest.mark.parametrize("told", [EVIL, Digests(crc32c=EVIL.crc32c), Digests(md5=EVIL.md5)])
    def test_a_digest_that_differs_needs_no_reading(self, end: Endpoint, told: Digests) -> None:
        written(end)
        found, store = self.refused(end, digests=told)
        assert (found.outcome, found.reason, store.reads) == (Outcome.CONFLICT, "not today", 0)

    def test_other_bytes_are_another_writers(self, end: Endpoint) -> None:
        written(end)
        found, store = self.refused(end, ours=EVIL, digests=Digests())
        assert (found.outcome, store.reads) == (Outcome.CONFLICT, 1)

    def test_another_size_needs_no_reading(self, end: Endpoint) -> None:
        written(end)
        found, store = self.refused(end, size=5, digests=Digests())
        assert (found.outcome, store.reads) == (Outcome.CONFLICT, 0)

    def test_after_another_error_nothing_is_looked_at(self, end: Endpoint) -> None:
        written(end)
        found, _ = self.refused(end, ErrorKind.TIMEOUT)
        assert (found.outcome, found.kind) == (Outcome.FAILED, ErrorKind.TIMEOUT)

    def test_what_can_not_be_looked_at_fails_by_the_writes_own_error(self, end: Endpoint) -> None:
        found, _ = self.refused(end)  # Nothing is there.
        assert (found.outcome, found.kind) == (Outcome.CONFLICT, ErrorKind.PRECONDITION_FAILED)

    def test_with_other_attributes_the_next_run_sees_to_them(self, end: Endpoint) -> None:
        written(end)
        options = WriteOptions(attributes=ObjectAttributes(content_type="text/plain"))
        found, _ = self.refused(end, kept=replace(KEPT, options=options))
        assert (found.outcome, found.attributes, found.seen) == (Outcome.VERIFIED, None, None)


def test_what_was_not_kept_of_attributes_is_told_once() -> None:
    state = Replica(not_kept=("tags",))
    once = writing.stays(state)
    assert once.not_kept == ("tags", IMMUTABLE)
    assert writing.stays(once) == once
    assert NOTED.on(once) == changed(state, attributes="attributes", seen=at(1))
    assert writing.stored(PRIOR, Comparison("md5", equal=True)).confirmed == "md5"


class Tagged(object_store.Hook):
    """Counts what is written; may refuse it."""

    writes = 0
    fails = False

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        if self.fails:
            raise error(ErrorKind.TIMEOUT)
        return super().get_tags(ref)

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        self.writes += 1
        super().set_tags(ref, tags)


COPIED = Replica(outcome=Outcome.COPIED, not_kept=("metadata:x", "tag:old", "tags (timeout)"))
THERE = [Outcome.UNCHANGED, Outcome.VERIFIED]
WROTE = [Outcome.COPIED, Outcome.REPLACED, Outcome.UNVERIFIABLE]


class TestTags:
    @pytest.fixture
    def end(self) -> Endpoint:
        made = endpoint("copy/")
        fill(made, {"a": b"1"})
        return replace(made, store=Tagged(conn_of(made)))

    def kept(
        self,
        end: Endpoint,
        state: Replica = COPIED,
        tags: Mapping[str, str] | None = {"a": "b"},
        *,
        immutable: bool = False,
    ) -> Replica:
        return writing.keep_tags(end, "copy/a", state, tags, immutable=immutable)

    def now(self, end: Endpoint) -> dict[str, str]:
        return dict(object_store.Hook(conn_of(end)).get_tags(end.ref("copy/a")))

    def had(self, end: Endpoint, **tags: str) -> None:
        object_store.Hook(conn_of(end)).set_tags(end.ref("copy/a"), tags)

    @pytest.mark.parametrize("outcome", [*THERE, *WROTE])
    def test_the_replica_gets_them(self, end: Endpoint, outcome: Outcome) -> None:
        state = changed(COPIED, outcome=outcome)
        done = self.kept(end, state)
        fingerprint = attribute.tags_fingerprint({"a": "b"})
        assert done == changed(state, tags=fingerprint, not_kept=("metadata:x",))
        assert self.now(end) == {"a": "b"}

    @pytest.mark.parametrize("outcome", THERE)
    def test_what_was_there_keeps_others(self, end: Endpoint, outcome: Outcome) -> None:
        self.had(end, of="another", a="old")
        self.kept(end, Replica(outcome=outcome))
        assert self.now(end) == {"of": "another", "a": "b"}

    @pytest.mark.parametrize("outcome", WROTE)
    def test_what_was_written_has_exactly_these(self, end: Endpoint, outcome: Outcome) -> None:
        self.had(end, of="another", **{SHA256_METADATA: "ours"})
        self.kept(end, Replica(outcome=outcome))
        assert self.now(end) == {"a": "b", SHA256_METADATA: "ours"}

    def test_without_tags_what_a_replaced_object_had_goes(self, end: Endpoint) -> None:
        self.had(end, of="another")
        done = self.kept(end, changed(PRIOR, outcome=Outcome.REPLACED), {})
        assert (self.now(end), done.tags) == ({}, attribute.tags_fingerprint({}))

    @pytest.mark.parametrize(
        "state",
        [Replica(outcome=Outcome.COPIED), changed(PRIOR, outcome=Outcome.VERIFIED)],
    )
    def test_without_tags_nobody_is_asked_where_there_can_be_none(
        self, end: Endpoint, state: Replica
    ) -> None:
        self.had(end, of="another")
        done = self.kept(end, state, {})
        assert (self.now(end), done.tags) == (
            {"of": "another"},
            attribute.tags_fingerprint({}),
        )

    @pytest.mark.parametrize(
        ("state", "tags"),
        [
            (Replica(), {"a": "b"}),
            (Replica(outcome=Outcome.FAILED), {"a": "b"}),
            (Replica(outcome=Outcome.CONFLICT), {"a": "b"}),
            (COPIED, None),
            (
                Replica(outcome=Outcome.UNCHANGED, tags=attribute.tags_fingerprint({"a": "b"})),
                {"a": "b"},
            ),
        ],
    )
    def test_nothing_is_done(
        self, end: Endpoint, state: Replica, tags: Mapping[str, str] | None
    ) -> None:
        assert self.kept(end, state, tags) is state
        assert self.now(end) == {}

    def test_a_record_says_nothing_of_what_was_just_written(self, end: Endpoint) -> None:
        known = changed(COPIED, tags=attribute.tags_fingerprint({"a": "b"}))
        self.kept(end, known)
        assert self.now(end) == {"a": "b"}

    def test_what_has_them_already_is_not_written_again(self, end: Endpoint) -> None:
        self.had(end, a="b")
        done = self.kept(end, Replica(outcome=Outcome.UNCHANGED), immutable=True)
        assert (done.tags, done.not_kept) == (attribute.tags_fingerprint({"a": "b"}), ())
        assert end.store.writes == 0  # type: ignore[attr-defined]

    @pytest.mark.parametrize("outcome", THERE)
    def test_what_was_there_and_is_immutable_is_looked_at_only(
        self, end: Endpoint, outcome: Outcome
    ) -> None:
        state = Replica(outcome=outcome)
        assert self.kept(end, state, immutable=True) == writing.stays(state)
        assert self.now(end) == {}

    def test_what_was_written_gets_them_though_it_is_immutable_then(self, end: Endpoint) -> None:
        self.kept(end, immutable=True)
        assert self.now(end) == {"a": "b"}

    def test_after_an_error_the_next_run_tries_again(self, end: Endpoint) -> None:
        end.store.fails = True  # type: ignore[attr-defined]
        done = self.kept(end)
        assert done == changed(COPIED, tags=None, not_kept=("metadata:x", "tags (timeout)"))

    @pytest.mark.parametrize(("tags", "lost"), [({"a": "b"}, ("tags",)), ({}, ())])
    def test_a_store_without_tags_says_so_where_there_are_some(
        self, end: Endpoint, tags: Mapping[str, str], lost: tuple[str, ...]
    ) -> None:
        bare = replace(end, store=Bare(conn_of(end)))
        done = self.kept(bare, changed(COPIED, prior=IfUnchanged("e")), tags)
        assert done.not_kept == ("metadata:x", *lost)
        assert done.tags == attribute.tags_fingerprint(tags)

    def test_those_that_do_not_fit_are_named(self, end: Endpoint) -> None:
        many = {f"t{n:02}": "x" for n in range(60)}
        done = self.kept(end, tags=many)
        rest = len(many) - len(self.now(end))
        assert rest > 0
        assert len([name for name in done.not_kept if name.startswith("tag:")]) == rest

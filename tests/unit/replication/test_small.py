"""Small objects: what is read of the source in one request, and what is believed of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests

from .memory import SMALL, World, conn_of, tree_of, world
from .test_large import Source, declared, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.core.replication.report import Failure
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

CONTENT = b"content"


class Small(Source):
    """A source whose answers to a read, and to a question, are told apart from its listing."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.gets: Callable[[ObjectMeta], ObjectMeta] = lambda meta: replace(meta, digests=NONE)
        self.answers: Callable[[ObjectMeta], ObjectMeta] = lambda meta: meta
        self.asked = 0
        self.consumed = 0

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self.asked += 1
        return self.answers(super().stat_object(ref))

    def get_object(self, ref: ObjectRef, **limits) -> ObjectBody:  # type: ignore[no-untyped-def]
        body = super().get_object(ref, **limits)
        if ref.key.endswith("small"):
            return _Body(self, self.gets(body.meta), bytes(body.read()))
        return body


class _Body:
    def __init__(self, store: Small, meta: ObjectMeta, content: bytes) -> None:
        self.meta = meta
        self._store, self._content = store, content

    def read(self) -> bytes:
        self._store.consumed += 1
        return self._content

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield self.read()


NONE = Digests()


def lab() -> tuple[World, Small]:
    made = world({"small": CONTENT})
    source = Small(conn_of(made.source))
    return made.with_source(source), source


def failure(made: World) -> Failure:
    report = replicate(made.replication(replace(SMALL, min_success_ratio=0)))
    assert tree_of(made.destinations[0]) == {}
    (failed,) = report.failures
    return failed


def flipped(start: int, content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def test_what_is_read_costs_one_request() -> None:
    made, source = lab()
    report = replicate(made.replication())
    assert report.destinations[0].outcomes == {Outcome.COPIED: 1}
    assert report.bytes_read == len(CONTENT)
    assert (source.reads, source.asked, source.consumed) == (1, 0, 1)


def test_one_that_has_grown_is_not_read() -> None:
    """It may not fit into the memory that was granted for it."""
    made, source = lab()
    source.gets = lambda meta: replace(meta, size=8)
    failed = failure(made)
    assert (failed.outcome, failed.kind) == (Outcome.SOURCE_CHANGED, ErrorKind.SOURCE_CHANGED)
    assert failed.reason == "the listing said 7 bytes, the object has 8"
    assert source.consumed == 0


@pytest.mark.parametrize("size", [6, 8])
def test_one_of_which_another_number_of_bytes_came_is_not_written(size: int) -> None:
    made, source = lab()
    source.gives = lambda start, content: (content + b"x")[:size]
    failed = failure(made)
    assert failed.outcome is Outcome.SOURCE_CHANGED
    assert failed.reason == f"the listing said 7 bytes, the object has {size}"


def test_one_that_was_replaced_by_one_of_the_same_size_is_not_written() -> None:
    class Replaced(Small):
        def get_object(self, ref: ObjectRef, **limits) -> ObjectBody:  # type: ignore[no-untyped-def]
            self.put_object(replace(ref, version=None), b"CONTENT")
            return super().get_object(ref, **limits)

    made = world({"small": CONTENT})
    made = made.with_source(store := Replaced(conn_of(made.source)))
    store.tells = lambda meta: replace(meta, digests=NONE)
    assert failure(made).outcome is Outcome.SOURCE_CHANGED


class TestMisread:
    """Other bytes came than the source says it has."""

    def lab(self) -> tuple[World, Small]:
        made, source = lab()
        source.gives = flipped
        return made, source

    @pytest.mark.parametrize("name", ["sha256", "md5", "crc32c"])
    @pytest.mark.parametrize("listed", [True, False])
    def test_by_any_digest_that_it_tells(self, name: str, *, listed: bool) -> None:
        made, source = self.lab()
        source.tells = lambda meta: replace(meta, digests=only(meta.digests, name))
        if not listed:  # Only the answer to the read, and to the question, tells it.
            source.gets = lambda meta: replace(meta, digests=only(meta.digests, name))
        failed = failure(made)
        assert (failed.outcome, failed.kind) == (Outcome.FAILED, ErrorKind.INTEGRITY)
        assert failed.reason == (
            f"the {name} of the bytes read differs from the one the source reports"
        )

    def test_an_object_that_is_another_by_now_has_changed(self) -> None:
        made, source = self.lab()
        source.answers = lambda meta: replace(meta, etag="another")
        failed = failure(made)
        assert (failed.outcome, failed.kind) == (Outcome.SOURCE_CHANGED, ErrorKind.SOURCE_CHANGED)
        assert failed.reason == "the object was replaced while it was read"

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [
            (ErrorKind.NOT_FOUND, Outcome.SOURCE_CHANGED),
            (ErrorKind.THROTTLED, Outcome.FAILED),
        ],
    )
    def test_a_source_that_cant_be_asked_is_not_believed(
        self, kind: ErrorKind, outcome: Outcome
    ) -> None:
        def refuses(_: ObjectMeta) -> ObjectMeta:
            raise StorageError("not now", kind=kind)

        made, source = self.lab()
        source.answers = refuses
        failed = failure(made)
        assert (failed.outcome, failed.reason) == (outcome, "not now")


class TestAltered:
    """The source tells no digest but one that anybody may have declared."""

    @pytest.fixture(autouse=True)
    def _ordinary(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the plain way reads and does not believe, the ordinary one reads again."""
        monkeypatch.setattr(Small, "plain_bucket", lambda _self, _bucket: None)

    def test_what_is_altered_on_the_way_is_not_written(self) -> None:
        made, source = lab()
        source.tells = declared(CONTENT)
        source.gives = lambda start, content: (
            flipped(start, content) if source.reads == 1 else content
        )
        failed = failure(made)
        assert failed.kind is ErrorKind.INTEGRITY
        assert "altered on the way" in (failed.reason or "")
        assert source.reads == 2

    @pytest.mark.parametrize("says", [CONTENT, b"something else"])
    def test_what_was_declared_proves_and_refutes_nothing(self, says: bytes) -> None:
        made, source = lab()
        source.tells = declared(says)
        report = replicate(made.replication())
        assert report.destinations[0].outcomes == {Outcome.COPIED: 1}
        assert source.reads == (1 if says == CONTENT else 2)

    def test_a_source_that_cant_be_read_once_more_is_not_believed(self) -> None:
        def gives(start: int, content: bytes) -> bytes:
            if source.reads > 1:
                raise StorageError("it is gone", kind=ErrorKind.NOT_FOUND)
            return content

        made, source = lab()
        source.tells, source.gives = declared(b"something else"), gives
        failed = failure(made)
        assert (failed.outcome, failed.reason) == (Outcome.SOURCE_CHANGED, "it is gone")

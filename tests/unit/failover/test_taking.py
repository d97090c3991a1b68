"""How one copy of an object is read: what is asked first, and what it is held against."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.failover import candidates as candidates_module
from airflow_multicloud.core.failover.candidates import take
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.references import Reference, reference_of
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget, TargetError
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes
from tests.unit.failover.ledgers import behind, proven
from tests.unit.failover.stores import CONTENT, Body, Changed, named, put, stop_the_clock
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Buffer

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.candidates import Arrival
    from airflow_multicloud.core.failover.targets import StagedDirectory, StagedFile
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

KNOWN = digests_of(CONTENT)
NOW = datetime.now(UTC)


class Store(Changed):
    """Answers as it is told; notes what it was asked, and what was taken of each answer."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.asked: list[str] = []
        self.taken = 0
        self.modified: datetime | None = None
        self.read_digests: Digests | None = None
        self.read_attributes = True
        self.stat_etag: str | None = None
        self.content_type: str | None = None

    def said(self, meta: ObjectMeta) -> ObjectMeta:
        if self.content_type is not None:
            meta = replace(meta, attributes=ObjectAttributes(content_type=self.content_type))
        return replace(meta, last_modified=self.modified or meta.last_modified)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self.asked.append("list")
        return super().list_objects(bucket, prefix)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self.asked.append("stat")
        meta = super().stat_object(ref)
        return meta if self.stat_etag is None else replace(meta, etag=self.stat_etag)

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        self.asked.append("get")
        body = super().get_object(ref, **limits)
        meta = body.meta
        if self.read_digests is not None:
            meta = replace(meta, digests=self.read_digests)
        if not self.read_attributes:
            meta = replace(meta, attributes=None)

        def chunks() -> Iterator[bytes]:
            for byte in bytes(body.read()):
                self.taken += 1
                yield bytes([byte])

        return Body(meta, chunks())


@pytest.fixture
def place() -> Endpoint:
    place = named("r", Store)
    put(place, "a")
    return place.below("a")


def store_of(place: Endpoint, **behaviour: Any) -> Store:
    assert isinstance(place.store, Store)
    for name, value in behaviour.items():
        setattr(place.store, name, value)
    return place.store


def taken(
    place: Endpoint,
    target: FileTarget | ObjectTarget,
    known: Reference = Reference(),
    *,
    live: bool = False,
    progress: Progress | None = None,
    cancelled: bool = False,
    others: Iterable[Reference] = (),
    **policy: Any,
) -> Arrival:
    given_up = threading.Event()
    if cancelled:
        given_up.set()
    return take(
        place,
        target,
        FailoverPolicy(**policy),
        live=live,
        cancelled=given_up,
        known=known,
        others=lambda: others,
        progress=progress,
    )


def refused(place: Endpoint, directory: Path, known: Reference = Reference(), **how: Any) -> Any:
    """Why nothing of it arrives; nothing is left at the target."""
    with pytest.raises(CloudError) as caught:
        taken(place, FileTarget(directory / "a"), known, **how)
    assert list(directory.iterdir()) == []
    assert caught.value.cloud == "memory"
    return caught.value


class TestAge:
    HOUR = timedelta(hours=1)

    def known(self, place: Endpoint, ago: timedelta) -> Reference:
        entry = proven(place, "", "mem://s/data/a", as_of=NOW - ago)
        return reference_of(entry, (), str(place.location))

    def test_a_replica_is_as_old_as_its_ledger_says(self, place: Endpoint, tmp_path: Path) -> None:
        """Whenever its object was written."""
        fresh, stale = self.known(place, timedelta(0)), self.known(place, 2 * self.HOUR)
        store = store_of(place, modified=NOW - timedelta(days=9))
        arrival = taken(place, FileTarget(tmp_path / "a"), fresh, max_staleness=self.HOUR)
        assert arrival.as_of == fresh.as_of
        arrival.staged.discard()
        store_of(place, modified=NOW)
        store.asked.clear()
        err = refused(place, tmp_path, stale, max_staleness=self.HOUR)
        assert err.kind is ErrorKind.PRECONDITION_FAILED
        assert store.asked == []  # not even looked at

    def test_without_one_it_is_as_old_as_the_object(self, place: Endpoint, tmp_path: Path) -> None:
        store = store_of(place, modified=NOW - 2 * self.HOUR)
        refused(place, tmp_path, max_staleness=self.HOUR)
        assert store.taken == 0
        arrival = taken(place, FileTarget(tmp_path / "a"), max_staleness=3 * self.HOUR)
        assert arrival.as_of == NOW - 2 * self.HOUR
        arrival.staged.discard()

    @pytest.mark.parametrize("over", [timedelta(0), timedelta(microseconds=1)])
    def test_the_limit_itself_is_no_reason(
        self, place: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: timedelta
    ) -> None:
        stop_the_clock(monkeypatch, candidates_module, NOW)
        known = self.known(place, self.HOUR + over)
        if over:
            refused(place, tmp_path, known, max_staleness=self.HOUR)
        else:
            target = FileTarget(tmp_path / "a")
            taken(place, target, known, max_staleness=self.HOUR).staged.discard()

    @pytest.mark.parametrize("with_ledger", [True, False])
    def test_the_live_primary_is_never_stale(
        self, place: Endpoint, tmp_path: Path, *, with_ledger: bool
    ) -> None:
        known = self.known(place, 2 * self.HOUR) if with_ledger else Reference()
        store_of(place, modified=NOW - 2 * self.HOUR)
        arrival = taken(
            place, FileTarget(tmp_path / "a"), known, live=True, max_staleness=self.HOUR
        )
        arrival.staged.discard()

    def test_what_was_not_replicated_is_not_looked_at(
        self, place: Endpoint, tmp_path: Path
    ) -> None:
        entry = behind(proven(place, "", "mem://s/data/a"), proven=False)
        store = store_of(place)
        store.asked.clear()
        err = refused(place, tmp_path, reference_of(entry, (), "uri"))
        assert err.kind is ErrorKind.PRECONDITION_FAILED
        assert store.asked == []


class TestDigests:
    def test_a_store_that_tells_them_only_when_asked(self, place: Endpoint, tmp_path: Path) -> None:
        """As S3 does with checksums."""
        store_of(place, read_digests=Digests())
        assert self.verified_by(place, tmp_path) == "store"

    def test_those_of_what_came_in_between_are_not_the_objects(
        self, place: Endpoint, tmp_path: Path
    ) -> None:
        store = store_of(place, read_digests=Digests(), stat_etag="another")
        assert self.verified_by(place, tmp_path) is None
        assert store.asked == ["get", "stat", "list"]

    def test_they_are_asked_for_only_where_nothing_vouches(
        self, place: Endpoint, tmp_path: Path
    ) -> None:
        store = store_of(place)
        assert self.verified_by(place, tmp_path) == "store"
        assert store.asked == ["get"]
        # The listing is asked as well about what may be a page of something on the way.
        store_of(place, content_type="text/html")
        assert self.verified_by(place, tmp_path) == "store"
        assert store.asked == ["get", "get", "list"]

    def test_a_page_that_its_ledger_knows_is_one(self, place: Endpoint, tmp_path: Path) -> None:
        known = reference_of(proven(place, "", "mem://s/data/a"), (), "uri")
        store = store_of(place, content_type="text/html")
        store.asked.clear()
        assert self.verified_by(place, tmp_path, known) == "ledger"
        assert store.asked == ["get"]

    @pytest.mark.parametrize("known", [Digests(crc32c=KNOWN.crc32c), Digests()])
    def test_an_old_version_is_in_no_listing(
        self, place: Endpoint, tmp_path: Path, known: Digests
    ) -> None:
        """Nor is it what the store says of the object that is there now, if there is one."""
        entry = proven(place, "", "mem://s/data/a", digests=known)
        place.store.delete_object(place.location.ref)
        store_of(place, read_digests=Digests())
        by = None if known.crc32c else "store"
        assert self.verified_by(place, tmp_path, reference_of(entry, (), "uri")) == by

    def verified_by(
        self, place: Endpoint, directory: Path, known: Reference = Reference()
    ) -> str | None:
        arrival = taken(place, FileTarget(directory / "a"), known)
        arrival.staged.discard()
        assert (arrival.size, arrival.sha256) == (len(CONTENT), KNOWN.sha256)
        return arrival.verified_by

    def test_where_one_is_required_nothing_is_read_without(
        self, place: Endpoint, tmp_path: Path
    ) -> None:
        store = store_of(place, read_digests=Digests(), stat_etag="another")
        err = refused(place, tmp_path, require_digest=True)
        assert err.kind is ErrorKind.INTEGRITY
        assert store.taken == 0


class TestSize:
    @pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
    def test_one_that_the_ledger_does_not_know_is_refused_before_reading(
        self, place: Endpoint, tmp_path: Path, size: int
    ) -> None:
        known = reference_of(proven(place, "", "mem://s/data/a", size=size), (), "uri")
        store = store_of(place)
        err = refused(place, tmp_path, known)
        assert f"has {len(CONTENT)} bytes, {size} are expected" in str(err)
        assert (err.kind, store.taken) == (ErrorKind.INTEGRITY, 0)

    @pytest.mark.parametrize(
        ("stated", "taken"), [(len(CONTENT) - 4, len(CONTENT) - 3), (len(CONTENT) + 1, None)]
    )
    def test_a_body_is_read_up_to_what_was_stated(
        self, place: Endpoint, tmp_path: Path, stated: int, taken: int | None
    ) -> None:
        """Also where only a digest is expected."""

        def said(meta: ObjectMeta) -> ObjectMeta:
            return replace(meta, size=stated)

        store = store_of(place, said=said)
        err = refused(place, tmp_path, expected_sha256=KNOWN.sha256)
        assert err.kind is ErrorKind.INTEGRITY
        assert store.taken == (taken or len(CONTENT))


class TestTheTarget:
    @pytest.mark.parametrize("reads_first", [True, False])
    def test_its_failure_is_its_own(
        self, place: Endpoint, tmp_path: Path, *, reads_first: bool
    ) -> None:
        class Full(FileTarget):
            def stage(self, chunks: Iterable[Buffer]) -> StagedFile | StagedDirectory:
                if reads_first:
                    next(iter(chunks))
                raise StorageError("full", kind=ErrorKind.QUOTA, cloud="there", code="507")

        with pytest.raises(TargetError, match="full") as caught:
            taken(place, Full(tmp_path / "a"))
        err = caught.value
        assert (err.kind, err.cloud, err.code) == (ErrorKind.QUOTA, "there", "507")

    def test_a_failure_of_the_copy_is_the_copys(self, place: Endpoint, tmp_path: Path) -> None:
        """Whatever the target makes of it."""

        class Wrapping(FileTarget):
            def stage(self, chunks: Iterable[Buffer]) -> StagedFile | StagedDirectory:
                try:
                    return super().stage(chunks)
                except CloudError as err:
                    raise TargetError("wrapped", kind=ErrorKind.QUOTA) from err

        with pytest.raises(StorageError, match="are expected") as caught:
            taken(
                place,
                Wrapping(tmp_path / "a"),
                reference_of(proven(place, "", "x", size=3), (), "uri"),
            )
        assert not isinstance(caught.value, TargetError)

        store_of(place, said=lambda meta: replace(meta, size=3))
        with pytest.raises(StorageError, match="are expected") as caught:
            taken(place, Wrapping(tmp_path / "a"))
        assert not isinstance(caught.value, TargetError)

    @pytest.mark.parametrize("reads_tell", [True, False])
    @pytest.mark.parametrize("deleted", [True, False])
    def test_attributes_are_kept_as_far_as_the_store_can(
        self, place: Endpoint, *, reads_tell: bool, deleted: bool
    ) -> None:
        """Also those of a version that is not the current one any more."""
        there = endpoint("there")
        put(place, "", content_type="text/csv", metadata={"owner": "lab"})
        meta = place.store.stat_object(place.location.ref)
        entry = proven(place, "", "mem://s/data/a", etag=meta.etag, version=meta.version)
        if deleted:
            place.store.delete_object(place.location.ref)
        else:
            put(place, "", content_type="text/csv", metadata={"owner": "lab"})
        store_of(place, read_attributes=reads_tell)
        arrival = taken(place, ObjectTarget(there), reference_of(entry, (), "uri"))
        assert arrival.not_kept == ()
        arrival.staged.commit()
        kept = there.store.stat_object(there.location.ref).attributes
        assert kept is not None
        assert (kept.content_type, kept.metadata) == ("text/csv", {"owner": "lab"})


class TestProgress:
    def test_every_byte_is_counted_as_it_arrives(self, place: Endpoint, tmp_path: Path) -> None:
        progress = Progress()
        taken(place, FileTarget(tmp_path / "a"), progress=progress).staged.discard()
        seen = progress.snapshot()
        assert (seen.to_copy, seen.to_write, seen.written) == (1, len(CONTENT), len(CONTENT))

    def test_what_was_planned_stays(self, place: Endpoint, tmp_path: Path) -> None:
        progress = Progress()
        progress.expect(7, 0)
        taken(place, FileTarget(tmp_path / "a"), progress=progress).staged.discard()
        assert progress.snapshot().to_copy == 7

    def test_who_is_given_up_stops_at_the_next_chunk(self, place: Endpoint, tmp_path: Path) -> None:
        store = store_of(place)
        err = refused(place, tmp_path, cancelled=True)
        assert (err.kind, store.taken) == (ErrorKind.TIMEOUT, 1)


def test_findings_of_the_ledger_and_of_the_choice_are_told(place: Endpoint, tmp_path: Path) -> None:
    known = reference_of(proven(place, "", "mem://s/data/a"), (), "uri")
    put(place, "", b"another")
    arrival = taken(place, FileTarget(tmp_path / "a"), replace(known, findings=("first",)))
    arrival.staged.discard()
    assert arrival.findings[0] == "first"
    assert "was changed since it was proven" in arrival.findings[1]
    assert len(arrival.findings) == 2

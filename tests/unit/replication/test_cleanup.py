"""What killed runs have left is found, named and removed; what is in use is left alone."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.core.cleanup import Left, cleanup
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import run_files, shards
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import PREFIX, conn_of, own, uploads, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.ports.object_store import Part, PartUpload

NOW = timedelta(0)
TREE = {"a": b"1", "large": bytes(100)}


def begin(end: Endpoint, name: str) -> None:
    assert isinstance(end.store, object_store.Hook)
    end.store.begin_upload(end.ref(end.location.key + name))


def test_everything_below_a_place_is_found_and_nothing_else() -> None:
    lab = world(TREE)
    (there,) = lab.destinations
    replicate(lab.replication(), run_id="done")
    begin(there, "large")
    begin(replace(there, location=there.location.with_key("elsewhere/")), "large")
    lab.source.store.put_object(lab.source.ref(PREFIX + "b"), b"2")
    shards.plan_shards(lab.replication(), shards=1, run_id="unclosed")
    before = own(there)

    looked = cleanup([there], older_than=NOW, dry_run=True)
    assert looked.found == {Left.UPLOAD: 1, Left.PLAN: 1}
    assert looked.removed == {}
    assert not looked.clean
    assert own(there) == before
    assert len(uploads(there)) == 2

    done = cleanup([there], older_than=NOW)
    assert done.found == done.removed == looked.found
    assert done.clean
    assert {one.uri.partition(conn_of(there))[2] for one in done.named} >= {
        "@lab/copy/large",
        f"@lab/{RESERVED_PREFIX}runs/unclosed/",
    }
    assert uploads(there) == ["elsewhere/large"]
    assert own(there, "runs/") == []
    assert own(there, "ledger/")  # The replica and its proof are no left-overs.

    whole = cleanup([replace(there, location=there.location.with_key(""))], older_than=NOW)
    assert whole.removed == {Left.UPLOAD: 1}
    assert cleanup([there], older_than=NOW).named == ()


def test_what_may_be_in_use_is_left_alone() -> None:
    lab = world(TREE)
    (there,) = lab.destinations
    begin(there, "large")
    shards.plan_shards(lab.replication(), shards=1, run_id="now")
    assert cleanup([there], older_than=timedelta(hours=1)).named == ()
    assert uploads(there) == ["copy/large"]


class Old(object_store.Hook):
    """Uploads were begun long ago, or nobody knows when; of parts it may not tell the time."""

    begun: datetime | None = datetime.now(UTC) - timedelta(days=3)
    tells = True

    def list_uploads(self, bucket: str, prefix: str = "") -> list[PartUpload]:  # type: ignore[override]
        return [replace(one, started=self.begun) for one in super().list_uploads(bucket, prefix)]

    def list_parts(self, upload: PartUpload) -> list[Part]:
        parts = super().list_parts(upload)
        return [part if self.tells else replace(part, sent=None) for part in parts]


def _old(*, begun: datetime | None, tells: bool = True) -> Endpoint:
    (there,) = world(TREE).destinations
    store = Old(conn_of(there))
    store.begun, store.tells = begun, tells
    return replace(there, store=store)


def test_an_upload_that_still_gets_parts_is_in_use() -> None:
    there = _old(begun=Old.begun)
    assert isinstance(there.store, Old)
    for name in ("live", "idle"):
        begin(there, name)
    (live,) = there.store.list_uploads(there.bucket, "copy/live")
    there.store.put_part(live, 1, b"1", digests=Digests(crc32c=crc32c_of(b"1")))

    report = cleanup([there], older_than=timedelta(hours=1))

    assert [one.uri.rpartition("/")[2] for one in report.named] == ["idle"]
    assert uploads(there) == ["copy/live"]
    time.sleep(0.01)
    (seen,) = cleanup([there], older_than=NOW).named
    assert seen.removed
    assert seen.last_used is not None
    assert seen.last_used > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize(("begun", "tells"), [(None, True), (Old.begun, False)])
def test_an_upload_of_which_no_time_is_known_stays_and_says_so(
    begun: datetime | None, tells: bool
) -> None:
    there = _old(begun=begun, tells=tells)
    begin(there, "large")
    assert isinstance(there.store, Old)
    (upload,) = there.store.list_uploads(there.bucket)
    if not tells:
        there.store.put_part(upload, 1, b"1", digests=Digests(crc32c=crc32c_of(b"1")))
    (left,) = cleanup([there], older_than=timedelta(hours=1)).named
    assert (left.removed, left.reason) == (False, "the store doesn't tell when it was last used")
    assert uploads(there) == ["copy/large"]


DAMAGED, NEWER = b"{", b'{"plan": 2, "version": 2}'


@pytest.mark.parametrize("unreadable", [DAMAGED, NEWER])
def test_a_plan_that_cant_be_read_is_the_whole_buckets(unreadable: bytes) -> None:
    lab = world(TREE)
    (there,) = lab.destinations
    replicate(lab.replication())
    lab.source.store.put_object(lab.source.ref(PREFIX + "b"), b"2")
    shards.plan_shards(lab.replication(), shards=1, run_id="unclosed")
    put_stream(there, f"{RESERVED_PREFIX}runs/odd/plan.json", [unreadable])

    assert cleanup([there], older_than=NOW, dry_run=True).found == {Left.PLAN: 1}
    open_run, *plans = status(there).findings
    assert open_run.startswith("run unclosed")
    assert plans == ["1 plan of runs that are under way, or were killed"]
    whole = replace(there, location=there.location.with_key(""))
    assert cleanup([whole], older_than=NOW).removed == {Left.PLAN: 2}
    assert own(there, "runs/") == []


def test_a_plan_is_not_read_without_end() -> None:
    """What lies in its place may be of any size."""
    (there,) = world(TREE).destinations
    store = Endless(conn_of(there))
    with pytest.raises(StorageError, match=r"is damaged .*it is larger than") as raised:
        run_files.read_plan(replace(there, store=store), "run")
    assert raised.value.kind is ErrorKind.INTEGRITY
    assert store.read < 20 << 20


class Endless(object_store.Hook):
    """An object has 64 MiB, and nobody who reads it all is told so before."""

    read = 0

    def get_object(  # type: ignore[override]
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> EndlessBody:
        return EndlessBody(self)


class EndlessBody:
    def __init__(self, store: Endless) -> None:
        self._store = store

    def read(self) -> bytes:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(64):
            self._store.read += 1 << 20
            yield b" " * (1 << 20)


class Stubborn(object_store.Hook):
    """Some uploads are another program's, and some can't be aborted."""

    def list_uploads(self, bucket: str, prefix: str = "") -> list[PartUpload]:  # type: ignore[override]
        return [
            replace(upload, ours=not upload.ref.key.endswith("foreign"))
            for upload in super().list_uploads(bucket, prefix)
        ]

    def abort_upload(self, upload: PartUpload) -> None:
        if upload.ref.key.endswith("locked"):
            raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)
        if not upload.ref.key.endswith("lasting"):
            super().abort_upload(upload)


def test_what_stays_says_why() -> None:
    (there,) = world(TREE).destinations
    there = replace(there, store=Stubborn(conn_of(there)))
    for name in ("foreign", "locked", "lasting", "plain"):
        begin(there, name)
    report = cleanup([there], older_than=NOW)
    assert (report.found, report.removed) == ({Left.UPLOAD: 4}, {Left.UPLOAD: 1})
    reasons = {one.uri.rpartition("/")[2]: one.reason for one in report.named}
    assert reasons == {
        "foreign": "another program's, for all the store tells",
        "locked": "permission_denied: no",
        "lasting": "unsupported: the store has no verb to discard it and does so by itself, a week "
        "after the last part",
        "plain": None,
    }
    assert str(report.named[0]).endswith("UTC: another program's, for all the store tells")


def test_half_written_files(tmp_path: Path) -> None:
    part = tmp_path / "deep" / f".file.csv.{'0f' * 8}.part"
    part.parent.mkdir()
    others = [tmp_path / "a.part", tmp_path / ".a.part", tmp_path / f"a.{'0f' * 8}.part"]
    for path in (part, *others):
        path.write_bytes(b"1")
    assert api.cleanup([tmp_path]).named == ()
    old = time.time() - 90_000
    os.utime(part, (old, old))
    report = api.cleanup(str(tmp_path))
    assert [one.uri for one in report.named] == [str(part)]
    assert not part.exists()
    assert all(path.exists() for path in others)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"places": []}, "places: none given"),
        ({"places": 5}, "places: 5 given"),
        ({"places": "/no/such/directory"}, r"places\[0\]: /no/such/directory is no directory"),
        ({"places": "/", "older_than": timedelta(-1)}, "older_than: "),
    ],
)
def test_what_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(CloudError, match=f"^{message}"):
        api.cleanup(**arguments)  # type: ignore[arg-type]

"""A process that is killed on its way leaves uploads; the next run over that place clears them."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.left_uploads import clear_left_uploads
from airflow_multicloud.core.replication import leftovers
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.engine import new_job, prepare
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.run import new_run
from airflow_multicloud.core.run_tokens import under_way
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import PartUpload, PartUploads

from ..forks import forked  # noqa: TID252
from .lab import Lab, put, tree_of

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint

_MIB = 1 << 20
OPTIONS = ReplicationOptions(part_size=5 * _MIB, large_object=5 * _MIB, memory_limit=20 * _MIB)


def _die(how: str, cloud: str, source: str, target: str) -> None:
    """Be killed when all parts are there and the object is not."""
    hook = import_module(f"airflow_multicloud.clouds.{cloud}.object_store").Hook
    hook.complete_upload = lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL)
    if how == "replicate":
        api.replicate(source, target, OPTIONS)
    elif how == "fetch":
        api.failover_fetch([source], target)
    else:
        journal = ".airflow-multicloud/ledger/1"
        put_stream(opened(target), journal, [bytes(12 << 20)], part_size=5 << 20)


def killed(how: str, cloud: str, source: str, target: str) -> None:
    with TemporaryDirectory() as directory:
        one = forked(_die, how, cloud, source, target, errors=Path(directory, "errors.txt"))
        assert one.wait() == -signal.SIGKILL, one.said()


def opened(uri: str) -> Endpoint:
    return open_endpoint(uri, parameter="uri")


def uploads(uri: str) -> list[PartUpload]:
    end = opened(uri)
    assert isinstance(end.store, PartUploads)
    return list(end.store.list_uploads(end.bucket))


def own(uri: str) -> list[str]:
    """Parts, and what is noted of uploads."""
    end = opened(uri)
    return [
        meta.key
        for directory in ("parts/", "uploads/")
        for meta in end.store.list_objects(end.bucket, f".airflow-multicloud/{directory}")
    ]


def run_again(source: str, target: str) -> None:
    """What a replication does after it has listed both sides."""
    replication = Replication(opened(source), (opened(target),), OPTIONS)
    with Catalog() as catalog, under_way("again"):
        run = new_run(replication, "again")
        bases = prepare(catalog, replication, run)
        recorder = Recorder(run, replication.destinations, bases, catalog)
        execute(new_job(replication, Progress()), catalog, recorder)
        leftovers.clear_left(catalog, replication, recorder.writable)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
class TestKilled:
    def places(self, lab: Lab, cloud: str) -> tuple[str, str]:
        if cloud == "aws":
            return lab.gcs, f"s3://aws_local@{lab.bucket}/copy/"
        return lab.s3, lab.gcs

    @pytest.mark.parametrize("became", ["gone", "renamed", "shrunk"])
    def test_a_replication_whose_object_is_another_now(
        self, lab: Lab, cloud: str, became: str
    ) -> None:
        source, target = self.places(lab, cloud)
        put(source + "keep", b"k")
        put(source + "big", os.urandom(12 * _MIB))
        killed("replicate", cloud, source, target)
        assert [u.ref.key for u in uploads(target)] == ["copy/big"]
        end = opened(source)
        if became == "shrunk":
            put(source + "big", b"b")
        else:
            end.store.delete_object(end.ref(end.location.key + "big"))
        if became == "renamed":
            put(source + "renamed", b"b")
        run_again(source, target)
        assert (uploads(target), own(target)) == ([], [])
        assert tree_of(target) == tree_of(source)

    def test_a_replication_whose_object_is_the_same_still(self, lab: Lab, cloud: str) -> None:
        source, target = self.places(lab, cloud)
        put(source + "big", os.urandom(12 * _MIB))
        killed("replicate", cloud, source, target)
        assert clear_left_uploads(opened(target), wanted=lambda key: True) == 0
        api.replicate(source, target, OPTIONS)
        assert (uploads(target), own(target)) == ([], [])
        assert tree_of(target) == tree_of(source)

    def test_a_fetch(self, lab: Lab, cloud: str) -> None:
        source, target = self.places(lab, cloud)
        put(source + "big", os.urandom(20 * _MIB))
        killed("fetch", cloud, source + "big", target + "fetched")
        assert len(uploads(target)) == 1
        assert tree_of(target) == {}
        (seen,) = api.cleanup(target, older_than=timedelta(0), dry_run=True).named
        assert (seen.kind, seen.reason) == (api.Left.UPLOAD, None)
        put(source + "big", b"shrunk")
        api.failover_fetch([source + "big"], target + "fetched")
        assert (uploads(target), own(target)) == ([], [])
        assert tree_of(target) == {"fetched": b"shrunk"}

    def test_a_large_file_of_this_package(self, lab: Lab, cloud: str) -> None:
        _, target = self.places(lab, cloud)
        killed("ledger", cloud, "-", target)
        assert len(uploads(target)) == 1
        (seen,) = api.cleanup(target, older_than=timedelta(0), dry_run=True).named
        assert seen.uri.endswith("/.airflow-multicloud/ledger/1")
        assert clear_left_uploads(opened(target), own_files=True) == 1
        assert (uploads(target), own(target)) == ([], [])


def test_what_azure_keeps_is_named(lab: Lab) -> None:
    put(lab.s3 + "big", os.urandom(12 * _MIB))
    killed("fetch", "azure", lab.s3 + "big", lab.azure + "fetched")
    report = api.cleanup(lab.azure, older_than=timedelta(0), dry_run=True)
    (seen,) = report.named
    assert seen.reason is not None
    assert "does so by itself, 7 days after the last part" in seen.reason
    api.failover_fetch([lab.s3 + "big"], lab.azure + "fetched")
    assert uploads(lab.azure) == []


def test_notes_of_uploads_that_are_over(lab: Lab) -> None:
    """A run was killed between an upload's end and forgetting it, and the object is gone since."""
    end = opened(lab.s3)
    assert isinstance(end.store, PartUploads)
    upload = end.store.begin_upload(end.ref("data/gone"), run="x")
    end.store._s3.client.abort_multipart_upload(  # type: ignore[attr-defined]
        Bucket=end.bucket, Key="data/gone", UploadId=upload.upload_id
    )
    end.store.begin_upload(end.ref("elsewhere/live"), run="y")
    assert len(own(lab.s3)) == 2
    (seen,) = api.cleanup(lab.s3, older_than=timedelta(0), dry_run=True).named
    assert (seen.kind, seen.last_used) == (api.Left.RECORD, None)
    assert clear_left_uploads(end) == 0
    (rest,) = own(lab.s3)
    assert rest.endswith("-y")

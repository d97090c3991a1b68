"""A task that is marked as failed, or whose worker is stopped, in a process of Airflow's own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import PartUploads

from .lab import Lab, put, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SCRIPT = Path(__file__).with_name("killed_task.py")
_MIB = 1 << 20
_UPLOADED = 512 * _MIB

DAG_FILE = """
from airflow.sdk import DAG
from airflow_multicloud.operators.object_store import FailoverFetchOperator
from airflow_multicloud.operators.object_store import ReplicateOperator
from airflow_multicloud.operators.object_store import UploadArtifactOperator

{slow}
with DAG("killed", schedule=None):
    ReplicateOperator(
        task_id="replicate", source={source!r}, destinations=[{replica!r}],
        part_size=1 << 20, large_object=1 << 20, bandwidth_limit=2 << 20,
    )
    UploadArtifactOperator(task_id="upload", file={file!r}, destination={source!r} + "big")
"""

# A slow line: whatever the machine, the file is hashed soon, and its upload lasts for a minute.
SLOW_UPLOAD = """
import time
from airflow_multicloud.clouds.aws.object_store.parts import S3PartUploads

put_part = S3PartUploads.put_part

def slow(*args, **given):
    part = put_part(*args, **given)
    time.sleep(1)
    return part

S3PartUploads.put_part = slow
"""


@contextmanager
def task(lab: Lab, directory: Path, task_id: str) -> Iterator[subprocess.Popen[str]]:
    """A worker's supervisor with its task."""
    file = directory / "big"
    with file.open("wb") as opened:
        opened.truncate(_UPLOADED)  # sparse
    slow = SLOW_UPLOAD if task_id == "upload" else ""
    given = {"source": lab.s3, "replica": lab.gcs, "file": str(file), "slow": slow}
    (directory / "killed.py").write_text(DAG_FILE.format(**given))
    bundle = {
        "name": "testing",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(directory)},
    }
    settings = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, str(_SCRIPT), str(directory / "killed.py"), task_id]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, str(directory / "marked")],
            env=os.environ | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(holds: Callable[[], object], process: subprocess.Popen[str], directory: Path) -> None:
    end = time.monotonic() + 300
    while not holds():
        assert process.poll() is None, (directory / "log").read_text()[-5000:]
        assert time.monotonic() < end, (directory / "log").read_text()[-5000:]
        time.sleep(0.2)


@cache
def opened(uri: str) -> Endpoint:
    return open_endpoint(uri, parameter="uri")


def parts(uri: str) -> int:
    end = opened(uri)
    assert isinstance(end.store, PartUploads)
    uploads = list(end.store.list_uploads(end.bucket, end.location.key))
    return sum(len(end.store.list_parts(upload)) for upload in uploads)


def mark(process: subprocess.Popen[str], directory: Path) -> None:
    (directory / "marked").touch()


def stop_worker(process: subprocess.Popen[str], directory: Path) -> None:
    process.send_signal(signal.SIGTERM)


HOW = pytest.mark.parametrize("how", [mark, stop_worker])


def ended(process: subprocess.Popen[str], directory: Path) -> str:
    """The log of a task that came to its own end within the seconds it had."""
    process.wait(60)
    log = (directory / "log").read_text()
    assert "did not terminate in time" not in log
    assert "SIGKILL" not in log
    assert "the task was stopped: " in log, log[-5000:]
    return log


@HOW
def test_a_replication_keeps_what_the_next_try_takes_up(
    lab: Lab, tmp_path: Path, how: Callable[[subprocess.Popen[str], Path], None]
) -> None:
    put(lab.s3 + "large", os.urandom(40 * _MIB))
    for number in range(5):
        put(f"{lab.s3}small/{number}", b"1")
    with task(lab, tmp_path, "replicate") as process:
        until(lambda: parts(lab.gcs) >= 3, process, tmp_path)
        how(process, tmp_path)
        log = ended(process, tmp_path)
    assert re.search(rf"kept for the next try: the parts of gs://\w+@{lab.bucket}/\S*large", log)
    assert set(tree_of(lab.gcs)) == {f"small/{number}" for number in range(5)}
    kept = parts(lab.gcs)
    assert kept >= 3
    report = api.replicate(
        lab.s3, lab.gcs, api.ReplicationOptions(part_size=_MIB, large_object=_MIB)
    )
    (outcomes,) = [{str(o): n for o, n in d.outcomes.items()} for d in report.destinations]
    assert outcomes == {"copied": 1, "unchanged": 5}
    assert parts(lab.gcs) == 0
    assert api.cleanup(lab.gcs, older_than=timedelta(0)).clean


@HOW
def test_an_upload_leaves_nothing(
    lab: Lab, tmp_path: Path, how: Callable[[subprocess.Popen[str], Path], None]
) -> None:
    with task(lab, tmp_path, "upload") as process:
        until(lambda: parts(lab.s3), process, tmp_path)
        how(process, tmp_path)
        ended(process, tmp_path)
    assert parts(lab.s3) == 0
    assert tree_of(lab.s3) == {}

"""``--live`` as if the local clouds were real ones: connections from the environment, limits."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from airflow_multicloud import registry
from airflow_multicloud.ports.object_store import BucketListing, ObjectStore
from airflow_multicloud.testing.contracts.rigs import as_capable
from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID, resource_manager
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalClouds

CHECKOUT = Path(__file__).parents[2]
ENOUGH = ("--live-max-requests", "2000")
#: A few that make buckets, objects, versions, uploads.
FEW = "test_overwrite or test_creates_once or test_by_prefix or test_lists_uploads or test_says_who"


def live(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = ("-m", "pytest", "-p", "no:cacheprovider", "tests/live/suite.py", *words)
    return subprocess.run(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def connections(local_clouds: LocalClouds) -> dict[str, str]:
    """As somebody with accounts has them in the environment."""
    found = local_clouds.conn_env()
    return {
        f"AIRFLOW_CONN_MY_{cloud.upper()}": found[f"AIRFLOW_CONN_{local.upper()}"]
        for cloud, local in (("aws", "aws_local"), ("gcp", "gcp_local"), ("azure", "wasb_local"))
    }


def buckets() -> set[str]:
    return {
        f"{conn_id} {bucket}"
        for conn_id in ("aws_local", "gcp_local", "wasb_local")
        for bucket in as_capable(
            registry.resolve(ObjectStore, conn_id), BucketListing
        ).list_buckets()
    }


def test_three_clouds_leave_nothing_behind(connections: dict[str, str]) -> None:
    before = buckets()
    clouds = "aws=my_aws,gcp=my_gcp,azure=my_azure"
    ended = live("--live", clouds, *ENOUGH, "-v", "-k", FEW, env=connections)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.findall(r"::test_overwrite\[live_(\w+)\] PASSED", ended.stdout)
    assert sorted(passed) == ["aws", "azure", "gcp"]
    used = re.search(r"live: (\d+) of 2000 requests, (\d+) of", ended.stdout)
    assert used is not None
    assert int(used[1]) > 30
    assert int(used[2]) > 0
    assert buckets() == before


def test_a_limit_ends_the_run(connections: dict[str, str]) -> None:
    before = buckets()
    words = ("--live", "aws=my_aws", "--live-max-requests", "25", "-k", "TestObjectStore")
    ended = live(*words, env=connections)
    assert ended.returncode == 1
    assert "live run stopped: --live-max-requests 25 would be exceeded" in ended.stdout
    assert re.search(r"\b1 (failed|error)\b", ended.stdout)
    assert buckets() == before  # removed all the same


def test_bytes_are_limited(connections: dict[str, str]) -> None:
    words = ("--live", "aws=my_aws", *ENOUGH, "--live-max-bytes", "100000", "-k", "test_chunks")
    ended = live(*words, env=connections)
    assert ended.returncode == 1
    assert "--live-max-bytes 100000 would be exceeded" in ended.stdout


def test_a_bucket_that_is_given(connections: dict[str, str]) -> None:
    name = f"given-{uuid.uuid4().hex[:16]}"
    hook = S3Hook("aws_local")
    hook.create_bucket(name)
    before = buckets()
    words = ("--live", "aws=my_aws", *ENOUGH, "--live-bucket", f"aws={name}", "-k", FEW)
    ended = live(*words, env=connections)
    assert ended.returncode == 0, ended.stdout
    assert buckets() == before
    assert hook.list_keys(name) == []
    client = hook.get_conn()
    upload = client.create_multipart_upload(Bucket=name, Key="mine")
    refused = live(*words, env=connections)
    assert refused.returncode == 4
    assert f"{name} has unfinished uploads" in refused.stdout + refused.stderr
    assert [u["Key"] for u in client.list_multipart_uploads(Bucket=name)["Uploads"]] == ["mine"]
    client.abort_multipart_upload(Bucket=name, Key="mine", UploadId=upload["UploadId"])
    hook.load_bytes(b"mine", "mine", name)
    refused = live(*words, env=connections)
    assert refused.returncode == 4
    assert f"{name} has objects" in refused.stdout + refused.stderr
    assert hook.list_keys(name) == ["mine"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--live", "aws=my_aws"), "give --live-max-requests N"),
        (("--live", "aws=nowhere", *ENOUGH), "nowhere"),
        (("--live", "gcp=my_aws", *ENOUGH), "belongs to aws, not to gcp"),
        (("--live", "aws=my_aws", *ENOUGH, "-n", "1"), "run without -n"),
        ((), "give --live CLOUD=CONN_ID"),
    ],
)
def test_refused_before_anything_is_asked(
    connections: dict[str, str], words: tuple[str, ...], said: str
) -> None:
    ended = live(*words, env=connections)
    assert ended.returncode != 0
    assert said in ended.stdout + ended.stderr


def test_only_live_tests_run_unguarded(connections: dict[str, str]) -> None:
    """Whatever else is named on the command line is left out."""
    words = ("tests/unit/test_text.py", "--live", "aws=my_aws", *ENOUGH)
    ended = live(*words, "-v", "-k", "test_text or test_says_who", env=connections)
    assert ended.returncode == 0, ended.stdout
    assert "test_text.py::" not in ended.stdout
    assert re.search(r"= \d passed, \d+ deselected", ended.stdout)


def test_costs_of_one_service(tmp_path: Path) -> None:
    """A connection for one service alone: no other suite runs."""
    server = LocalServer(resource_manager(tmp_path), log_path=tmp_path / "azure.log")
    server.start()
    try:
        day = datetime.now(UTC).date() - timedelta(days=3)
        amounts = {"Cost": "3", "AmortizedCost": "3", "Currency": "EUR"}
        scope = f"/subscriptions/{SUBSCRIPTION_ID}"
        record = {"scope": scope, "date": day.isoformat(), "ServiceName": "Storage", **amounts}
        Admin(server.endpoint).seed("cost", [record])
        connection = json.dumps(server.spec.connections["azure_local"])
        ended = live("--live", "azure.cost=my", *ENOUGH, env={"AIRFLOW_CONN_MY": connection})
        asked = [request["path"] for request in Admin(server.endpoint).requests()]
    finally:
        server.stop()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "= 1 passed" in ended.stdout
    assert any(path.endswith("/query") for path in asked)

"""The real ``airflow`` program, against the local clouds; each start takes seconds, so few."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.models import Connection
from airflow.utils.session import create_session
from sqlalchemy import delete

from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketCreation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_multicloud.testing.local_clouds import LocalClouds


def airflow(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        capture_output=True,
        text=True,
        env=env,
        check=False,
        timeout=240,
    )


def without_connections() -> dict[str, str]:
    return {n: v for n, v in os.environ.items() if not n.startswith("AIRFLOW_CONN_")}


@pytest.fixture
def stored(local_clouds: LocalClouds, airflow_db: None) -> Iterator[str]:
    """A connection in the metadata database, made as a person would."""
    connection = local_clouds.conn_env()["AIRFLOW_CONN_AWS_LOCAL"]
    added = airflow(
        *("connections", "add", "cli_stored", "--conn-json", connection),
        env=without_connections(),
    )
    assert added.returncode == 0, added.stderr
    yield "cli_stored"
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == "cli_stored"))


def test_init_finds_and_uses_stored_connections(stored: str) -> None:
    env = {**without_connections(), "AIRFLOW_CONN_OTHER": "http://example.invalid"}
    ended = airflow("multicloud", "init", "-o", "json", env=env)
    found: dict[str, Any] = {row["conn_id"]: row for row in json.loads(ended.stdout)}
    assert ended.returncode == 4, ended.stderr
    assert [*found] == [stored, "google_cloud_default", "wasb_default"]
    assert (found[stored]["cloud"], found[stored]["available"]) == ("aws", True)
    assert found[stored]["region"] == "us-east-1"
    assert found["wasb_default"]["problem"].startswith("not_found: ")
    assert [line.partition(": ")[0] for line in ended.stderr.splitlines()] == [
        "error (not_found)"
    ] * 2
    assert "airflow connections add wasb_default --conn-type wasb" in ended.stderr


def test_stdout_is_the_result_alone_even_when_verbose(local_clouds: LocalClouds) -> None:
    source = open_endpoint("s3://aws_local@cli-source/data/", parameter="source")
    assert isinstance(source.store, BucketCreation)
    source.store.ensure_bucket(source.bucket)
    source.store.put_object(source.ref("data/a.csv"), b"a,b\n")
    ended = airflow(
        *("multicloud", "replicate", "s3://aws_local@cli-source/data/"),
        *("gs://gcp_local@cli-replica/data/", "abfs://wasb_local@cli-replica/data/"),
        *("--create-buckets", "-o", "json", "--verbose"),
    )
    assert ended.returncode == 0, ended.stderr
    (report,) = json.loads(ended.stdout)
    assert [d["outcomes"] for d in report["destinations"]] == [{"copied": 1}] * 2
    assert "aws_local" in ended.stderr, "no log lines, though --verbose was given"


def test_local_runs_a_command_with_the_connections_and_ends_as_it_does() -> None:
    command = (
        'test -n "$AIRFLOW_CONN_AWS_LOCAL" -a -n "$AIRFLOW_CONN_GCP_LOCAL" '
        '-a -n "$AIRFLOW_CONN_WASB_LOCAL" -a -z "$_AIRFLOW_PROCESS_CONTEXT" && exit 42'
    )
    ended = airflow("multicloud", "local", "--", "sh", "-c", command, env=without_connections())
    assert (ended.returncode, ended.stdout) == (42, ""), ended.stderr

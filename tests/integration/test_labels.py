"""What the package makes in a cloud says in the bill which DAG and task it was made for."""

from __future__ import annotations

import json
import logging
import os
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from airflow.sdk import DAG
from google.cloud.bigquery import SchemaField, Table

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.operators.object_store import ReplicateOperator
from airflow_multicloud.testing.bills.bigquery_schemas import STANDARD_SCHEMA

from ..faults.proxy import Answer, Fault, FaultProxy, Rule  # noqa: TID252
from .airflow_runs import run_dag
from .lab import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

    from .lab import Lab

DENIED = Answer(
    403,
    {"Content-Type": "application/xml"},
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
)


def tags_of(bucket: str) -> dict[str, str]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    found = S3Hook("aws_local").get_conn().get_bucket_tagging(Bucket=bucket)
    return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


@pytest.fixture
def gcs(local_clouds: LocalClouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Cloud Storage behind a proxy that has seen every request; connection ``gcs_seen``."""
    with FaultProxy(local_clouds.gcp.spec.port, rewrite_host=True) as proxy:
        connection: Any = json.loads(local_clouds.conn_env()["AIRFLOW_CONN_GCP_LOCAL"])
        connection["extra"]["gcs.endpoint"] = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv("AIRFLOW_CONN_GCS_SEEN", json.dumps(connection))
        yield proxy


@pytest.fixture
def s3(local_clouds: LocalClouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """S3 behind the same; connection ``s3_seen``."""
    with FaultProxy(local_clouds.aws.spec.port) as proxy:
        connection: Any = json.loads(local_clouds.conn_env()["AIRFLOW_CONN_AWS_LOCAL"])
        connection["extra"]["endpoint_url"] = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv("AIRFLOW_CONN_S3_SEEN", json.dumps(connection))
        yield proxy


@pytest.mark.usefixtures("airflow_db")
def test_buckets_that_a_task_creates(lab: Lab, gcs: FaultProxy) -> None:
    put(lab.s3 + "a", b"content")
    name = f"made-{uuid.uuid4().hex[:12]}"
    with DAG("Lake.Replicas", schedule=None) as dag:
        ReplicateOperator(
            task_id="Copy.all",
            source=lab.s3,
            destinations=[f"gs://gcs_seen@{name}/", f"s3://aws_local@{name}/"],
            create_buckets=True,
        )
    assert run_dag(dag).state == "success"
    assert tags_of(name) == {"airflow-dag": "Lake.Replicas", "airflow-task": "Copy.all"}
    (made,) = gcs.seen("POST", r"/b\?project=")
    labels = json.loads(made.head)["labels"]
    assert labels == {"airflow-dag": "lake-replicas", "airflow-task": "copy-all"}


def test_a_bucket_that_may_not_be_tagged_is_made(
    s3: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook

    s3.add(Rule(fault=Fault.ANSWER, method="PUT", target=r"\?tagging", answer=DENIED))
    store = S3ObjectStoreHook("s3_seen")
    bucket = f"made-{uuid.uuid4().hex[:12]}"
    with caplog.at_level(logging.WARNING), working_for(Work(dag_id="d", task_id="t")):
        assert store.ensure_bucket(bucket) is True
    assert s3.applied() == 1
    assert f"tagging bucket {bucket!r}" in caplog.text
    assert store.stat_bucket(bucket).name == bucket
    with pytest.raises(StorageError) as raised:
        store.stat_bucket(f"{bucket}-2")
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_queries_are_labelled(local_bigquery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the Google provider's own operators label theirs, and with the run besides."""
    from airflow_multicloud.clouds.gcp.cost import GCPCostHook

    connection: Any = json.loads(os.environ[f"AIRFLOW_CONN_{local_bigquery.upper()}"])
    upstream = urlsplit(connection["extra"]["bigquery.endpoint"]).port
    assert upstream is not None
    with FaultProxy(upstream) as proxy:
        connection["extra"]["bigquery.endpoint"] = f"http://127.0.0.1:{proxy.port}"
        connection["extra"]["labels"] = {"team": "data", "airflow-dag": "unknown"}
        monkeypatch.setenv("AIRFLOW_CONN_BIGQUERY_SEEN", json.dumps(connection))
        hook = GCPCostHook("bigquery_seen")
        client = hook.get_client(project_id="local")
        dataset = f"bills_{uuid.uuid4().hex[:16]}"
        client.create_dataset(dataset)
        fields = [SchemaField.from_api_repr(field.as_json()) for field in STANDARD_SCHEMA]
        client.create_table(Table(f"local.{dataset}.billing", fields))
        work = Work(dag_id="Nightly_Cost", task_id="gcp.ingest", run_id="manual__2026-10-28")
        with working_for(work):
            assert list(hook.list_billing_periods(f"local/{dataset}/billing")) == []
        (job,) = proxy.seen("POST", "/jobs")
    assert json.loads(job.head)["configuration"]["labels"] == {
        "team": "data",
        "airflow-dag": "nightly_cost",
        "airflow-task": "gcp-ingest",
        "airflow-run": "manual__2026-10-28",
    }

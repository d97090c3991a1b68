"""What the disaster recovery DAG does before the drill and beside it."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import registry
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.aws.identity import USER
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from tests.contract.database_rigs.aws import control
from tests.contract.database_rigs.sql import PASSWORD, SqlLab
from tests.contract.database_rigs.sql import USER as SQL_USER

from ..integration.airflow_runs import Run, allow, run_dag  # noqa: TID252  # tests are no package
from ..integration.lab import Lab, fill, own_keys  # noqa: TID252  # tests are no package
from .test_disaster_recovery import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

pytestmark = pytest.mark.usefixtures("airflow_db")


def run(lab: Lab, **conf: Any) -> Run:
    """With everything that is given listed in the Variable."""
    primary = conf.get("primary", lab.s3)
    chosen = {"primary": primary, "replicas": lab.replicas, "metrics_to": [], **conf}
    names = ("secrets_from", "secrets_to", "secrets_prefix", "database_at", "database")
    listed = {n: chosen[n] for n in (*names, "database_sql") if n in chosen}
    with pytest.MonkeyPatch.context() as patch:
        allow(
            patch, "disaster_recovery",
            primary=primary, replicas=lab.replicas, metrics_to=["none"], **listed,
        )  # fmt: skip
        return run_dag(load(), chosen)


@pytest.fixture
def judged(local_iam: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    """The connection ``aws_judged``: the local S3, and an IAM that says what is allowed there."""
    connection = json.loads(os.environ["AIRFLOW_CONN_AWS_LOCAL"])
    identity = json.loads(os.environ["AIRFLOW_CONN_AWS_IDENTITY_LOCAL"])
    endpoint = {"endpoint_url": identity["extra"]["endpoint_url"]}
    connection["extra"]["service_config"] = {"sts": endpoint, "iam": endpoint}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_JUDGED", json.dumps(connection))
    admin = Admin(local_iam.endpoint)
    admin.reset()
    yield admin
    admin.reset()


def test_a_denial_ends_the_run_before_anything_is_done(lab: Lab, judged: Admin) -> None:
    fill(lab.s3)
    statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    judged.seed("identity", [{"principal": USER, "policy": "less", "document": document}])
    primary = lab.s3.replace("aws_local", "aws_judged")
    found = run(lab, primary=primary, on_unknown="warn")
    assert (found.state, found.state_of("preflight")) == ("failed", "failed")
    first = found.xcom("preflight", key="report")["permissions"][0]
    assert (first["permission"], first["decision"]) == ("s3:GetObject", "deny")
    done = ("replicate", "sync_secrets", "database.snapshot", "recover")
    assert {found.state_of(one) for one in done} == {"upstream_failed"}
    assert found.state_of("judge") == "failed"
    report = found.xcom("judge", key="report")
    assert report["verdict"] == "INVALID"
    assert report["reason"].startswith(
        "The drill was not begun: preflight: aws_judged: s3:GetObject"
    )
    assert "deny" in report["findings"][0]
    assert len(report["evidence"]) == 4
    for replica in lab.replicas:
        assert {key.split("/")[1] for key in own_keys(replica)} == {"evidence"}


def test_what_is_not_known_is_not_allowed(lab: Lab) -> None:
    fill(lab.s3)
    found = run(lab)
    assert found.state_of("preflight") == "failed"
    assert found.xcom("preflight", key="report")["unknown"] > 0
    assert found.state_of("replicate") == "upstream_failed"


def test_secrets_and_a_database(
    lab: Lab,
    local_rds: LocalServer,
    local_secrets_manager: LocalServer,
    local_secret_manager: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(lab.s3)
    prefix = f"drill{uuid.uuid4().hex[:8]}/"
    here, there = (
        registry.resolve(SecretsService, one) for one in ("aws_secrets_local", "gcp_secrets_local")
    )
    here.write_secret(f"{prefix}key", b"value", token=str(uuid.uuid4()), replaces=None, tags=None)
    rds = control(local_rds)
    try:
        database = SqlLab(rds, local_rds.endpoint).primary("drilled", ["one", "two"])
        sql = {"conn_type": "postgres", "login": SQL_USER, "password": PASSWORD}
        sql |= {"schema": "postgres", "host": "drilled", "extra": '{"sslmode": "disable"}'}
        monkeypatch.setenv("AIRFLOW_CONN_DRILLED_SQL", json.dumps(sql))
        found = run(
            lab,
            on_unknown="warn",
            secrets_from="aws_secrets_local",
            secrets_to=["gcp_secrets_local"],
            secrets_prefix=prefix,
            database_at="aws_database_local",
            database=database.id,
            database_sql="drilled_sql",
            database_checks=[{"table": "items", "rows": 2}],
        )
        left = [
            one["DBInstanceIdentifier"] for one in rds.client.describe_db_instances()["DBInstances"]
        ]
    finally:
        rds.clear()
        rds.close()
    assert {*found.states.values()} == {"success", "skipped"}
    assert [one for one in found.states if found.states[one] == "skipped"] == [("export", -1)]
    judged = found.xcom("judge")
    parts = {(one["kind"], one["outcome"]): one["detail"] for one in judged["parts"]}
    assert set(parts) == {("secrets", "shown"), ("database", "shown"), ("cleanup", "shown")}
    assert parts["secrets", "shown"] == "equal at gcp_secrets_local"
    assert parts["database", "shown"].endswith("verified by SQL: 1 passed")
    assert there.read_secret(f"{prefix}key").value == b"value"
    checked = found.xcom("preflight", key="report")["permissions"]
    asked = {one["permission"] for one in checked if one["conn_id"] == "aws_database_local"}
    assert {"rds:CreateDBSnapshot", "rds:DeleteDBSnapshot", "rds:DeleteDBInstance"} <= asked
    assert "secretmanager.versions.add" in {one["permission"] for one in checked}
    assert found.xcom("database.snapshot")["retention"]["kept"] == 1
    report = found.xcom("database.verify")
    restored = found.xcom("database.restore")
    assert (report["verified"], report["host"]) == (True, restored["endpoint"]["host"])
    assert [one["name"] for one in found.xcom("database.remove")["removed"]] == [restored["name"]]
    assert "drilled" in left
    assert restored["name"] not in left

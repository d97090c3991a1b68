"""What the disaster recovery DAG does before the drill and beside it."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud import registry
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.drill.secret_canary import canary_secret_name
from airflow_multicloud.core.rollout.names import DEPLOYMENT
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.aws.identity import USER
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute, secrets
from tests.contract.database_rigs.aws import control
from tests.contract.database_rigs.sql import PASSWORD, SqlLab
from tests.contract.database_rigs.sql import USER as SQL_USER
from tests.unit.operators.rollouts import POLICY
from tests.unit.rollout.givens import target

from ..integration.airflow_runs import Run, allow, run_dag  # noqa: TID252  # tests are no package
from ..integration.lab import Lab, fill, get, own_keys  # noqa: TID252  # tests are no package
from .test_disaster_recovery import evidence_of, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

    from .conftest import Figures

pytestmark = pytest.mark.usefixtures("airflow_db")


def run(lab: Lab, **conf: Any) -> Run:
    """With everything that is given listed in the Variable."""
    primary = conf.get("primary", lab.s3)
    chosen = {"primary": primary, "replicas": lab.replicas, "metrics_to": [], **conf}
    names = ("secrets_from", "secrets_to", "secrets_prefix", "database_at", "database")
    listed = {n: chosen[n] for n in (*names, "database_sql", "deploy_artifact") if n in chosen}
    with pytest.MonkeyPatch.context() as patch:
        allow(
            patch, "disaster_recovery",
            primary=primary, replicas=lab.replicas, metrics_to=["memory_metrics"], **listed,
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
    done += ("canary_secret", "canary_copies")
    done += ("deployment.choose", "deployment.deploy", "deployment.remove")
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


def test_a_target_that_nobody_has_listed_ends_the_run_before_anything_is_done(lab: Lab) -> None:
    found = run(lab, on_unknown="warn", deploy_targets=["mars"], deploy_artifact="a.txt")
    assert (found.state_of("preflight"), found.tries["preflight", -1]) == ("failed", 1)
    assert found.state_of("replicate") == found.state_of("deployment.choose") == "upstream_failed"
    assert found.xcom("judge", key="report")["verdict"] == "INVALID"


def test_targets_without_an_artifact_are_refused_before_anything_is_done() -> None:
    needed = load().user_defined_macros["needed"]
    chosen = {"primary": "s3://a@b/", "metrics_to": [], "secrets_from": None, "database": None}
    chosen |= {"deploy_targets": ["one"], "deploy_artifact": None}
    with pytest.raises(AirflowFailException, match="deploy_artifact: nothing given"):
        needed(chosen, ["gs://a@b/"])


#: In a cloud that no drill loses here.
CONNS = ("memory_drilled_one", "memory_drilled_two")


@pytest.fixture
def machines(
    memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """The params with which a drill deploys to the memory cloud, and not where it is lost."""
    for conn_id in CONNS:
        memory_account(conn_id, "lab")
        compute.reset(conn_id)
    named = zip(("one", "two"), CONNS, strict=True)
    targets = [
        target(name, conn_id=conn_id, artifacts=f"mem://{conn_id}@lab/releases/")
        for name, conn_id in named
    ]
    lost = target("lost", conn_id="aws_local", artifacts="s3://aws_local@lab/releases/")
    monkeypatch.setenv(
        "AIRFLOW_VAR_DISASTER_RECOVERY_TARGETS", json.dumps([*targets, lost, target("unused")])
    )
    yield {
        "deploy_targets": ["lost", "one", "two"],
        "deploy_artifact": "a.txt",
        "deploy_health": None,
        "deploy_policy": {**POLICY, "canary": 0},
    }
    for conn_id in CONNS:
        compute.reset(conn_id)


def live() -> list[str]:
    return [
        one.id
        for conn_id in CONNS
        for one in compute.Hook(conn_id).list_instances({DEPLOYMENT: "drill-disaster-recovery"})
        if one.state.is_live
    ]


def check_canary(found: Run, prefix: str) -> None:
    """The canary secret stays, and its value is in nothing that was told."""
    here, there = (
        registry.resolve(SecretsService, one) for one in ("aws_secrets_local", "gcp_secrets_local")
    )
    name = found.xcom("canary_secret")["name"]
    assert name.startswith(f"{prefix}drill-canary-")
    value = here.read_secret(name).value
    assert there.read_secret(name).value == value
    assert found.xcom("canary_secret")["sha256"] == sha256_of(value)
    (first, _) = evidence_of(found.xcom("judge"), "PASSED")
    tasks = ("canary_secret", "canary_copies", "sync_secrets", "judge")
    told = json.dumps([first, *(found.xcom(one) for one in tasks)])
    assert value.decode().split()[-1] not in told


def check_serving(found: Run, lab: Lab, figures: Figures) -> None:
    """Serving again is a phase: of the evidence, of its page, and of the figures."""
    judged = found.xcom("judge")
    (first, _) = evidence_of(judged, "PASSED")
    serving = found.xcom("deployment.deploy", key="drill_deployment")
    seconds = serving["serving_again_seconds"]
    phases = first["measurement"]["phases"]
    assert phases == {
        **found.xcom("recover")["phases"],
        "serving_again_seconds": seconds,
    }
    assert seconds > phases["all_verified_seconds"]
    assert (
        "in the clouds that are left is healthy: serving again"
        in get(next(uri for uri in judged["evidence"] if uri.endswith(".html"))).decode()
    )
    exported = figures.of("multicloud.drill.phase")
    assert exported[(("multicloud.phase", "serving_again"),)] == seconds
    assert serving["artifact"]["served_by"] == f"{lab.gcs}a.txt"
    assert serving["artifact"]["left_out"] == ["lost"]
    (deployed,) = (one["detail"] for one in judged["parts"] if one["kind"] == "deployment")
    assert deployed == serving["told"]
    assert live() == []


def test_secrets_a_database_and_a_deployment(
    lab: Lab,
    machines: dict[str, Any],
    figures: Figures,
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
            metrics_to=[figures.conn_id],
            **machines,
        )
        left = [
            one["DBInstanceIdentifier"] for one in rds.client.describe_db_instances()["DBInstances"]
        ]
    finally:
        rds.clear()
        rds.close()
    assert {*found.states.values()} == {"success"}, found.unsuccessful
    judged = found.xcom("judge")
    assert {one["outcome"] for one in judged["parts"]} == {"shown"}
    parts = [(one["kind"], one["detail"]) for one in judged["parts"]]
    kinds = [kind for kind, _ in parts]
    assert kinds == [
        *("secrets", "secrets", "database", "cleanup"),
        *("deployment", "cleanup", "cleanup"),
    ]
    name = found.xcom("canary_secret")["name"]
    assert parts[0][1] == "equal at gcp_secrets_local"
    assert parts[1][1] == (
        f"gcp_secrets_local: {name} has the value that was written to aws_secrets_local"
    )
    assert parts[2][1].endswith("verified by SQL: 1 passed")
    assert parts[5][1].startswith("removed: 2 instances of drill-disaster-recovery; a listing at ")
    assert there.read_secret(f"{prefix}key").value == b"value"

    check_canary(found, prefix)
    check_serving(found, lab, figures)
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


def test_what_fails_beside_the_drill_is_named_and_removed(
    lab: Lab, machines: dict[str, Any], memory_account: Callable[[str, str], str]
) -> None:
    fill(lab.s3)
    stores = [memory_account(f"memory_drilled_{name}", "lab") for name in ("home", "one", "two")]
    secrets.reset()
    name = canary_secret_name("app/", f"memory:{stores[0]}")
    theirs = registry.resolve(SecretsService, stores[1])
    theirs.write_secret(name, b"theirs", token=str(uuid.uuid4()), replaces=None, tags=None)
    denied = ErrorKind.PERMISSION_DENIED
    compute.machines_of(CONNS[1]).faults.plant(
        [MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=denied)]
    )
    found = run(
        lab,
        on_unknown="warn",
        secrets_from=stores[0],
        secrets_to=stores[1:],
        secrets_prefix="app/",
        **{**machines, "deploy_policy": {**POLICY, "canary": 0, "rollback": "none"}},
    )
    secrets.reset()
    assert found.state == "failed"
    failed = {"sync_secrets", "canary_copies", "deployment.deploy", "judge"}
    assert {f"{one}[-1]" for one in failed} == set(found.unsuccessful)
    report = found.xcom("judge", key="report")
    unequal = f"sync_secrets: failed ({stores[1]}: 1 conflict)"
    assert (report["verdict"], report["reason"]) == ("FAILED_SECRETS", unequal)
    findings = report["findings"]
    differs = f"{name} has another value than the one written to {stores[0]}"
    assert findings[:2] == [f"secrets: {unequal}", f"secrets: {stores[1]}: {differs}"]
    assert findings[2].startswith("deployment: two: failed: ")
    shown = [one["detail"] for one in report["parts"] if one["outcome"] == "shown"]
    assert shown[0].startswith(f"{stores[2]}: {name} has the value that was written")
    assert shown[1].startswith("removed: 1 instance of drill-disaster-recovery; a listing at ")
    (first, _) = evidence_of(report, "FAILED_SECRETS")
    assert first["measurement"]["phases"]["serving_again_seconds"] is None
    assert first["findings"] == findings
    assert live() == []

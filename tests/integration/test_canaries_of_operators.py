"""Every operator of the package, with planted secrets: they show up in nothing it leaves behind."""

from __future__ import annotations

import json
import pickle
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, BaseOperator
from google.auth.credentials import CredentialsWithRegionalAccessBoundary

from airflow_multicloud import operators as all_of
from airflow_multicloud import registry
from airflow_multicloud.errors import CloudError
from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.targets import local_target

from .airflow_runs import Bare
from .canaries import Watch, plant_own, spoil
from .lab import Lab, fill

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SOON: dict[str, Any] = {"poll_interval": 0.05, "timeout": timedelta(seconds=60)}
SPAN: dict[str, Any] = {"start": "2026-10-01", "end": "2026-10-03"}
_GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/data/providers"
#: Connection → an instance, and its region.
MACHINES = {
    "aws_compute_local": ("i-0123456789abcdef0", "us-east-1"),
    "compute_local": ("projects/local/zones/us-central1-a/instances/web", "us-central1"),
    "azure_local": (f"{_GROUP}/Microsoft.Compute/virtualMachines/web", "westeurope"),
}
DATABASES = {
    "aws_database_local": "shop",
    "gcp_database_local": "shop",
    "azure_database_local": f"{_GROUP}/Microsoft.DBforPostgreSQL/flexibleServers/shop",
}
SNAPSHOTS = {
    "aws_database_local": "shop",
    "gcp_database_local": "projects/local/backups/shop",
    "azure_database_local": f"{DATABASES['azure_database_local']}/backups/shop",
}
TELEMETRY = ("aws_telemetry_local", "gcp_telemetry_local", "azure_telemetry_local")
SECRETS = ("aws_secrets_local", "gcp_secrets_local", "azure_secrets_local")
ADVISERS = ("azure_local",)
_SERVERS = (
    *("local_clouds", "local_ec2", "local_compute_engine", "local_azure"),
    *("local_cloudwatch", "local_gcp_telemetry", "local_azure_telemetry"),
    *("local_secrets_manager", "local_secret_manager", "local_key_vault"),
    *("local_rds", "local_cloud_sql", "local_flexible_servers"),
    *("local_iam", "local_gcp_permissions"),
)


@dataclass(frozen=True)
class Stage:
    """What an operator's case has: places whose credentials are canaries, and a directory."""

    lab: Lab
    scratch: Path

    @property
    def accepted(self) -> str:
        """A prefix of a store that accepts every key."""
        return self.lab.s3

    @property
    def refused(self) -> str:
        """Of one that accepts only its own."""
        return self.lab.azure

    @property
    def places(self) -> tuple[str, str]:
        return self.accepted, self.refused

    @property
    def file(self) -> Path:
        made = self.scratch / "artifact"
        made.write_bytes(b"artifact")
        return made


Case = Callable[[Stage], Iterable[BaseOperator]]


def _of(name: str) -> Any:
    return getattr(all_of, name)


def _on(name: str, parameter: str, **given: Any) -> Case:
    """At each place of object stores."""
    return lambda stage: [
        _of(name)(task_id=name, **{parameter: place}, **given) for place in stage.places
    ]


def _costs(name: str, **given: Any) -> Case:
    return lambda stage: [
        _of(name)(task_id=name, store=f"{place}costs/", **given) for place in stage.places
    ]


def _databases(name: str, parameter: str = "database", **given: Any) -> Case:
    return lambda _stage: [
        _of(name)(task_id=name, conn_id=conn_id, **{parameter: one}, **given)
        for conn_id, one in DATABASES.items()
    ]


def _copies(name: str, **given: Any) -> Case:
    """From a place that accepts, to one that refuses, and the other way round."""
    return lambda stage: [
        _of(name)(task_id=name, source=source, destinations=[f"{destination}copy/"], **given)
        for source, destination in (stage.places, stage.places[::-1])
    ]


def _power(name: str) -> Case:
    return lambda _stage: [
        _of(name)(task_id=name, conn_id=conn_id, instance_id=one, region=region, **SOON)
        for conn_id, (one, region) in MACHINES.items()
    ]


def _targets(stage: Stage, cloud: str) -> list[dict[str, Any]]:
    return [local_target(cloud, artifacts=f"{stage.accepted}apps/")]


def _rolls_back(stage: Stage) -> Iterator[BaseOperator]:
    for cloud in ("aws", "gcp", "azure"):
        yield all_of.RollbackOperator(
            task_id="back",
            deployment_id=f"shop-{cloud}",
            to="1",
            targets=_targets(stage, cloud),
            **SOON,
        )


def _tears_down(_stage: Stage) -> Iterator[BaseOperator]:
    for conn_id, (_, region) in MACHINES.items():
        yield all_of.TeardownOperator(
            task_id="down", deployment_id="shop", conn_ids=[conn_id], regions={conn_id: [region]},
            confirm_after=timedelta(0), **SOON,
        )  # fmt: skip


def _drills(stage: Stage) -> Iterator[BaseOperator]:
    canary = {"written_at": NOW.isoformat(), "sha256": "0" * 64, "drill_id": "d", "uri": "x"}
    for candidates in (stage.places, stage.places[::-1]):
        yield all_of.FailoverDrillOperator(
            task_id="drill", candidates=list(candidates), canary=canary
        )


def _deploys(stage: Stage) -> Iterator[BaseOperator]:
    """From a replica, in a cloud that is not the primary's."""
    measured = {"fault_at": NOW.isoformat(), "recovered": {"objects": 1}}
    for primary, replica in (stage.places, stage.places[::-1]):
        target = local_target("gcp", artifacts=f"{replica}apps/")
        yield all_of.DrillDeployOperator(
            task_id="deploy", deployment_id="drill-shop", primary=primary, replicas=[replica],
            artifact="a.txt", measurement=measured, targets=[target], **SOON,
        )  # fmt: skip


def _syncs(_stage: Stage) -> Iterator[BaseOperator]:
    for source in SECRETS:
        others = [one for one in SECRETS if one != source]
        yield all_of.SyncSecretsOperator(
            task_id="sync", source=source, destinations=others, prefix="shop/"
        )


def _preflights(stage: Stage) -> Iterator[BaseOperator]:
    for source in ("s3://aws_identity_local@lake/a/", stage.accepted, stage.refused):
        to = ["gs://gcp_identity_local@lake/a/"]
        asked = {"replicate": {"source": source, "destinations": to}}
        yield all_of.PreflightOperator(task_id="preflight", operations=[asked])


def _verifies(_stage: Stage) -> Iterator[BaseOperator]:
    for conn_id, one in DATABASES.items():
        yield all_of.VerifyDatabaseOperator(
            task_id="verify", sql_conn_id="planted_sql", checks=[{"table": "t", "rows": 1}],
            conn_id=conn_id, database=one,
        )  # fmt: skip
    yield all_of.VerifyDatabaseOperator(
        task_id="verify", sql_conn_id="planted_sql", checks=[{"table": "t", "rows": 1}]
    )


_CANARY_SECRET = {"conn_id": "a", "cloud": "aws", "name": "shop/x", "sha256": "0" * 64}
_METRICS = [{"name": "orders", "value": 1}]
_RECORDS = [{"time": datetime.now(UTC).isoformat(), "severity": "INFO", "message": "sold"}]
_EXPORT = "s3://aws_local@billing/exports/focus"

CASES: dict[str, Case] = {
    "CheckCanarySecretOperator": lambda _stage: [
        all_of.CheckCanarySecretOperator(
            task_id="check", canary=_CANARY_SECRET, destinations=[*SECRETS]
        )
    ],
    "AttributeCostOperator": _costs("AttributeCostOperator", **SPAN),
    "BudgetGateOperator": _costs("BudgetGateOperator", budget=100),
    "CheckCostQualityOperator": _costs("CheckCostQualityOperator", day="2026-10-01"),
    "CheckParamsOperator": lambda stage: [
        all_of.CheckParamsOperator(task_id="check", allowed={"place": [stage.accepted]})
    ],
    "CloseReplicationOperator": _copies("CloseReplicationOperator"),
    "CompareCostOperator": _costs("CompareCostOperator", **SPAN),
    "CostReportOperator": lambda stage: [
        all_of.CostReportOperator(
            task_id="report", store=f"{store}costs/", target=str(stage.scratch), **SPAN
        )
        for store in stage.places
    ],
    "DatabaseStatusOperator": _databases("DatabaseStatusOperator"),
    "EstimateTransferCostOperator": _copies("EstimateTransferCostOperator"),
    "ExportMetricsOperator": lambda _stage: [
        all_of.ExportMetricsOperator(
            task_id="export", destinations=[one], namespace="shop", metrics=_METRICS
        )
        for one in TELEMETRY
    ],
    "DrillDeployOperator": _deploys,
    "DrillOperator": lambda stage: [
        all_of.DrillOperator(
            task_id="drill",
            primary=primary,
            replicas=list(replicas),
            rto_seconds=60,
            rpo_seconds=60,
        )
        for primary, *replicas in (stage.places, stage.places[::-1])
    ],
    "FailoverDrillOperator": _drills,
    "FailoverFetchOperator": lambda stage: [
        all_of.FailoverFetchOperator(
            task_id="fetch", candidates=[place], target=str(stage.scratch / "fetched")
        )
        for place in stage.places
    ],
    "FindCostAnomaliesOperator": _costs("FindCostAnomaliesOperator", **SPAN),
    "IngestCostOperator": _costs(
        "IngestCostOperator", export=_EXPORT, first="2026-10-01", last="2026-10-02"
    ),
    "JudgeDrillOperator": lambda stage: [
        all_of.JudgeDrillOperator(
            task_id="judge",
            tasks=all_of.DrillTasks(),
            places=[place],
            rto_seconds=60,
            rpo_seconds=60,
        )
        for place in stage.places
    ],
    "PlanReplicationOperator": _copies("PlanReplicationOperator", shards=2),
    "PreflightOperator": _preflights,
    "PriceWorkloadOperator": _costs(
        "PriceWorkloadOperator", workload={"vcpus": 4, "memory_gib": 16}, day="2026-10-01"
    ),
    "PromoteReplicaOperator": _databases(
        "PromoteReplicaOperator", "replica", confirm="shop", allow=["shop"], **SOON
    ),
    "PruneCostStoreOperator": _costs("PruneCostStoreOperator"),
    "QueryLogsOperator": lambda _stage: [
        all_of.QueryLogsOperator(
            task_id="query", connections=[one], log_name="shop/app", window=timedelta(hours=1)
        )
        for one in TELEMETRY
    ],
    "RecommendSavingsOperator": lambda stage: [
        all_of.RecommendSavingsOperator(
            task_id="advice",
            conn_ids=[one],
            target=f"{stage.accepted}advice.json",
            store=f"{stage.accepted}costs/",
        )
        for one in ADVISERS
    ],
    "RefreshExchangeRatesOperator": lambda stage: [
        all_of.RefreshExchangeRatesOperator(
            task_id="rates", target=f"{place}rates.zip", source=f"{other}rates.zip"
        )
        for place, other in (stage.places, stage.places[::-1])
    ],
    "RefreshPricesOperator": lambda stage: [
        all_of.RefreshPricesOperator(
            task_id="prices", target=f"{place}prices.csv", conn_ids=list(ADVISERS)
        )
        for place in stage.places
    ],
    "RemoveCostExportOperator": _costs("RemoveCostExportOperator", export=_EXPORT),
    "ReleaseSummaryOperator": lambda stage: [
        all_of.ReleaseSummaryOperator(task_id="page", deployment_id="shop", places=[place])
        for place in stage.places
    ],
    "RemoveDatabaseOperator": _databases("RemoveDatabaseOperator", **SOON),
    "ReplicateOperator": _copies("ReplicateOperator"),
    "ReplicateShardOperator": _copies(
        "ReplicateShardOperator", shard=f"shard-00000.jsonl#sha256={'0' * 64}"
    ),
    "RemoveSnapshotOperator": lambda _stage: [
        all_of.RemoveSnapshotOperator(
            task_id="remove", conn_id=conn_id, snapshot=one, confirm="shop", allow=["shop"], **SOON
        )
        for conn_id, one in SNAPSHOTS.items()
    ],
    "RestoreDatabaseOperator": _databases("RestoreDatabaseOperator", **SOON),
    "RollbackOperator": _rolls_back,
    "ShipLogsOperator": lambda _stage: [
        all_of.ShipLogsOperator(
            task_id="ship", destinations=[one], log_name="shop/app", records=_RECORDS
        )
        for one in TELEMETRY
    ],
    "SnapshotDatabaseOperator": _databases("SnapshotDatabaseOperator", **SOON),
    "StartDatabaseOperator": _databases("StartDatabaseOperator", **SOON),
    "StartInstanceOperator": _power("StartInstanceOperator"),
    "StopDatabaseOperator": _databases("StopDatabaseOperator", **SOON),
    "StopInstanceOperator": _power("StopInstanceOperator"),
    "SyncSecretsOperator": _syncs,
    "TeardownOperator": _tears_down,
    "UploadArtifactOperator": lambda stage: [
        all_of.UploadArtifactOperator(task_id="up", file=str(stage.file), destination=place)
        for place in stage.places
    ],
    "VerifyDatabaseOperator": _verifies,
    "VerifyReplicaOperator": _on("VerifyReplicaOperator", "replica"),
    "WriteCanarySecretOperator": lambda _stage: [
        all_of.WriteCanarySecretOperator(task_id="write", source=one, prefix="shop/")
        for one in SECRETS
    ],
    "WriteCanaryOperator": _on("WriteCanaryOperator", "primary"),
}


#: Operator → the tests that plant secrets for it, because it needs what others have done before.
ELSEWHERE = {
    "DeployOperator": "unit/operators/test_deploy.py",
}


def operators_of_the_package() -> set[str]:
    """All that a DAG can have: those of the modules that Airflow is told of, but for bases."""
    found = {
        one
        for entry in get_provider_info()["operators"]
        for module in entry["python-modules"]
        for one in vars(import_module(module)).values()
        if isclass(one) and issubclass(one, BaseOperator) and one.__module__ == module
    }
    bases = {base for one in found for base in one.__mro__[1:]}
    return {one.__name__ for one in found - bases}


def test_every_operator_has_a_case() -> None:
    assert operators_of_the_package() == {*CASES, *ELSEWHERE}
    for name, file in ELSEWHERE.items():
        assert name in (Path(__file__).parents[1] / file).read_text()


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    watch: Watch,
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """Its connections have canaries for credentials; the first store alone accepts any."""
    for server in _SERVERS:
        request.getfixturevalue(server)
    # On a thread of its own google-auth asks the real IAM where its token may be used, also for a
    # request to another endpoint.
    monkeypatch.setattr(
        CredentialsWithRegionalAccessBoundary,
        "_maybe_start_regional_access_boundary_refresh",
        lambda *_given: None,
    )
    fill(lab.s3)
    for conn_id in {
        *("aws_local", "wasb_local", "aws_identity_local", "gcp_identity_local"),
        *(*MACHINES, *DATABASES, *TELEMETRY, *SECRETS),
    }:
        spoil(conn_id, watch, monkeypatch)
    sql = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": request.getfixturevalue("closed_port"),
        "login": "reader",
        "password": watch.plant("SQL password", secrets.token_urlsafe(30)),
        "schema": "sales",
    }
    monkeypatch.setenv("AIRFLOW_CONN_PLANTED_SQL", json.dumps(sql))
    return Stage(lab, tmp_path)


def heard(watch: Watch, operator: BaseOperator) -> Exception | None:
    """Run it, and hear all that it leaves; what it raised, if so."""
    failed: Exception | None = None
    operator.dag = DAG("canaries", schedule=None)
    context = Bare("canaries")
    context |= {"params": {"place": "another"}, "task": operator}
    try:
        result = operator.execute(context)  # type: ignore[arg-type]
        watch.hear("xcom", json.dumps(result))
    except Exception as err:  # noqa: BLE001 - whichever it is
        failed = err
        watch.hear_error(err)
        if isinstance(err, CloudError):
            watch.hear("error", repr(pickle.loads(pickle.dumps(err))))
    watch.hear("xcom", json.dumps(context.pushed))
    # What the UI shows as rendered templates.
    watch.hear("rendered", [getattr(operator, name) for name in operator.template_fields])
    return failed


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_operator_whose_credentials_are_refused(name: str, stage: Stage, watch: Watch) -> None:
    ran = [heard(watch, operator) for operator in CASES[name](stage)]
    assert ran
    for err in ran:
        # It got as far as its clouds.
        assert "invalid_argument" not in str(err), err
        assert err is None or isinstance(err, CloudError) or "Airflow" in type(err).__name__, err
    assert "multicloud." in watch.told("span")
    assert watch.leaks() == []


def test_secrets_that_are_copied_and_in_conflict(
    watch: Watch,
    local_secrets_manager: LocalServer,
    local_secret_manager: LocalServer,
    local_key_vault: LocalServer,
) -> None:
    source, *others = (plant_own(conn_id, watch) for conn_id in SECRETS)
    prefix = f"canary{uuid.uuid4().hex[:8]}/"
    stores = {one: registry.resolve(SecretsService, one) for one in (source, *others)}

    def write(conn_id: str, name: str, replaces: str | None = None) -> None:
        value = watch.plant(f"value of {name}", secrets.token_urlsafe(30)).encode()
        stores[conn_id].write_secret(
            f"{prefix}{name}", value, token=str(uuid.uuid4()), replaces=replaces, tags=None
        )

    def sync(**given: Any) -> Exception | None:
        more: dict[str, Any] = {"destinations": others, "prefix": prefix, **given}
        return heard(watch, all_of.SyncSecretsOperator(task_id="s", source=source, **more))

    write(source, "one")
    write(source, "two")
    assert sync(dry_run=True) is None
    assert sync() is None
    current = stores[others[0]].describe_secret(f"{prefix}one").current
    assert current is not None
    write(others[0], "one", current.id)
    assert sync() is not None
    assert sync(on_conflict="overwrite") is None
    assert "secrets.sync" in watch.told("span")
    assert "conflict" in watch.told("xcom")
    assert watch.leaks() == []

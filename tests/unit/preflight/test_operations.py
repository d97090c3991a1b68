"""Operations as they are given, and the operators whose parameters they mirror."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from airflow_multicloud import api, operators
from airflow_multicloud.core.preflight.operations import OPERATIONS, needs_of, operations_of
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.calls import CallTable

SERVICES = ("object_store", "metrics", "logs", "identity", "secrets", "database", "compute")
CLOUDS = ("aws", "gcp", "azure")
#: Operation → the operator that it mirrors, or the function where there are several.
MIRRORED = {
    "replicate": "ReplicateOperator",
    "sharded_replication": "PlanReplicationOperator",
    "upload": "UploadArtifactOperator",
    "verify": "VerifyReplicaOperator",
    "fetch": "FailoverFetchOperator",
    "export_metrics": "ExportMetricsOperator",
    "ship_logs": "ShipLogsOperator",
    "query_logs": "QueryLogsOperator",
    "drill": "run_drill",
    "deploy": "DeployOperator",
    "rollback": "RollbackOperator",
    "teardown": "TeardownOperator",
    "summarize_release": "ReleaseSummaryOperator",
    "start_instance": "StartInstanceOperator",
    "stop_instance": "StopInstanceOperator",
    "sync_secrets": "SyncSecretsOperator",
    "write_canary_secret": "WriteCanarySecretOperator",
    "snapshot_database": "SnapshotDatabaseOperator",
    "restore_database": "RestoreDatabaseOperator",
    "promote_replica": "PromoteReplicaOperator",
    "verify_database": "VerifyDatabaseOperator",
    "remove_database": "RemoveDatabaseOperator",
    "remove_snapshot": "RemoveSnapshotOperator",
}
#: What preflight alone is told; and what changes what a query needs, so that it is refused.
OF_ITS_OWN = {
    name: {"source"} if name in ("remove_database", "remove_snapshot") else {"versioned"}
    for name in MIRRORED
}
NOT_TAKEN = {
    "query_logs": {"destination"},
    "verify_database": {"restored", "host", "port", "baseline", "record_to"},
}
SOURCE, REPLICA = "s3://a@lake/sales/", "gs://b@lake/sales/"
TARGET: dict[str, Any] = {
    "name": "main",
    "conn_id": "a",
    "region": "here",
    "size": "small",
    "network": {"subnets": ["inner"]},
    "artifacts": REPLICA,
}
INSTANCE = {"conn_id": "a", "instance_id": "i-1", "region": "here"}


def _parameters(cls: Any) -> set[str]:
    """Of a function; of a class and those that it hands its keywords on to, up to Airflow's."""
    if not isinstance(cls, type):
        return set(inspect.signature(inspect.unwrap(cls)).parameters)
    found: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("airflow_multicloud."):
            break
        if "__init__" in vars(base):
            found |= set(inspect.signature(inspect.unwrap(base.__init__)).parameters)
    return found - {"self", "kwargs", "args"}


def test_every_operation_mirrors_an_operator():
    assert set(OPERATIONS) == set(MIRRORED)


@pytest.mark.parametrize("name", MIRRORED)
def test_an_operation_takes_what_its_operator_takes(name):
    cls = OPERATIONS[name]
    taken = {field.name for field in fields(cls)} - OF_ITS_OWN[name]
    assert not taken & cls.WITHOUT_EFFECT
    operator = _parameters(getattr(operators, MIRRORED[name], None) or api.run_drill)
    assert taken | cls.WITHOUT_EFFECT == operator - NOT_TAKEN.get(name, set())


GIVEN: dict[str, Any] = {
    "replicate": {
        "source": SOURCE,
        "destinations": [REPLICA, "abfs://c@lake/sales/"],
        "preserve_tags": True,
        "delete_extraneous": True,
        "create_buckets": True,
    },
    "sharded_replication": {"source": SOURCE, "destinations": [REPLICA]},
    "upload": {"destination": SOURCE, "replicate_to": [REPLICA]},
    "verify": {"replica": REPLICA, "siblings": [SOURCE]},
    "fetch": {"candidates": [SOURCE, REPLICA], "target": "abfs://c@lake/sales/"},
    "export_metrics": {"destinations": ["a", "b"]},
    "ship_logs": {"destinations": ["a"], "log_name": "etl", "source": "s3://a@lake/x.json"},
    "query_logs": {"connections": ["a"], "log_name": "etl"},
    "drill": {"primary": SOURCE, "replicas": [REPLICA], "places": ["abfs://c@lake/"]},
    "deploy": {"deployment_id": "shop", "artifact": "/app.tar.gz", "targets": [TARGET]},
    "rollback": {"deployment_id": "shop", "targets": [TARGET]},
    "teardown": {"deployment_id": "shop", "conn_ids": ["a"]},
    "summarize_release": {"deployment_id": "shop", "places": [SOURCE, REPLICA]},
    "start_instance": INSTANCE,
    "stop_instance": INSTANCE,
    "sync_secrets": {
        "source": "a",
        "destinations": ["b", "c"],
        "prefix": "shop/",
        "on_conflict": "overwrite",
        "deletion_policy": "remove",
    },
    "write_canary_secret": {"source": "a", "prefix": "shop/"},
    "snapshot_database": {"conn_id": "a", "database": "shop", "keep": 7},
    "restore_database": {"conn_id": "a", "database": "shop", "deletion_protected": True},
    "promote_replica": {"conn_id": "a", "replica": "shop-2"},
    "verify_database": {"conn_id": "a", "database": "shop"},
    "remove_database": {"conn_id": "a", "database": "shop", "final_snapshot": "last"},
    "remove_snapshot": {"conn_id": "a", "snapshot": {"id": "s"}},
}


SYNC = {"source": "a", "destinations": ["b"], "prefix": "shop/"}


@pytest.mark.parametrize("name", MIRRORED)
def test_every_use_is_in_the_table_of_every_cloud(name):
    """A use that a table lacks would be a KeyError in somebody's DAG."""
    for need in needs_of(operations_of([{name: GIVEN[name]}])):
        for cloud in CLOUDS:
            module = import_module(f"airflow_multicloud.clouds.{cloud}.{need.service}.calls")
            assert need.use in module.TABLE.calls, (cloud, need.use)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("service", SERVICES)
def test_no_table_has_a_use_that_no_operation_makes(cloud, service):
    one_object = {"source": "s3://a@lake/x", "destinations": [REPLICA], "preserve_tags": True}
    export = {"destinations": ["a"], "transport": "otlp"}
    every = [{name: given} for name, given in GIVEN.items()]
    restore = {"conn_id": "a", "snapshot": {"id": "s"}}
    every += [{"replicate": one_object}, {"export_metrics": export}, {"restore_database": restore}]
    every += [{"remove_database": {"conn_id": "a", "restore_task_id": "restore"}}]
    every += [{"remove_snapshot": {"conn_id": "a", "snapshot_task_id": "snapshot"}}]
    used = {need.use for need in needs_of(operations_of(every)) if need.service == service}
    table = import_module(f"airflow_multicloud.clouds.{cloud}.{service}.calls").TABLE
    assert set(table.calls) == used


def test_one_mapping_serves_operator_and_preflight():
    given = {"source": SOURCE, "destinations": [REPLICA], "concurrency": 4}
    operators.ReplicateOperator(task_id="copy", **given)
    assert needs_of(operations_of({"replicate": given}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "operations: an empty list given, expected a list"),
        ("replicate", "operations: a text given"),
        ([{"copy": {}}], r"operations\[0\]: copy given, expected one of replicate, "),
        ([{"replicate": {}, "fetch": {}}], r"operations\[0\]: .* expected one operation"),
        ([{"replicate": "s3://a@b/"}], r"operations\[0\]\.replicate: .* expected a mapping"),
        (
            [{"replicate": {"source": SOURCE}}],
            r"operations\[0\]\.replicate: source given, expected destinations too",
        ),
        (
            [{"replicate": {"source": SOURCE, "destinations": [REPLICA], "delete": True}}],
            r"operations\[0\]\.replicate: delete given, expected bandwidth_limit, ",
        ),
        ([{"verify": {"replica": "lake"}}], "replica: 'lake' is not a location"),
        ([{"verify": {"replica": None}}], "replica: NoneType given, expected a URI"),
        ([{"replicate": {"source": SOURCE, "destinations": []}}], "destinations: .* given"),
        ([{"export_metrics": {"destinations": ""}}], "destinations: "),
        (
            [{"sync_secrets": {"source": "a", "destinations": ["b"]}}],
            "names, prefix: neither given",
        ),
        ([{"restore_database": {"conn_id": "a"}}], "database, snapshot: expected exactly one"),
        ([{"remove_snapshot": {"conn_id": "a"}}], "snapshot_task_id, snapshot: expected exactly"),
        ([{"remove_database": {"conn_id": "a"}}], "restore_task_id, database: expected exactly"),
        (
            [{"sync_secrets": {"source": "a", "destinations": "", "names": ["x"]}}],
            "destinations: ",
        ),
        (
            [{"sync_secrets": {"source": "a", "destinations": [], "names": ["x"]}}],
            "destinations: an empty list given",
        ),
        (
            [{"sync_secrets": {"source": "a", "destinations": ["b"], "prefix": 5}}],
            r"operations\[0\]\.sync_secrets\.prefix: a number given, expected a text",
        ),
        ([{"write_canary_secret": {"source": "a", "prefix": ""}}], "prefix: nothing given, "),
        ([{"sync_secrets": {**SYNC, "deletion_policy": "removed"}}], "deletion_policy: 'removed' "),
        ([{"sync_secrets": {**SYNC, "on_conflict": "overwrit"}}], "on_conflict: 'overwrit' given"),
        ([{"sync_secrets": {**SYNC, "preserve_tags": "false"}}], "preserve_tags: a text given"),
        ([{"deploy": {**GIVEN["deploy"], "versioned": "no"}}], "versioned: a text given"),
        (
            [{"deploy": {**GIVEN["deploy"], "artifact": SOURCE, "targets": []}}],
            "targets: nothing given, expected at least one",
        ),
        ([{"rollback": {"deployment_id": "shop", "targets": []}}], "targets: nothing given"),
        ([{"teardown": {"deployment_id": "shop", "conn_ids": []}}], "conn_ids: nothing given"),
        ([{"teardown": {"deployment_id": "shop", "conn_ids": None}}], "conn_ids: nothing given"),
        (
            [{"teardown": {**GIVEN["teardown"], "regions": {"typo": ["here"]}}}],
            "regions: 'typo' given, expected connections of a",
        ),
        ([{"teardown": {**GIVEN["teardown"], "regions": ["here"]}}], "regions: 'list' given"),
        ([{"summarize_release": {"places": []}}], r"summarize_release: no place given"),
        ([{"summarize_release": {"places": None}}], "places: None given, expected a list of URIs"),
        ([{"export_metrics": {"destinations": []}}], "destinations: an empty list given"),
        ([{"export_metrics": {"destinations": ["a"], "transport": "oltp"}}], "transport: 'oltp' "),
        ([{"query_logs": {"connections": [], "log_name": "etl"}}], "connections: an empty list"),
    ],
)
def test_what_is_no_operation_is_refused_by_its_name(given, said):
    with pytest.raises(CloudError, match=said) as caught:
        needs_of(operations_of(given))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


PASSWORD = "hunter2-canary"
CONNECTIONS = {"aws": {"login": "AKIA", "password": PASSWORD}, "db": {"password": PASSWORD}}


@pytest.mark.parametrize(
    "given",
    [
        CONNECTIONS,
        [CONNECTIONS],
        f"db: {PASSWORD}",
        [{"replicate": [CONNECTIONS]}],
        [{"replicate": PASSWORD}],
        [{"replicate": {"source": SOURCE, "destinations": {"password": PASSWORD}}}],
        [{"replicate": {"source": SOURCE, "destinations": {1: CONNECTIONS, 2: PASSWORD}}}],
        [{"deploy": {**GIVEN["deploy"], "targets": CONNECTIONS}}],
        [{"deploy": {**GIVEN["deploy"], "targets": [{**TARGET, "region": CONNECTIONS}]}}],
        [{"deploy": {**GIVEN["deploy"], "targets": [{**TARGET, "count": [PASSWORD]}]}}],
        [{"sync_secrets": {**SYNC, "on_conflict": CONNECTIONS}}],
        [{"sync_secrets": {**SYNC, "prefix": CONNECTIONS}}],
        [{"write_canary_secret": {"source": "a", "prefix": CONNECTIONS}}],
        [{"teardown": {**GIVEN["teardown"], "regions": {"a": CONNECTIONS}}}],
    ],
)
def test_nothing_of_a_wrong_file_is_told_but_its_first_keys(given):
    with pytest.raises(CloudError) as caught:
        needs_of(operations_of(given))
    assert PASSWORD not in str(caught.value)


def test_many_keys_are_not_all_told():
    given = {f"{'k' * 1000}-{number}": PASSWORD for number in range(1000)}
    with pytest.raises(CloudError, match="and 995 more given") as caught:
        operations_of(given)
    assert len(str(caught.value)) < 500


def test_an_operation_that_needs_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(OPERATIONS["stop_instance"], "needs", lambda _: iter(()))
    given = operations_of([{"start_instance": INSTANCE}, {"stop_instance": INSTANCE}])
    with pytest.raises(CloudError, match=r"operations\[1\]\.stop_instance: no place given"):
        needs_of(given)


def test_a_use_that_a_cloud_from_outside_does_not_know_is_unsupported():
    table = CallTable({}, lambda kind, _facts: kind)
    with pytest.raises(CloudError, match="does not know 'sign_url'") as caught:
        table.made("sign_url", {})
    assert caught.value.kind is ErrorKind.UNSUPPORTED

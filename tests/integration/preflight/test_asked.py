"""Preflight against clouds that judge: what it renders is enough, and nothing less is."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import DAG

from airflow_multicloud import api
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.core.preflight.report import OnUnknown
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.operators import PreflightOperator
from airflow_multicloud.ports.identity import Decision
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, USER
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at
from tests.integration.airflow_runs import run_dag
from tests.integration.test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

OPERATIONS = [
    {
        "replicate": {
            "source": "s3://aws_identity_local@lake/sales/",
            "destinations": ["gs://gcp_identity_local@copy/sales/", "abfs://entra@copy/sales/"],
            "preserve_tags": True,
            "delete_extraneous": True,
        }
    },
    {"fetch": {"candidates": ["s3://aws_identity_local@lake/sales/a"], "target": "/tmp/a"}},
]


#: What asking needs itself: docs/connections.md.
ASKING = [
    *("iam:SimulatePrincipalPolicy", "s3:GetBucketPolicy", "iam:GetUser", "iam:ListGroupsForUser"),
    *("iam:List*Policies", "iam:Get*Policy", "iam:GetPolicyVersion"),
]


@pytest.fixture
def judges(
    local_iam: LocalServer, local_gcp_permissions: LocalServer, local_azure: LocalServer
) -> Iterator[list[Admin]]:
    """What says what is allowed, for AWS, Google Cloud and Azure; others find it as it was."""
    admins = [Admin(one.endpoint) for one in (local_iam, local_gcp_permissions, local_azure)]
    for admin in admins:
        admin.reset()
    yield admins
    for admin in admins:
        admin.reset()


@pytest.fixture
def grant(
    judges: list[Admin], local_azure: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[object], None]]:
    """Cloud → what gives the caller a policy, in place of all that it had."""
    connection = dict(local_azure.spec.connections["azure_local"])
    named = connection["extra"]
    extra = {
        **named,
        "tenant_id": named["tenantId"],
        "resource_group": "data",
        "client_secret_auth_config": {
            "authority": named["authority"],
            "disable_instance_discovery": True,
            "connection_verify": named["ca_bundle"],
        },
    }
    entra = {**connection, "conn_type": "wasb", "host": "https://shop.blob.core.windows.net"}
    monkeypatch.setenv("AIRFLOW_CONN_ENTRA", json.dumps({**entra, "extra": extra}))
    iam, gcp, azure = judges
    iam.seed("identity", [{"bucket": "lake", "account": ACCOUNT}])

    def aws_policy(rendered):
        (policy,) = rendered
        iam.seed("identity", [{"principal": USER, "clear": True}])
        told = {"principal": USER, "policy": "rendered", "document": policy.document}
        may_ask = {"Effect": "Allow", "Action": ASKING, "Resource": "*"}
        asking = {"Version": "2012-10-17", "Statement": [may_ask]}
        iam.seed("identity", [told, {"principal": USER, "policy": "asking", "document": asking}])

    def gcp_role(rendered):
        (needed,) = api.render_policy(OPERATIONS, "gcp")
        held = [name for one in rendered for name in one.document["includedPermissions"]]
        denied = [one for one in needed.document["includedPermissions"] if one not in held]
        gcp.reset()
        gcp.seed("identity", [{"resource": "projects/_/buckets/copy", "denies": denied}])

    def azure_role(rendered):
        azure.reset()
        nothing = {"scope": f"/subscriptions/{SUBSCRIPTION_ID}", "permissions": []}
        azure.seed("authorization", [nothing])
        for role in rendered:
            permissions = {
                "actions": role.document["Actions"],
                "dataActions": role.document["DataActions"],
                "notActions": [],
                "notDataActions": [],
            }
            planted = [{"scope": on, "permissions": [permissions]} for on in role.granted_on]
            azure.seed("authorization", planted)

    return {"aws": aws_policy, "gcp": gcp_role, "azure": azure_role}


def test_what_is_rendered_is_enough(grant):
    for cloud, give in grant.items():
        give(api.render_policy(OPERATIONS, cloud))
    report = api.run_preflight(OPERATIONS)
    assert [one for one in report.permissions if one.decision is not Decision.ALLOW] == []
    assert report.passed
    assert {one.cloud for one in report.permissions} == {"aws", "gcp", "azure"}


def test_a_denial_is_named_first_and_costs_no_other(grant):
    for cloud, give in grant.items():
        give(api.render_policy(OPERATIONS, cloud))
    (policy,) = api.render_policy(OPERATIONS, "aws")
    for statement in policy.document["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != "s3:GetObjectTagging"]
    kept = [one for one in policy.document["Statement"] if one["Action"]]
    grant["aws"]([replace(policy, document={**policy.document, "Statement": kept})])
    report = api.run_preflight(OPERATIONS)
    first = report.permissions[0]
    assert (first.permission, first.decision) == ("s3:GetObjectTagging", Decision.DENY)
    assert (report.denied, report.unknown, report.passed) == (1, 0, False)
    assert first.operations == ("replicate: source",)
    assert first.calls == ("s3:GetObjectTagging",)
    with pytest.raises(api.PreflightFailedError, match="s3:GetObjectTagging on arn:aws:s3") as err:
        report.raise_if_failed()
    assert pickle.loads(pickle.dumps(err.value)).report == report


def test_what_can_be_done_without_is_told_and_in_nobodys_way(grant):
    (role,) = api.render_policy(OPERATIONS, "gcp")
    kept = [one for one in role.document["includedPermissions"] if one != "storage.buckets.get"]
    grant["gcp"]([replace(role, document={**role.document, "includedPermissions": kept})])
    for cloud in ("aws", "azure"):
        grant[cloud](api.render_policy(OPERATIONS, cloud))
    report = api.run_preflight(OPERATIONS)
    (found,) = [one for one in report.permissions if one.decision is Decision.DENY]
    assert found.permission == "storage.buckets.get"
    assert found.without
    assert report.passed


def test_a_cloud_that_is_gone_costs_its_own_rows(grant, monkeypatch):
    """And unknown is not allow, unless the caller says so."""
    for cloud, give in grant.items():
        give(api.render_policy(OPERATIONS, cloud))
    named = json.loads(os.environ["AIRFLOW_CONN_AWS_IDENTITY_LOCAL"])
    nowhere = url_at(free_port())
    extra = {**named["extra"], "endpoint_url": nowhere}
    extra["service_config"] = {"sts": {"endpoint_url": nowhere}}
    extra["config_kwargs"] = {"retries": {"total_max_attempts": 1}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_IDENTITY_LOCAL", json.dumps({**named, "extra": extra}))
    report = api.run_preflight(OPERATIONS)
    by_decision = {
        decision: {one.conn_id for one in report.permissions if one.decision is decision}
        for decision in Decision
    }
    assert by_decision == {
        Decision.UNKNOWN: {"aws_identity_local"},
        Decision.ALLOW: {"gcp_identity_local", "entra"},
        Decision.DENY: set(),
    }
    assert not report.passed
    assert replace(report, on_unknown=OnUnknown.WARN).passed
    with pytest.raises(api.PreflightFailedError) as caught:
        report.raise_if_failed()
    assert caught.value.retryable


def test_the_command(grant, tmp_path, capsys):
    shell = Shell(capsys)
    for cloud, give in grant.items():
        give(api.render_policy(OPERATIONS, cloud))
    file = tmp_path / "plan.yaml"
    file.write_text(json.dumps(OPERATIONS))
    ended = shell.run("preflight", str(file))
    assert (ended.code, "s3:GetObjectTagging" in ended.out) == (ExitCode.DONE, True), ended
    assert "0 denied, 0 not known" in ended.err
    grant["azure"]([])
    ended = shell.run("preflight", str(file), "-o", "json")
    (document,) = json.loads(ended.out)
    assert ended.code == ExitCode.DENIED
    assert (document["passed"], document["permissions"][0]["cloud"]) == (False, "azure")
    ended = shell.run("preflight", str(file), "--render", "azure")
    assert json.loads(ended.out) == [
        to_document(one) for one in api.render_policy(OPERATIONS, "azure")
    ]
    ended = shell.run("preflight", str(tmp_path / "none.yaml"))
    assert (ended.code, "none.yaml" in ended.err) == (ExitCode.NOT_FOUND, True)


@pytest.mark.usefixtures("airflow_db")
def test_the_operator(grant):
    for cloud, give in grant.items():
        give(api.render_policy(OPERATIONS, cloud))
    with DAG("checked_before_work", schedule=None) as dag:
        PreflightOperator(task_id="preflight", operations=OPERATIONS)
    done = run_dag(dag)
    assert done.state == "success"
    assert done.xcom("preflight")["denied"] == 0
    grant["azure"]([])
    failed = run_dag(dag)
    assert failed.state == "failed"
    told = failed.xcom("preflight", "report")
    assert told["permissions"][0]["decision"] == "deny"


@pytest.mark.parametrize("create", [False, True])
def test_buckets_that_are_not_there_are_in_the_way_unless_they_are_made(
    judges: list[Admin], create: bool
) -> None:
    iam, gcp, _ = judges
    iam.seed("identity", [{"bucket": "lake", "account": ACCOUNT}])
    gcp.seed("identity", [{"resource": "projects/_/buckets/new", "absent": True}])
    destinations = ["gs://gcp_identity_local@new/a/", "s3://aws_identity_local@new/a/"]
    source = "s3://aws_identity_local@lake/a/"
    operation = {"source": source, "destinations": destinations, "create_buckets": create}
    report = api.run_preflight([{"replicate": operation}], on_unknown="warn")
    assert report.passed is create
    missing = {one.conn_id for one in report.permissions if one.kind is ErrorKind.NOT_FOUND}
    expected = set() if create else {"gcp_identity_local", "aws_identity_local"}
    assert missing == expected

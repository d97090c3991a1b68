"""The rigs of the contracts of permissions and tokens: in memory, and the local clouds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from airflow_multicloud.ports.identity import (
    Decision,
    PermissionChecks,
    ScopedToken,
    ScopedTokens,
    TokenScope,
)
from airflow_multicloud.testing.contracts.identity.permission_rigs import (
    PermissionsCase,
    PermissionsRigSpec,
    TokensCase,
    TokensRigSpec,
)
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE, USER
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.memory_cloud import identity as memory
from airflow_multicloud.testing.memory_cloud.identity.rules import world

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

Request = pytest.FixtureRequest

_SPACE = "permissions"
_BUCKET, _OTHER_BUCKET = "contract-one", "contract-two"
_ARN = "arn:aws:s3:::"
_FULL_NAME = "//storage.googleapis.com/projects/_/buckets/"
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
#: What AWS is asked, and changes nothing; of EC2 only dry runs are served.
_READING = {
    *("sts:GetCallerIdentity", "iam:GetRole", "iam:SimulatePrincipalPolicy"),
    *("s3:HeadBucket", "s3:GetBucketPolicy"),
}
_ROLE_TAKEN = "sts:AssumeRole"


@cache
def permission_rig_specs() -> tuple[PermissionsRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from airflow_multicloud.clouds.aws.identity import Hook as AwsHook
    from airflow_multicloud.clouds.azure.identity import Hook as AzureHook
    from airflow_multicloud.clouds.gcp.identity import Hook as GcpHook

    user = PermissionsRigSpec(
        name="local_iam_user",
        cloud="aws",
        hook=AwsHook,
        open=connected(PermissionChecks, "aws_identity_local", "local_iam"),
        plant=lambda request: _planted_in_iam(request, USER),
        changes=_changes_of_aws,
    )
    return (
        PermissionsRigSpec(
            name="memory",
            cloud="memory",
            hook=memory.Hook,
            open=lambda _request: memory.Hook(_SPACE),
            plant=_planted_in_memory,
            changes=lambda _request: list(world(_SPACE).rules),
        ),
        user,
        replace(
            user,
            name="local_iam_role",
            open=connected(PermissionChecks, "aws_role_local", "local_iam"),
            plant=lambda request: _planted_in_iam(request, ROLE),
        ),
        PermissionsRigSpec(
            name="local_permissions",
            cloud="gcp",
            hook=GcpHook,
            open=connected(PermissionChecks, "gcp_identity_local", "local_gcp_permissions"),
            plant=_planted_in_google,
            changes=_changes_of_google,
        ),
        PermissionsRigSpec(
            name="resource_manager",
            cloud="azure",
            hook=AzureHook,
            open=connected(PermissionChecks, "azure_local", "local_azure"),
            plant=_planted_in_azure,
            changes=_changes_of_azure,
        ),
        PermissionsRigSpec(
            name="azurite_key",
            cloud="azure",
            hook=AzureHook,
            open=connected(PermissionChecks, "wasb_local", "local_clouds"),
            plant=_key_of_azurite,
            changes=lambda _request: (),
        ),
    )


@cache
def token_rig_specs() -> tuple[TokensRigSpec, ...]:
    from airflow_multicloud.clouds.aws.identity import Hook as AwsHook
    from airflow_multicloud.clouds.gcp.identity import Hook as GcpHook

    user = TokensRigSpec(
        name="local_iam_user",
        cloud="aws",
        hook=AwsHook,
        open=connected(ScopedTokens, "aws_identity_local", "local_iam"),
        plant=_tokens_of_aws,
        use=_use_on_aws,
    )
    return (
        TokensRigSpec(
            name="memory",
            cloud="memory",
            hook=memory.Hook,
            open=lambda _request: memory.Hook(_SPACE),
            plant=_tokens_of_memory,
            use=lambda _request, *used: memory.is_good_for(_SPACE, *used),
        ),
        user,
        replace(
            user,
            name="local_iam_role",
            open=connected(ScopedTokens, "aws_role_local", "local_iam"),
        ),
        TokensRigSpec(
            name="local_permissions",
            cloud="gcp",
            hook=GcpHook,
            open=connected(ScopedTokens, "gcp_identity_local", "local_gcp_permissions"),
            plant=_tokens_of_google,
            use=_use_on_google,
        ),
    )


def _admin(request: Request, fixture: str) -> Admin:
    """A server's administration, with nothing seeded, and nothing left when the test has ended."""
    server: LocalServer = request.getfixturevalue(fixture)
    admin = Admin(server.endpoint)
    admin.reset()
    request.addfinalizer(admin.reset)
    return admin


def _asked(request: Request, fixture: str) -> list[dict[str, Any]]:
    server: LocalServer = request.getfixturevalue(fixture)
    return Admin(server.endpoint).requests()


def _own(prefix: str) -> Callable[[str], bool]:
    return lambda text: text.startswith(prefix)


def _planted_in_memory(request: Request) -> PermissionsCase:
    memory.reset(_SPACE)
    request.addfinalizer(lambda: memory.reset(_SPACE))
    memory.plant(
        _SPACE,
        memory.Rule(decision=Decision.DENY, action="object_store.delete_*"),
        memory.Rule(decision=Decision.UNKNOWN, action="object_store.put_tags"),
    )
    return PermissionsCase(
        allowed="object_store.get_object",
        denied="object_store.delete_object",
        unknown="object_store.put_tags",
        resource="//memory/object_store/bucket",
        is_own=_own("//memory/"),
    )


def _planted_in_iam(request: Request, principal: str) -> PermissionsCase:
    admin = _admin(request, "local_iam")
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    statements: list[dict[str, Any]] = [
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": f"{_ARN}{_BUCKET}"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*", "Condition": condition},
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    admin.seed(
        "identity",
        [
            {"principal": principal, "policy": "less", "document": document},
            {"bucket": _BUCKET, "account": ACCOUNT},
        ],
    )
    return PermissionsCase(
        allowed="s3:ListBucket",
        denied="s3:DeleteBucket",
        unknown="s3:PutObject",
        resource=f"{_ARN}{_BUCKET}",
        is_own=_own("arn:aws:"),
    )


def _changes_of_aws(request: Request) -> Sequence[object]:
    asked = [one["action"] for one in _asked(request, "local_iam")]
    # Opening the connection takes on its role.
    return [one for one in asked if one not in _READING and one != _ROLE_TAKEN]


def _planted_in_google(request: Request) -> PermissionsCase:
    admin = _admin(request, "local_gcp_permissions")
    bucket = f"projects/_/buckets/{_BUCKET}"
    admin.seed("identity", [{"resource": bucket, "denies": ["storage.objects.delete"]}])
    return PermissionsCase(
        allowed="storage.objects.get",
        denied="storage.objects.delete",
        unknown="compute.instances.get",
        resource=f"{_FULL_NAME}{_BUCKET}",
        is_own=_own("//storage.googleapis.com/"),
    )


def _changes_of_google(request: Request) -> Sequence[object]:
    return [
        one["path"]
        for one in _asked(request, "local_gcp_permissions")
        if one["method"] != "GET" and not one["path"].endswith((":testIamPermissions", "/token"))
    ]


def _planted_in_azure(request: Request) -> PermissionsCase:
    admin = _admin(request, "local_azure")
    owner = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
    admin.seed("authorization", [{"scope": _SUBSCRIPTION, "permissions": [owner]}])
    return PermissionsCase(
        allowed="Microsoft.Compute/virtualMachines/read",
        denied=f"{_CONTAINERS}/blobs/read",
        unknown="Microsoft.Compute/virtualMachines/unheardOf/action",
        resource=f"{_SUBSCRIPTION}/resourceGroups/contract",
        is_own=_own("/subscriptions/"),
    )


def _changes_of_azure(request: Request) -> Sequence[object]:
    return [
        one["path"]
        for one in _asked(request, "local_azure")
        if one["method"] != "GET" and not one["path"].endswith("/token")
    ]


def _key_of_azurite(_request: Request) -> PermissionsCase:
    account = "resourceGroups/any/providers/Microsoft.Storage/storageAccounts"
    return PermissionsCase(
        allowed=f"{_CONTAINERS}/blobs/write",
        denied="Microsoft.Storage/storageAccounts/write",
        unknown=f"{_CONTAINERS}/immutabilityPolicies/read",
        resource=f"{_SUBSCRIPTION}/{account}/{AZURITE_ACCOUNT}",
        is_own=_own("/subscriptions/"),
    )


def _tokens_of_memory(request: Request) -> TokensCase:
    _planted_in_memory(request)
    bucket = "//memory/object_store/one"
    return TokensCase(
        scope=TokenScope(
            actions=("object_store.get_object", "object_store.list_objects"),
            resources=(bucket,),
            valid_for=timedelta(minutes=30),
        ),
        other_action="object_store.put_object",
        other_resource="//memory/object_store/two",
    )


def _tokens_of_aws(request: Request) -> TokensCase:
    admin = _admin(request, "local_iam")
    admin.seed(
        "identity",
        [{"bucket": name, "account": ACCOUNT} for name in (_BUCKET, _OTHER_BUCKET)],
    )
    return TokensCase(
        scope=TokenScope(
            actions=("s3:ListBucket",),
            resources=(f"{_ARN}{_BUCKET}",),
            valid_for=timedelta(minutes=15),
        ),
        other_action="ec2:DescribeInstances",
        other_resource=f"{_ARN}{_OTHER_BUCKET}",
    )


def _use_on_aws(request: Request, token: ScopedToken, action: str, resource: str) -> bool:
    server: LocalServer = request.getfixturevalue("local_iam")
    extra: Any = server.spec.connections["aws_identity_local"]["extra"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=extra["endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id=token.credentials["access_key"],
            aws_secret_access_key=token.credentials["secret_key"],
            aws_session_token=token.credentials["token"],
        )

    try:
        if action == "s3:ListBucket":
            client("s3").head_bucket(Bucket=resource.removeprefix(_ARN))
        else:
            client("ec2").describe_instances(DryRun=True)
    except ClientError as err:
        code: str = err.response["Error"]["Code"]
        assert code in {"403", "DryRunOperation", "UnauthorizedOperation"}
        return code == "DryRunOperation"
    return True


def _tokens_of_google(request: Request) -> TokensCase:
    _admin(request, "local_gcp_permissions")
    return TokensCase(
        scope=TokenScope(
            actions=("storage.objects.get", "storage.objects.list"),
            resources=(f"{_FULL_NAME}{_BUCKET}",),
            valid_for=timedelta(hours=1, minutes=1),
        ),
        other_action="storage.objects.delete",
        other_resource=f"{_FULL_NAME}{_OTHER_BUCKET}",
        has_longest=False,
    )


def _use_on_google(request: Request, token: ScopedToken, action: str, resource: str) -> bool:
    server: LocalServer = request.getfixturevalue("local_gcp_permissions")
    extra: Any = server.spec.connections["gcp_identity_local"]["extra"]
    bucket = quote(resource.removeprefix(_FULL_NAME), safe="")
    with requests.get(
        f"{extra['gcs.endpoint']}/storage/v1/b/{bucket}/iam/testPermissions",
        params={"permissions": action},
        headers={"Authorization": f"Bearer {token.credentials['token']}"},
        timeout=10,
    ) as answer:
        assert answer.status_code == requests.codes.ok, answer.text
        return action in json.loads(answer.text).get("permissions", ())

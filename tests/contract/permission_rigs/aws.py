"""IAM, STS, S3 and EC2 of the local AWS: as a user, and as a role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from airflow_multicloud.ports.identity import (
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
from tests.contract.permission_rigs.seeding import Request, admin, asked, own

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

_SERVER = "local_iam"
_BUCKET, _OTHER_BUCKET = "contract-one", "contract-two"
_ARN = "arn:aws:s3:::"
#: How what changes nothing is named; of EC2 only dry runs are served. Opening the connection takes
#: on its role.
_READING = re.compile(r"\w+:(Get|List|Head|Simulate)\w+|sts:AssumeRole")


def permission_rigs() -> tuple[PermissionsRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from airflow_multicloud.clouds.aws.identity import Hook

    user = PermissionsRigSpec(
        name="local_iam_user",
        cloud="aws",
        hook=Hook,
        open=connected(PermissionChecks, "aws_identity_local", _SERVER),
        plant=lambda request: _planted_in_iam(request, USER),
        changes=_changes_of_aws,
    )
    return (
        user,
        replace(
            user,
            name="local_iam_role",
            open=connected(PermissionChecks, "aws_role_local", _SERVER),
            plant=lambda request: _planted_in_iam(request, ROLE),
        ),
    )


def token_rigs() -> tuple[TokensRigSpec, ...]:
    from airflow_multicloud.clouds.aws.identity import Hook

    user = TokensRigSpec(
        name="local_iam_user",
        cloud="aws",
        hook=Hook,
        open=connected(ScopedTokens, "aws_identity_local", _SERVER),
        plant=_tokens_of_aws,
        use=_use_on_aws,
    )
    return (
        user,
        replace(
            user, name="local_iam_role", open=connected(ScopedTokens, "aws_role_local", _SERVER)
        ),
    )


def _planted_in_iam(request: Request, principal: str) -> PermissionsCase:
    server = admin(request, _SERVER)
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    statements: list[dict[str, Any]] = [
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": f"{_ARN}{_BUCKET}"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*", "Condition": condition},
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    server.seed(
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
        is_own=own("arn:aws:"),
    )


def _changes_of_aws(request: Request) -> Sequence[object]:
    actions = [one["action"] for one in asked(request, _SERVER)]
    return [one for one in actions if not _READING.fullmatch(one)]


def _tokens_of_aws(request: Request) -> TokensCase:
    server = admin(request, _SERVER)
    server.seed(
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
    server: LocalServer = request.getfixturevalue(_SERVER)
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

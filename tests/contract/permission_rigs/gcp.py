"""Permissions and tokens of the local Google Cloud."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

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
from tests.contract.permission_rigs.seeding import Request, admin, asked, own

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

_SERVER, _CONN_ID = "local_gcp_permissions", "gcp_identity_local"
_BUCKET, _OTHER_BUCKET = "contract-one", "contract-two"
_FULL_NAME = "//storage.googleapis.com/projects/_/buckets/"


def permission_rigs() -> tuple[PermissionsRigSpec, ...]:
    from airflow_multicloud.clouds.gcp.identity import Hook

    return (
        PermissionsRigSpec(
            name="local_permissions",
            cloud="gcp",
            hook=Hook,
            open=connected(PermissionChecks, _CONN_ID, _SERVER),
            plant=_planted_in_google,
            changes=_changes_of_google,
        ),
    )


def token_rigs() -> tuple[TokensRigSpec, ...]:
    from airflow_multicloud.clouds.gcp.identity import Hook

    return (
        TokensRigSpec(
            name="local_permissions",
            cloud="gcp",
            hook=Hook,
            open=connected(ScopedTokens, _CONN_ID, _SERVER),
            plant=_tokens_of_google,
            use=_use_on_google,
        ),
    )


def _planted_in_google(request: Request) -> PermissionsCase:
    server = admin(request, _SERVER)
    bucket = f"projects/_/buckets/{_BUCKET}"
    server.seed("identity", [{"resource": bucket, "denies": ["storage.objects.delete"]}])
    return PermissionsCase(
        allowed="storage.objects.get",
        denied="storage.objects.delete",
        unknown="compute.instances.get",
        resource=f"{_FULL_NAME}{_BUCKET}",
        is_own=own("//storage.googleapis.com/"),
    )


def _changes_of_google(request: Request) -> Sequence[object]:
    return [
        one["path"]
        for one in asked(request, _SERVER)
        if one["method"] != "GET" and not one["path"].endswith((":testIamPermissions", "/token"))
    ]


def _tokens_of_google(request: Request) -> TokensCase:
    admin(request, _SERVER)
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
    server: LocalServer = request.getfixturevalue(_SERVER)
    extra: Any = server.spec.connections[_CONN_ID]["extra"]
    bucket = quote(resource.removeprefix(_FULL_NAME), safe="")
    with requests.get(
        f"{extra['gcs.endpoint']}/storage/v1/b/{bucket}/iam/testPermissions",
        params={"permissions": action},
        headers={"Authorization": f"Bearer {token.credentials['token']}"},
        timeout=10,
    ) as answer:
        assert answer.status_code == requests.codes.ok, answer.text
        return action in json.loads(answer.text).get("permissions", ())

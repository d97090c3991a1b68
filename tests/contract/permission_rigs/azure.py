"""Resource Manager of the local Azure, and Azurite, whose key allows all of its data."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.ports.identity import PermissionChecks
from airflow_multicloud.testing.contracts.identity.permission_rigs import (
    PermissionsCase,
    PermissionsRigSpec,
)
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT
from tests.contract.permission_rigs.seeding import Request, admin, asked, own

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"


def permission_rigs() -> tuple[PermissionsRigSpec, ...]:
    from airflow_multicloud.clouds.azure.identity import Hook

    return (
        PermissionsRigSpec(
            name="resource_manager",
            cloud="azure",
            hook=Hook,
            open=connected(PermissionChecks, "azure_local", "local_azure"),
            plant=_planted_in_azure,
            changes=_changes_of_azure,
        ),
        PermissionsRigSpec(
            name="azurite_key",
            cloud="azure",
            hook=Hook,
            open=connected(PermissionChecks, "wasb_local", "local_clouds"),
            plant=_key_of_azurite,
            changes=lambda _request: (),
        ),
    )


def _planted_in_azure(request: Request) -> PermissionsCase:
    server = admin(request, "local_azure")
    owner = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
    server.seed("authorization", [{"scope": _SUBSCRIPTION, "permissions": [owner]}])
    return PermissionsCase(
        allowed="Microsoft.Compute/virtualMachines/read",
        denied=f"{_CONTAINERS}/blobs/read",
        unknown="Microsoft.Compute/virtualMachines/unheardOf/action",
        resource=f"{_SUBSCRIPTION}/resourceGroups/contract",
        is_own=own("/subscriptions/"),
    )


def _changes_of_azure(request: Request) -> Sequence[object]:
    return [
        one["path"]
        for one in asked(request, "local_azure")
        if one["method"] != "GET" and not one["path"].endswith("/token")
    ]


def _key_of_azurite(_request: Request) -> PermissionsCase:
    account = "resourceGroups/any/providers/Microsoft.Storage/storageAccounts"
    return PermissionsCase(
        allowed=f"{_CONTAINERS}/blobs/write",
        denied="Microsoft.Storage/storageAccounts/write",
        unknown=f"{_CONTAINERS}/immutabilityPolicies/read",
        resource=f"{_SUBSCRIPTION}/{account}/{AZURITE_ACCOUNT}",
        is_own=own("/subscriptions/"),
    )

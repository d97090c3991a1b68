"""What the Azure hook makes of roles, deny assignments and operations beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from airflow_multicloud.clouds.azure.identity import AzureIdentityHook
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, Principal, ScopedTokens
from airflow_multicloud.testing.local_clouds.azure.arm import (
    OBJECT_ID,
    SUBSCRIPTION_ID,
    TENANT_ID,
)
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/Lab"
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/lab"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/c"
START = "Microsoft.Compute/virtualMachines/start/action"


@pytest.fixture
def admin(local_azure: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_azure.endpoint)
    admin.reset()
    yield admin
    admin.reset()


def decided(actions: list[str], resource: str) -> list[Decision]:
    found = AzureIdentityHook("azure_local").check_permissions(actions, resource)
    return [check.decision for check in found]


def changed(
    monkeypatch: pytest.MonkeyPatch, server: LocalServer, extra: dict[str, Any], **more: Any
) -> AzureIdentityHook:
    given: Any = server.spec.connections["azure_local"]
    connection = {**given, **more, "extra": {**given["extra"], **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_CHANGED", json.dumps(connection))
    return AzureIdentityHook("changed")


def roles(scope: str, *permissions: dict[str, list[str]]) -> dict[str, Any]:
    return {"scope": scope, "permissions": list(permissions)}


def test_who_has_a_token(monkeypatch: pytest.MonkeyPatch, local_azure: LocalServer) -> None:
    hook = changed(monkeypatch, local_azure, {})
    assert hook.who_am_i() == Principal(SUBSCRIPTION_ID, OBJECT_ID)
    without = changed(monkeypatch, local_azure, {"subscriptionId": None})
    assert without.who_am_i() == Principal(TENANT_ID, OBJECT_ID)


def test_there_are_no_tokens_for_less() -> None:
    assert not isinstance(AzureIdentityHook("azure_local"), ScopedTokens)


def test_data_actions_are_granted_apart(admin: Admin) -> None:
    """An Owner may do all to a container, and read no blob in it."""
    admin.seed("authorization", [roles(SUBSCRIPTION, {"actions": ["*"]})])
    actions = [f"{CONTAINERS}/delete", f"{CONTAINERS}/blobs/read"]
    assert decided(actions, CONTAINER) == [Decision.ALLOW, Decision.DENY]
    admin.seed("authorization", [roles(GROUP, {"dataActions": [f"{CONTAINERS}/blobs/*"]})])
    assert decided(actions, CONTAINER) == [Decision.ALLOW, Decision.ALLOW]
    assert decided(actions, SUBSCRIPTION) == [Decision.ALLOW, Decision.DENY]


def test_what_one_role_leaves_out_another_may_grant(admin: Admin) -> None:
    admin.seed(
        "authorization",
        [roles(SUBSCRIPTION, {"actions": ["*/read", "*"], "notActions": ["microsoft.COMPUTE/*"]})],
    )
    assert decided([START], GROUP) == [Decision.DENY]
    admin.seed("authorization", [roles(GROUP, {"actions": ["Microsoft.Compute/*/start/action"]})])
    assert decided([START], GROUP) == [Decision.ALLOW]


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        ({"principals": [{"id": OBJECT_ID, "type": "ServicePrincipal"}]}, Decision.DENY),
        (
            {
                "principals": [
                    {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
                ]
            },
            Decision.DENY,
        ),
        (
            {
                "principals": [
                    {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
                ],
                "excludePrincipals": [{"id": OBJECT_ID, "type": "ServicePrincipal"}],
            },
            Decision.ALLOW,
        ),
        ({"principals": [{"id": "another", "type": "User"}]}, Decision.ALLOW),
        ({"principals": [{"id": "some", "type": "Group"}]}, Decision.UNKNOWN),
        (
            {"principals": [{"id": OBJECT_ID}], "condition": "@Resource[a] StringEquals 'b'"},
            Decision.UNKNOWN,
        ),
        (
            {"principals": [{"id": OBJECT_ID}], "doNotApplyToChildScopes": True},
            Decision.ALLOW,
        ),
    ],
)
def test_deny_assignments_count_whatever_roles_grant(
    admin: Admin, denied: dict[str, Any], expected: Decision
) -> None:
    told = {
        "denyAssignmentName": "locked",
        "permissions": [{"actions": ["Microsoft.Compute/*"]}],
        **denied,
    }
    admin.seed("authorization", [{"scope": SUBSCRIPTION, "denied": told}])
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m"
    checks = AzureIdentityHook("azure_local").check_permissions(
        [START, "Microsoft.Storage/storageAccounts/read"], machine
    )
    assert [check.decision for check in checks] == [expected, Decision.ALLOW]
    if expected is not Decision.ALLOW:
        assert "'locked'" in checks[0].reason


def test_deny_assignments_that_may_not_be_read_are_mentioned(admin: Admin) -> None:
    admin.seed("authorization", [{"unreadable": "denyAssignments"}])
    (check,) = AzureIdentityHook("azure_local").check_permissions([START], GROUP)
    assert check.decision is Decision.ALLOW
    assert "deny assignments may not be read" in check.reason


def test_who_may_not_read_permissions_knows_nothing(admin: Admin) -> None:
    admin.seed("authorization", [{"unreadable": "permissions"}])
    (check,) = AzureIdentityHook("azure_local").check_permissions([START], GROUP)
    assert check.decision is Decision.UNKNOWN
    assert "AuthorizationFailed" in check.reason


QUERY = "Microsoft.OperationalInsights/workspaces/query"


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ({"actions": ["*/read"]}, Decision.ALLOW),
        ({"actions": [f"{QUERY}/*/READ"]}, Decision.ALLOW),
        ({"actions": [f"{QUERY}/Heartbeat/read"]}, Decision.UNKNOWN),
        ({"actions": ["Microsoft.OperationalInsights/workspaces/read"]}, Decision.DENY),
        ({"dataActions": ["*"]}, Decision.DENY),
        ({"actions": ["*"], "notActions": [f"{QUERY}/Heartbeat/read"]}, Decision.UNKNOWN),
        ({"actions": ["*"], "notActions": ["Microsoft.Storage/*"]}, Decision.ALLOW),
    ],
)
def test_a_wildcard_is_allowed_when_all_is_that_it_stands_for(
    admin: Admin, granted: dict[str, list[str]], expected: Decision
) -> None:
    """One that is judged costs no other its answer."""
    tables = {f"{QUERY}/{table}/read": False for table in ("Heartbeat", "Usage")}
    admin.seed(
        "authorization",
        [{"operations": {f"{QUERY}/read": False, **tables}}, roles(SUBSCRIPTION, granted)],
    )
    wildcard, _plain = decided([f"{QUERY}/*/read", f"{QUERY}/read"], GROUP)
    assert wildcard is expected


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        ({"actions": [f"{QUERY}/*"]}, Decision.DENY),
        ({"actions": [f"{QUERY}/Heartbeat/*"]}, Decision.UNKNOWN),
        ({"actions": [f"{QUERY}/*/write"]}, Decision.ALLOW),
    ],
)
def test_a_deny_assignment_may_deny_a_part_of_a_wildcard(
    admin: Admin, denied: dict[str, list[str]], expected: Decision
) -> None:
    told = {
        "denyAssignmentName": "locked",
        "permissions": [denied],
        "principals": [{"id": OBJECT_ID, "type": "ServicePrincipal"}],
    }
    tables = {f"{QUERY}/{table}/read": False for table in ("Heartbeat", "Usage")}
    admin.seed("authorization", [{"operations": tables}, {"scope": SUBSCRIPTION, "denied": told}])
    assert decided([f"{QUERY}/*/read"], GROUP) == [expected]


def test_a_wildcard_for_both_kinds_of_operations_is_not_known(admin: Admin) -> None:
    admin.seed("authorization", [roles(SUBSCRIPTION, {"actions": ["*"]})])
    (check,) = AzureIdentityHook("azure_local").check_permissions([f"{CONTAINERS}/*/read"], GROUP)
    assert check.decision is Decision.DENY  # Blobs are data, all that it stands for here.
    admin.seed("authorization", [{"operations": {f"{CONTAINERS}/policies/read": False}}])
    (check,) = AzureIdentityHook("azure_local").check_permissions([f"{CONTAINERS}/*/read"], GROUP)
    assert check.decision is Decision.UNKNOWN


def test_operations_of_unknown_kind_are_judged_where_it_does_not_matter(admin: Admin) -> None:
    admin.seed("authorization", [{"unreadable": "providerOperations"}])
    assert decided([START, f"{CONTAINERS}/blobs/read"], GROUP) == [Decision.ALLOW] * 2
    admin.seed("authorization", [roles(SUBSCRIPTION, {"actions": ["*"]})])
    assert decided([START, f"{CONTAINERS}/blobs/read"], GROUP) == [Decision.UNKNOWN] * 2
    admin.reset()
    admin.seed(
        "authorization",
        [{"unreadable": "providerOperations"}, roles(SUBSCRIPTION, {"actions": []})],
    )
    assert decided([START], GROUP) == [Decision.DENY]


def test_another_subscription_is_unknown(admin: Admin) -> None:
    del admin
    elsewhere = SUBSCRIPTION.replace("3", "5")
    (check,) = AzureIdentityHook("azure_local").check_permissions([START], elsewhere)
    assert check.decision is Decision.UNKNOWN
    assert "SubscriptionNotFound" in check.reason


def test_a_next_page_on_another_host_gets_no_token(admin: Admin) -> None:
    page = {"value": [], "nextLink": "https://elsewhere.example/next"}
    admin.script("Microsoft.Authorization/permissions", [{"status": 200, "body": page}])
    (check,) = AzureIdentityHook("azure_local").check_permissions([START], GROUP)
    assert check.decision is Decision.UNKNOWN
    assert "another host" in check.reason


def test_pages_are_read_to_their_end(admin: Admin, local_azure: LocalServer) -> None:
    extra: Any = local_azure.spec.connections["azure_local"]["extra"]
    path = f"{GROUP}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    page = {"value": [], "nextLink": f"{extra['management_endpoint']}{path}"}
    admin.script("Microsoft.Authorization/permissions", [{"status": 200, "body": page}])
    assert decided([START], GROUP) == [Decision.ALLOW]


def test_refused_credentials_are_an_error(
    monkeypatch: pytest.MonkeyPatch, local_azure: LocalServer
) -> None:
    hook = changed(monkeypatch, local_azure, {}, password="another")
    with pytest.raises(CredentialsError) as caught:
        hook.check_permissions([START], GROUP)
    assert caught.value.kind is ErrorKind.UNAUTHENTICATED


@pytest.mark.parametrize(
    "path",
    [
        f"{GROUP}/providers/Microsoft.Authorization/permissions",
        f"{GROUP}/providers/Microsoft.Authorization/permissions?api-version=2015-07-01",
        f"{GROUP}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01&a=b",
        f"{GROUP}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01",
    ],
)
def test_the_local_server_refuses_what_the_sdk_would_not_send(
    local_azure: LocalServer, path: str
) -> None:
    extra: Any = local_azure.spec.connections["azure_local"]["extra"]
    hook = AzureIdentityHook("azure_local")
    manager = hook._azure.resource_manager
    token = manager.require_credential().get_token(*manager.scopes).token
    with requests.get(
        f"{extra['management_endpoint']}{path}",
        headers={"Authorization": f"Bearer {token}"},
        verify=extra["ca_bundle"],
        timeout=10,
    ) as answer:
        assert answer.status_code == requests.codes.bad_request
        assert answer.json()["error"]["code"]


SAS = "sv=2025-05-05&ss=b&srt=co&sp=rl&se=2126-01-01T00:00:00Z&sig=c2ln"


@pytest.mark.parametrize(
    ("sas", "expected"),
    [
        (SAS, "allow allow deny deny"),
        (SAS.replace("sp=rl", "sp=r"), "allow unknown deny deny"),
        (SAS.replace("sp=rl", "sp=rlw"), "allow allow allow deny"),
        (SAS.replace("srt=co", "srt=o"), "deny allow deny deny"),
        (SAS.replace("ss=b", "ss=q"), "deny deny deny deny"),
        (SAS.replace("2126", "2025"), "deny deny deny deny"),
        (f"{SAS}&st=2125-01-01", "deny deny deny deny"),
        (f"{SAS}&si=policy", "unknown unknown unknown deny"),
        ("sv=2025-05-05&sr=c&sp=rl&se=2126-01-01&sig=c2ln", "deny unknown deny deny"),
        ("sv=2025-05-05&sr=c&sp=rl&se=2126-01-01&skoid=1&sig=c2ln", "deny unknown deny deny"),
    ],
)
def test_a_signature_says_what_it_is_good_for(
    monkeypatch: pytest.MonkeyPatch, sas: str, expected: str
) -> None:
    """Nothing is asked; and no answer shows it."""
    connection = {
        "conn_type": "wasb",
        "host": "https://lab.blob.core.windows.net",
        "extra": {"sas_token": sas},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SIGNED", json.dumps(connection))
    asked = [f"{CONTAINERS}/read", f"{CONTAINERS}/blobs/read", f"{CONTAINERS}/blobs/write", START]
    found = AzureIdentityHook("signed").check_permissions(asked, ACCOUNT)
    assert [str(check.decision) for check in found] == expected.split()
    assert "c2ln" not in repr(found)
    other = AzureIdentityHook("signed").check_permissions(asked, f"{ACCOUNT}2")
    assert {check.decision for check in other} == {Decision.UNKNOWN}

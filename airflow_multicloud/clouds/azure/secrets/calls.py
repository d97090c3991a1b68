"""The requests that each verb makes to Key Vault, and the permissions that these need.

"Azure permissions for Security", Microsoft.KeyVault
(https://learn.microsoft.com/azure/role-based-access-control/permissions/security). All are data
actions, of vaults that are asked by roles; one with access policies is not told of.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.azure.secrets.naming import NAMES
from airflow_multicloud.ports.calls import ApiCall, CallTable

_SECRETS = "Microsoft.KeyVault/vaults/secrets"
_SECRET, _VAULT = "secret", "vault"


def _call(call: str, permission: str, resource: str = _SECRET) -> ApiCall:
    return ApiCall(call=call, permissions=(f"{_SECRETS}/{permission}",), resource=resource)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    vault = (
        f"/subscriptions/{facts['subscription']}/resourceGroups/{facts['resource_group']}"
        f"/providers/Microsoft.KeyVault/vaults/{facts['vault']}"
    )
    # A copy may be made first, for which a role on the secret comes too late.
    if kind == _VAULT or "copy" in facts or "secret" not in facts:
        return vault
    return f"{vault}/secrets/{NAMES.encode(facts['secret'])}"


_METADATA = "readMetadata/action"
_LIST = (_call("GET secrets", _METADATA, _VAULT),)
_VERSIONS = _call("GET secrets/{name}/versions", _METADATA)
_DELETED = _call("GET deletedsecrets/{name}", _METADATA)
_VALUE = "getSecret/action"
#: Without its version, where versions were written in the same second.
_CURRENT = _call("GET secrets/{name}", _VALUE)
_DESCRIBE = (_VERSIONS, _DELETED, _CURRENT)
_READ = _call("GET secrets/{name}/{version}", _VALUE)

TABLE = CallTable(
    {
        "describe_store": _LIST,
        "find_secrets": _LIST,
        "describe_secret": _DESCRIBE,
        "list_secret_versions": _DESCRIBE,
        "read_secret": (_READ, *_DESCRIBE),
        # What was written before with the same token is read.
        "write_secret": (*_DESCRIBE, _READ, _call("PUT secrets/{name}", "setSecret/action")),
        "tag_secret": (*_DESCRIBE, _call("PATCH secrets/{name}/{version}", "update/action")),
        "remove_secret": (*_DESCRIBE, _call("DELETE secrets/{name}", "delete")),
        "recover_secret": (
            *_DESCRIBE,
            _call("POST deletedsecrets/{name}/recover", "recover/action"),
        ),
    },
    _resource,
)

"""What a connection says of where it leads, without a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow.sdk import Connection

#: What a connection may leave out, which stands in braces then → what would tell. A storage
#: account's key or signature needs no subscription; roles are not found without.
_TOLD_BY = MappingProxyType(
    {
        "subscription": "set its extra subscriptionId",
        "resource_group": "set its extra resource_group",
        "storage_account": "name it as the host",
        "metrics_resource": "set its extra metrics_resource_id",
        "vault": "set its extra key_vault_url to the vault's own address",
    }
)
_NAMES = (*_TOLD_BY, "application_insights")
#: Whether a connection has neither an account's key nor a signature, and may sign by a token.
BY_TOKEN: Final = "by_token"  # noqa: S105  # a name, not a token
_UNTOLD = re.compile(r"\{(\w+)\}")


def facts_of(connection: Connection | None) -> Mapping[str, str]:
    """Subscription, resource group, storage account and key vault.

    The first two are the extras ``subscriptionId`` and ``resource_group`` of ``azure`` and ``wasb``
    connections; the account is in a ``wasb`` connection's host, login or connection string.
    The vault is the first name of the host in ``key_vault_url``.
    """
    untold = {name: f"{{{name}}}" for name in _NAMES}
    if connection is None:
        return {**untold, BY_TOKEN: "yes"}
    extra: Mapping[str, Any] = connection.extra_dejson
    told = {
        "subscription": extra.get("subscriptionId"),
        "resource_group": extra.get("resource_group"),
        "storage_account": _account(connection, extra),
        "vault": _first_name(str(extra.get("key_vault_url") or "")),
    }
    facts = {name: str(value or untold[name]) for name, value in told.items()}
    if extra.get("metrics_resource_id"):
        facts["metrics_resource"] = str(extra["metrics_resource_id"])
    elif extra.get("application_insights_connection_string"):
        # The connection has its key, but not its resource id.
        facts["application_insights"] = "{application_insights}"
    if _is_by_token(connection, extra):
        facts[BY_TOKEN] = "yes"
    return facts


def why_not_named(resource: str, conn_id: str) -> str | None:
    """Why a resource has no id to ask about, and what would tell; ``None`` when it has one."""
    untold = _UNTOLD.findall(resource)
    if not untold:
        return None
    helps = [_TOLD_BY[name] for name in untold if name in _TOLD_BY]
    what = " and ".join(name.replace("_", " ") for name in untold)
    why = f"connection {conn_id!r} does not tell the {what}"
    return f"{why}: {' and '.join(helps)}" if helps else f"{why}, by a resource's id"


def _is_by_token(connection: Connection, extra: Mapping[str, Any]) -> bool:
    """As the official hook chooses among what a connection has."""
    if extra.get("connection_string"):
        return False
    if extra.get("tenant_id") or extra.get("tenantId"):
        return True
    secrets = (extra.get(name) for name in ("shared_access_key", "sas_token", "account_key"))
    return not (connection.password or any(secrets))


def _account(connection: Connection, extra: Mapping[str, Any]) -> str | None:
    text = str(extra.get("connection_string") or "")
    fields = dict(part.partition("=")[::2] for part in text.split(";"))
    if named := fields.get("AccountName"):
        return str(named)
    host = str(connection.host or fields.get("BlobEndpoint") or "")
    parts = urlsplit(host if "://" in host else f"https://{host}")
    first = (parts.hostname or "").partition(".")
    # Emulators have the account in the path.
    return (first[0] if first[2] and not first[0].isdigit() else None) or (
        parts.path.strip("/").partition("/")[0] or connection.login or first[0] or None
    )


def _first_name(url: str) -> str:
    first = (urlsplit(url).hostname or "").partition(".")[0]
    return "" if first.isdigit() else first  # An IP address does not name a vault.

"""Azure Resource Manager as a connection reaches it: where, as whom, and trusting whom.

Airflow's own Azure hook offers neither another endpoint nor credentials that today's SDKs take
without being told to, so the connection is read here. TLS is always verified.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.microsoft.azure.utils import get_sync_default_azure_credential
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts, ClientSecretCredential
from azure.mgmt.core.tools import get_arm_endpoints

from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.resending import ReadableWaits
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.text import shortened

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from azure.core.credentials import TokenCredential

#: ``cloud_environment`` of a connection, as Airflow's own hook calls them.
_CLOUDS = {
    "AzurePublicCloud": (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    "AzureUSGovernment": (AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
    "AzureChinaCloud": (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
}
_RETAIL_PRICES = "https://prices.azure.com"
_TEXTS = (
    *("authority", "ca_bundle", "cloud_environment", "cost_scope", "key_path"),
    *("management_endpoint", "managed_identity_client_id", "retail_prices_endpoint"),
    *("subscriptionId", "tenantId", "workload_identity_tenant_id"),
)
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceManager:
    """What a client of Azure Resource Manager needs.

    :param credential: ``None`` where the connection has none that Resource Manager takes.
    :param scopes: of the tokens, whatever the endpoint.
    :param cost_scope: what costs are asked of: a subscription, billing account…
    :param verify: the certificates to trust: a PEM file, or ``True`` for the usual ones.
    """

    conn_id: str
    conn_type: str
    credential: TokenCredential | None = field(repr=False)
    endpoint: str
    scopes: tuple[str, ...]
    subscription_id: str | None
    cost_scope: str | None
    retail_prices_endpoint: str
    verify: str | bool

    def require_credential(self) -> TokenCredential:
        """The credential.

        :raises CredentialsError: when the connection has none for Resource Manager.
        """
        if self.credential is None:
            raise self.unusable(
                f"has type {self.conn_type!r} and credentials for storage only; asking Azure "
                "Resource Manager needs type 'azure', or 'wasb' with a tenant_id and an application"
            )
        return self.credential

    def require_subscription(self) -> str:
        """The subscription id.

        :raises CredentialsError: when the connection names none.
        """
        if self.subscription_id is None:
            raise self.unusable("names no subscription; set subscriptionId in its extra")
        return self.subscription_id

    def require_cost_scope(self) -> str:
        """What costs are asked of, without slashes around it.

        :raises CredentialsError: when the connection names neither that nor a subscription.
        """
        if self.cost_scope:
            return self.cost_scope.strip("/")
        return f"subscriptions/{self.require_subscription()}"

    def client_options(self) -> dict[str, Any]:
        """For any ``azure.mgmt`` client, beside its credential."""
        return {
            "base_url": self.endpoint,
            "credential_scopes": list(self.scopes),
            "connection_verify": self.verify,
            "retry_policy": ReadableWaits(),
        }

    def unusable(self, why: str) -> CredentialsError:
        """That the connection can't be used for this."""
        return _unusable(self.conn_id, why)


def read_connection(
    conn_id: str, connection: Connection, storage_credential: TokenCredential | None
) -> ResourceManager:
    """A connection of type ``azure``, or of type ``wasb`` with a token credential.

    Beside what Airflow's hook reads, the extra may have ``management_endpoint``, ``authority``,
    ``retail_prices_endpoint`` (all https), ``ca_bundle`` (a PEM file) and ``cost_scope``.

    :param storage_credential: of a ``wasb`` connection, if it is one for tokens.
    :raises CredentialsError: kind ``invalid_argument``, naming the field.
    """
    extra: Mapping[str, Any] = connection.extra_dejson or {}
    check_texts(conn_id, extra, _TEXTS)
    environment = extra.get("cloud_environment") or "AzurePublicCloud"
    if environment not in _CLOUDS:
        raise _unusable(
            conn_id,
            f"cloud_environment: {shown(environment)} given, allowed: {', '.join(_CLOUDS)}",
        )
    cloud, authority = _CLOUDS[environment]
    known = get_arm_endpoints(cloud)
    fields = {"login": connection.login, "password": connection.password, **extra}
    # A key's content, as text, has line breaks of its own.
    fields.pop("key_json", None)
    check_control_characters(conn_id, fields, cloud=NAME)
    verify = _bundle(conn_id, extra)
    conn_type = str(connection.conn_type)
    credential: TokenCredential | None
    if conn_type == "azure":
        authority = https_url(conn_id, extra, "authority", f"https://{authority}")
        credential = _credential(conn_id, connection, extra, authority, verify)
    else:
        credential = storage_credential
    endpoint = https_url(conn_id, extra, "management_endpoint", known["resource_manager"])
    return ResourceManager(
        conn_id=conn_id,
        conn_type=conn_type,
        credential=credential,
        endpoint=endpoint,
        scopes=tuple(known["credential_scopes"]),
        subscription_id=extra.get("subscriptionId") or _key(conn_id, extra).get("subscriptionId"),
        cost_scope=extra.get("cost_scope") or None,
        retail_prices_endpoint=https_url(conn_id, extra, "retail_prices_endpoint", _RETAIL_PRICES),
        verify=verify,
    )


def _credential(
    conn_id: str,
    connection: Connection,
    extra: Mapping[str, Any],
    authority: str,
    verify: str | bool,
) -> TokenCredential:
    key = _key(conn_id, extra)
    tenant = extra.get("tenantId") or key.get("tenantId")
    client = connection.login or key.get("clientId")
    secret = connection.password or key.get("clientSecret")
    if tenant and client and secret:
        # Instance discovery would ask login.microsoftonline.com about an authority of one's own.
        return ClientSecretCredential(
            tenant,
            client,
            secret,
            authority=authority,
            disable_instance_discovery="authority" in extra,
            connection_verify=verify,
            retry_policy_class=ReadableWaits,
        )
    if client or secret:
        named = {"tenantId": tenant, "login": client, "password": secret}
        missing = ", ".join(name for name, value in named.items() if not value)
        raise _unusable(conn_id, f"has a part of an application's credentials; missing: {missing}")
    return get_sync_default_azure_credential(
        managed_identity_client_id=extra.get("managed_identity_client_id"),
        workload_identity_tenant_id=extra.get("workload_identity_tenant_id"),
    )


def _key(conn_id: str, extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """The application's key file or its content, which Airflow's hook takes too."""
    if given := extra.get("key_json"):
        found = given
    elif path := extra.get("key_path"):
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as err:
            why = err.strerror if isinstance(err, OSError) else "it is no JSON"
            raise _unusable(conn_id, f"key_path: {shown(path)} can't be read: {why}") from None
    else:
        return {}
    if not isinstance(found, dict):
        raise _unusable(conn_id, "key_json or key_path: expected a JSON object")
    return found


def https_url(conn_id: str, extra: Mapping[str, Any], name: str, default: str) -> str:
    """A URL of the extra, without a slash at its end.

    :raises CredentialsError: kind ``invalid_argument`` when it is none, or not https.
    """
    value = str(extra.get(name) or default)
    expected = "expected https://host[:port]"
    try:
        parts = urlsplit(value)
        good = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if "@" in value:
        # Errors name the endpoint, and would show the password.
        raise _unusable(conn_id, f"{name}: a user or password given, {expected}")
    if not good:
        raise _unusable(conn_id, f"{name}: {shown(value)} given, {expected}")
    return value.rstrip("/")


def check_texts(conn_id: str, extra: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse what is no text where a text is expected; what is empty counts as not given.

    :param names: of the fields.
    :raises CredentialsError: kind ``invalid_argument``, naming the field.
    """
    for name in names:
        value = extra.get(name)
        if value and not isinstance(value, str):
            # Its value is not shown: it may be a secret in the wrong place.
            raise _unusable(conn_id, f"{name}: a {type(value).__name__} given, expected a text")


def shown(value: object) -> str:
    """What a connection holds, as an error shows it."""
    return shortened(repr(value), _LONGEST_SHOWN)


def _bundle(conn_id: str, extra: Mapping[str, Any]) -> str | bool:
    value = extra.get("ca_bundle")
    if not value:
        return True
    if not Path(value).is_file():
        raise _unusable(conn_id, f"ca_bundle: {shown(value)} is no file")
    return str(value)


def _unusable(conn_id: str, why: str) -> CredentialsError:
    return CredentialsError(
        f"connection {conn_id!r} {why}", kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME
    )

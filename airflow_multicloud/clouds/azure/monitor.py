"""Azure Monitor as a connection reaches it: where metrics and logs go, and where they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import mask_secret

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.clouds.azure.resource_manager import (
    ResourceManager,
    check_texts,
    https_url,
    shown,
)
from airflow_multicloud.errors import CredentialsError

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from azure.core.credentials import TokenCredential

T = TypeVar("T")

#: ``cloud_environment`` → the audiences of tokens for Azure Monitor and for Log Analytics, and the
#: domain of its metrics (https://learn.microsoft.com/azure/azure-monitor/logs/api/access-api,
#: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure).
_CLOUDS = {
    "AzurePublicCloud": ("https://monitor.azure.com", "https://api.loganalytics.io", "azure.com"),
    "AzureUSGovernment": ("https://monitor.azure.us", "https://api.loganalytics.us", "azure.us"),
    "AzureChinaCloud": (
        "https://monitor.azure.cn",
        "https://api.loganalytics.azure.cn",
        "azure.cn",
    ),
}
#: What tells whose tokens are asked for.
_IDENTITIES = (
    *("key_json", "key_path"),
    *("managed_identity_client_id", "workload_identity_tenant_id"),
)
_TEXTS = (
    "application_insights_connection_string",
    *("metrics_resource_id", "metrics_region"),
    *("metrics_ingestion_endpoint", "metrics_query_endpoint", "otlp_metrics_endpoint"),
    *("logs_workspace_id", "logs_query_endpoint"),
    *("logs_ingestion_endpoint", "logs_rule_id", "logs_stream"),
)
_RESOURCE = re.compile(
    r"(/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[^/?#\s]+/providers(/[^/?#\s]+){3,})/?",
    re.IGNORECASE,
)
_REGION = re.compile(r"[a-z0-9]{2,40}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationInsights:
    """Where metrics go, from a connection string.

    :param key: the instrumentation key: whoever has it can write.
    :param endpoint: of the ingestion.
    """

    key: str = field(repr=False)
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMetrics:
    """The custom metrics of one Azure resource.

    :param endpoint: where they are sent, in the resource's region.
    :param scope: of tokens for that.
    :param query_endpoint: where they are read.
    :param query_scope: of tokens for that.
    """

    resource_id: str
    endpoint: str
    scope: str
    query_endpoint: str
    query_scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What clients of Azure Monitor need.

    :param manager: the rest of the connection.
    :param signs: whether the connection says whose tokens prove who it is: an application's or
        a managed identity's. Others could be found by trying, which takes seconds.
    :param scope: of tokens for sending, whatever the endpoint.
    :param query_scope: of tokens for reading.
    """

    manager: ResourceManager
    signs: bool
    scope: str
    query_scope: str
    insights: ApplicationInsights | None
    resource: ResourceMetrics | None
    workspace_id: str | None
    query_endpoint: str
    ingestion_endpoint: str | None
    rule_id: str | None
    stream: str | None
    otlp_metrics_endpoint: str | None

    @property
    def verify(self) -> str | bool:
        """The certificates to trust: a PEM file, or ``True`` for the usual ones."""
        return self.manager.verify

    def require_credential(self) -> TokenCredential:
        """The credential.

        :raises CredentialsError: when the connection has none for tokens.
        """
        return self.manager.require_credential()

    def get_token(self, scope: str) -> str:
        """A token: one that the credential still has, or a new one.

        :raises CredentialsError: of the kind of what it failed for; so nothing was sent.
        """
        credential, doing = self.require_credential(), "asking for a token for Azure Monitor"
        translated = errors.translated(doing, table=errors.BASE, area=CredentialsError)
        with translated, well_formed(doing, NAME, area=CredentialsError):
            return credential.get_token(scope).token

    def require_insights(self) -> ApplicationInsights:
        """Application Insights.

        :raises CredentialsError: when the connection does not name it.
        """
        return self._required(self.insights, "application_insights_connection_string")

    def require_workspace(self) -> str:
        """The id of the Log Analytics workspace.

        :raises CredentialsError: when the connection names none.
        """
        return self._required(self.workspace_id, "logs_workspace_id")

    def require_ingestion_endpoint(self) -> str:
        """Where logs are sent.

        :raises CredentialsError: when the connection does not name it.
        """
        return self._required(self.ingestion_endpoint, "logs_ingestion_endpoint")

    def require_rule(self) -> str:
        """The immutable id of the data collection rule that logs are sent by.

        :raises CredentialsError: when the connection names none.
        """
        return self._required(self.rule_id, "logs_rule_id")

    def require_stream(self) -> str:
        """The rule's stream that logs are sent into.

        :raises CredentialsError: when the connection names none.
        """
        return self._required(self.stream, "logs_stream")

    def require_otlp_metrics_endpoint(self) -> str:
        """Where metrics are sent by OTLP.

        :raises CredentialsError: when the connection does not name it.
        """
        return self._required(self.otlp_metrics_endpoint, "otlp_metrics_endpoint")

    def _required(self, value: T | None, name: str) -> T:
        if value is None:
            raise self.manager.unusable(f"has no {name}; set it in its extra")
        return value


def read_monitor(connection: Connection, manager: ResourceManager) -> Monitor:
    """The Azure Monitor that a connection names in its extra; each is needed only where it is used.

    ``application_insights_connection_string``
        of the resource that metrics go to, as the portal shows it:
        ``InstrumentationKey=…;IngestionEndpoint=https://…``.
    ``metrics_resource_id``, ``metrics_region``
        an Azure resource and its region (``westeurope``): metrics are its custom metrics then, and
        do not go to Application Insights.
    ``metrics_ingestion_endpoint``, ``metrics_query_endpoint``
        of that region; by default Azure's public ones.
    ``logs_workspace_id``
        the id (a GUID) of the Log Analytics workspace that metrics and logs are read from.
    ``logs_query_endpoint``
        where that is asked; by default Azure's public endpoint of the cloud environment.
    ``logs_ingestion_endpoint``, ``logs_rule_id``, ``logs_stream``
        where logs are sent: the endpoint of a data collection endpoint or rule, the rule's
        immutable id (``dcr-…``), and its stream (``Custom-…``).
    ``otlp_metrics_endpoint``
        all of the URL, up to ``/v1/metrics``, that takes metrics by OTLP.

    :param manager: of the same connection.
    :raises CredentialsError: kind ``invalid_argument``, naming the field.
    """
    extra: Mapping[str, Any] = connection.extra_dejson or {}
    check_texts(manager.conn_id, extra, _TEXTS)
    scope, query, domain = _CLOUDS[extra.get("cloud_environment") or "AzurePublicCloud"]
    named = connection.login or connection.password or any(extra.get(key) for key in _IDENTITIES)
    return Monitor(
        manager=manager,
        signs=bool(named) and manager.credential is not None,
        scope=f"{scope}/.default",
        query_scope=f"{query}/.default",
        insights=_insights(extra, manager),
        resource=_resource(extra, manager, domain),
        workspace_id=extra.get("logs_workspace_id") or None,
        query_endpoint=https_url(manager.conn_id, extra, "logs_query_endpoint", query),
        ingestion_endpoint=_url(extra, "logs_ingestion_endpoint", manager),
        rule_id=extra.get("logs_rule_id") or None,
        stream=extra.get("logs_stream") or None,
        otlp_metrics_endpoint=_url(extra, "otlp_metrics_endpoint", manager),
    )


def _insights(extra: Mapping[str, Any], manager: ResourceManager) -> ApplicationInsights | None:
    """Read the connection string; no error shows it, since it holds the key.

    https://learn.microsoft.com/azure/azure-monitor/app/connection-strings#schema
    """
    name = "application_insights_connection_string"
    text = extra.get(name)
    if not text:
        return None
    pairs = [part.partition("=") for part in str(text).split(";") if part.strip()]
    fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
    key = fields.get("instrumentationkey", "")
    if not _KEY.fullmatch(key):
        raise manager.unusable(f"{name}: it has no InstrumentationKey that is a GUID")
    mask_secret(key)
    if "ingestionendpoint" not in fields:
        raise manager.unusable(
            f"{name}: it has no IngestionEndpoint; take the whole of it from the portal"
        )
    where = f"{name}: IngestionEndpoint"
    endpoint = https_url(manager.conn_id, {where: fields["ingestionendpoint"]}, where, "")
    return ApplicationInsights(key=key, endpoint=endpoint)


def _resource(
    extra: Mapping[str, Any], manager: ResourceManager, domain: str
) -> ResourceMetrics | None:
    """Read where custom metrics go.

    https://learn.microsoft.com/azure/azure-monitor/metrics/metrics-store-custom-rest-api: the
    audience of tokens for sending ends with a slash, which a scope keeps as a second one.
    """
    given = extra.get("metrics_resource_id")
    if not given:
        return None
    found = _RESOURCE.fullmatch(str(given))
    if found is None:
        raise manager.unusable(
            f"metrics_resource_id: {shown(given)} given, expected the id of a resource: "
            "/subscriptions/…/resourceGroups/…/providers/…"
        )
    region = str(extra.get("metrics_region") or "")
    if not _REGION.fullmatch(region):
        raise manager.unusable(
            f"metrics_region: {shown(region)} given, expected one like 'westeurope'"
        )
    sending, reading = f"https://{region}.monitoring.{domain}", f"metrics.monitor.{domain}"
    return ResourceMetrics(
        resource_id=found[1],
        endpoint=https_url(manager.conn_id, extra, "metrics_ingestion_endpoint", sending),
        scope=f"https://monitoring.{domain}//.default",
        query_endpoint=https_url(
            manager.conn_id, extra, "metrics_query_endpoint", f"https://{region}.{reading}"
        ),
        query_scope=f"https://{reading}/.default",
    )


def _url(extra: Mapping[str, Any], name: str, manager: ResourceManager) -> str | None:
    return https_url(manager.conn_id, extra, name, "") if extra.get(name) else None

"""What the mix-ins of Azure's metrics hook stand on: the connection's session and its clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from azure.core import PipelineClient
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    HeadersPolicy,
    HttpLoggingPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

from airflow_multicloud.clouds.azure.monitor import Monitor
from airflow_multicloud.clouds.azure.resending import RefusedOnly
from airflow_multicloud.clouds.azure.session import Session


class MetricsBase(AzureBaseHook):
    """Azure's own hook, and the Azure Monitor that the connection names.

    :param conn_id: the connection, of type ``azure``, or of type ``wasb`` with a Microsoft Entra
        application; its extra names where metrics go, see
        :func:`airflow_multicloud.clouds.azure.monitor.read_monitor`.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        self._azure = Session.shared(conn_id)
        self._monitor = self._azure.monitor


def sending_client(
    monitor: Monitor,
    endpoint: str,
    *,
    scope: str | None,
    is_refusal: Callable[[HttpResponse], bool] = lambda _: False,
) -> PipelineClient[HttpRequest, HttpResponse]:
    """A client that sends points, each once.

    It follows no redirections: what it sends may hold a key, and is for one host.

    :param scope: of the tokens; ``None`` where none are sent.
    :param is_refusal: as for :class:`.RefusedOnly`.
    """
    policies: list[Any] = [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json", "Content-Type": "application/json"}),
        UserAgentPolicy("airflow-multicloud"),
        ProxyPolicy(),
        RefusedOnly(is_refusal),
    ]
    if scope is not None:
        policies.append(BearerTokenCredentialPolicy(monitor.require_credential(), scope))
    policies.append(HttpLoggingPolicy())
    return PipelineClient(base_url=endpoint, policies=policies, connection_verify=monitor.verify)

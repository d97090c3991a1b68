"""What the mix-ins of Azure's logs hook stand on: the session's clients."""

from __future__ import annotations

import re

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from azure.monitor.ingestion import LogsIngestionClient
from azure.monitor.query import LogsQueryClient

from airflow_multicloud.clouds.azure.log_analytics import query_client
from airflow_multicloud.clouds.azure.monitor import Monitor
from airflow_multicloud.clouds.azure.resending import RefusedOnly
from airflow_multicloud.clouds.azure.resource_manager import shown
from airflow_multicloud.clouds.azure.session import Session

# A table of one's own: https://learn.microsoft.com/azure/azure-monitor/logs/create-custom-table.
_STREAM = re.compile(r"Custom-([A-Za-z][A-Za-z0-9_]*_CL)", re.ASCII)


class LogsBase(AzureBaseHook):
    """Azure's own hook, and the clients of Logs Ingestion and of Log Analytics.

    :param conn_id: the connection.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        self._azure = Session.shared(conn_id)
        self._monitor: Monitor = self._azure.monitor

    @property
    def _table(self) -> str:
        """The table that the stream fills.

        :raises CredentialsError: when the connection names no stream, or one of another form.
        """
        stream = self._monitor.require_stream()
        found = _STREAM.fullmatch(stream)
        if found is None:
            raise self._monitor.manager.unusable(
                f"logs_stream: {shown(stream)} given, expected Custom-TABLE_CL, where TABLE_CL is "
                "the name of a table of your own"
            )
        return found[1]

    @property
    def _ingestion(self) -> LogsIngestionClient:
        return self._azure.client("logs ingestion", lambda: _ingestion(self._monitor))

    @property
    def _queries(self) -> LogsQueryClient:
        return self._azure.client("log analytics", lambda: query_client(self._monitor))


def _ingestion(monitor: Monitor) -> LogsIngestionClient:
    return LogsIngestionClient(
        monitor.require_ingestion_endpoint(),
        monitor.require_credential(),
        credential_scopes=[monitor.scope],
        retry_policy=RefusedOnly(),
        permit_redirects=False,
        connection_verify=monitor.verify,
    )

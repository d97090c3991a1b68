"""What the mix-ins of Azure's logs hook stand on: the session's clients."""

from __future__ import annotations

import logging
import os
import re
from http import HTTPStatus
from typing import Any

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.monitor.ingestion import LogsIngestionClient
from azure.monitor.query import LogsQueryClient

from airflow_multicloud.clouds.azure.monitor import Monitor
from airflow_multicloud.clouds.azure.session import Session

# A table of one's own: https://learn.microsoft.com/azure/azure-monitor/logs/create-custom-table.
_STREAM = re.compile(r"Custom-([A-Za-z][A-Za-z0-9_]*_CL)", re.ASCII)


class ThrottlingRetryPolicy(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retries, of what surely was not carried out.

    The SDK also repeats what was answered with 500, 503 or 504. These may come from something on
    the way that waited in vain, and the service keeps twice what it gets twice.
    """

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether it was throttled, and asks for no longer a wait than a worker may be held for."""
        if response.http_response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            return False
        wait = self.get_retry_after(response)
        return bool(settings["total"]) and (wait is None or wait <= self.BACKOFF_MAX)


class LogsBase(AzureBaseHook):
    """Azure's own hook, and the clients of Logs Ingestion and of Log Analytics.

    :param conn_id: the connection.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        # As Airflow's own Azure hooks do: else every request fills a page of the task's log.
        if "AZURE_HTTP_LOGGING_LEVEL" not in os.environ:
            requests = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
            requests.setLevel(logging.WARNING)
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
                f"logs_stream: {stream!r} given, expected Custom-TABLE_CL, where TABLE_CL is the "
                "name of a table of your own"
            )
        return found[1]

    @property
    def _ingestion(self) -> LogsIngestionClient:
        return self._azure.client("logs ingestion", lambda: _ingestion(self._monitor))

    @property
    def _queries(self) -> LogsQueryClient:
        return self._azure.client("logs query", lambda: _queries(self._monitor))


def _ingestion(monitor: Monitor) -> LogsIngestionClient:
    return LogsIngestionClient(
        monitor.require_ingestion_endpoint(),
        monitor.require_credential(),
        credential_scopes=[monitor.scope],
        retry_policy=ThrottlingRetryPolicy(),
        permit_redirects=False,
        connection_verify=monitor.verify,
    )


def _queries(monitor: Monitor) -> LogsQueryClient:
    return LogsQueryClient(
        monitor.require_credential(),
        endpoint=monitor.query_endpoint,
        credential_scopes=[monitor.query_scope],
        permit_redirects=False,
        connection_verify=monitor.verify,
    )

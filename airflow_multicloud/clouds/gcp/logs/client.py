"""What writing and querying stand on: Google's client, opened once, and how it tries again."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from google.api_core.retry import Retry
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)

from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.clouds.gcp.logs.errors import translated
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.clouds.gcp.tries import RETRY

_HOST: Final = "logging.googleapis.com"

#: Seconds that one request may take.
REQUEST_S: Final = 60.0


class LogsBase(SessionHook):
    """What writing and querying stand on.

    The connection is read by the constructor; calls may come from any thread.
    """

    @property
    def _project(self) -> str:
        """The connection's project.

        :raises CredentialsError: when nothing names one.
        """
        return self._session.needed_project

    def _log_name(self, log: str) -> str:
        """A log's resource name, in which its slashes are percent-encoded."""
        return f"projects/{self._project}/logs/{quote(log, safe='')}"

    @property
    def _retry(self) -> Retry | None:
        """How requests are sent again: not at all where the extra ``num_retries`` is 0."""
        return RETRY if self._session.retries else None

    @property
    def _logging(self) -> LoggingServiceV2Client:
        """Google's client, opened once."""
        with (
            translated(f"opening connection {self.gcp_conn_id!r}"),
            credentials_read(self.gcp_conn_id),
        ):
            return self._session.client(
                "logging",
                lambda: LoggingServiceV2Client(
                    transport=LoggingServiceV2GrpcTransport(
                        channel=open_channel(self._session, "logging", _HOST)
                    )
                ),
            )

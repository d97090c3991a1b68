"""What metrics stand on: Google's client, opened once."""

from __future__ import annotations

from typing import Final

from google.api_core.retry import Retry
from google.cloud.monitoring_v3.services.metric_service import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport

from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.clouds.gcp.metrics.errors import translated
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.clouds.gcp.tries import RETRY

_HOST: Final = "monitoring.googleapis.com"
#: Seconds that one request may take.
REQUEST_S: Final = 30.0


class MetricsBase(SessionHook):
    """What metrics stand on. Airflow has no hook for Cloud Monitoring's time series.

    The connection is read by the constructor; calls may come from any thread.
    """

    @property
    def _client(self) -> MetricServiceClient:
        """Google's client, opened once.

        :raises CredentialsError: when the connection can't be used.
        """
        with (
            translated(f"opening connection {self.gcp_conn_id!r}"),
            credentials_read(self.gcp_conn_id),
        ):
            return self._session.client(
                "monitoring's MetricServiceClient",
                lambda: MetricServiceClient(
                    transport=MetricServiceGrpcTransport(
                        channel=open_channel(self._session, "monitoring", _HOST)
                    )
                ),
            )

    @property
    def _project(self) -> str:
        """The project as the API names it.

        :raises CredentialsError: when nothing names one.
        """
        return f"projects/{self._session.needed_project}"

    @property
    def _retry(self) -> Retry | None:
        """How requests are sent again: not at all where the extra ``num_retries`` is 0."""
        return RETRY if self._session.retries else None

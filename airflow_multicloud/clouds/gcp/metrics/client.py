"""What metrics stand on: Google's client, opened once."""

from __future__ import annotations

from typing import Final

from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.cloud.monitoring_v3.services.metric_service import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport

from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.clouds.gcp.metrics.errors import TABLE, translated
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.errors import ErrorKind

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
    def _repeating(self) -> Retry | None:
        """How requests are repeated: not at all where the extra ``num_retries`` is 0."""
        return _REPEATING if self._session.retries else None


def may_be_carried_out(err: BaseException) -> bool:
    """Whether what was sent may have been carried out, although this is what came of it."""
    return isinstance(err, api.ServiceUnavailable | api.DeadlineExceeded)


def _may_be_repeated(err: BaseException) -> bool:
    if isinstance(err, api.ResourceExhausted):
        return TABLE.kind_of_code(err.reason) is not ErrorKind.QUOTA
    return isinstance(err, api.ServiceUnavailable)


#: Writes, too: a series keeps a point of one time once. Not for the minutes that the client library
#: has by default: a cloud that is down must be told of in time.
_REPEATING: Final = Retry(
    predicate=_may_be_repeated, initial=0.2, maximum=5.0, multiplier=2.0, timeout=20.0
)

"""The clients of CloudWatch of an AWS connection: one reads, one writes."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.clouds.aws.clients import asking_client, sending_client
from airflow_multicloud.clouds.aws.metrics.errors import TABLE, translated
from airflow_multicloud.clouds.aws.session import SessionHook


class MetricsBase(SessionHook):
    """What metrics stand on.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = SessionHook.default_conn_name) -> None:
        super().__init__(aws_conn_id, client_type="cloudwatch")

    def _reader(self) -> Any:
        """The client for questions, which may be asked again."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once(
                "metrics reader", lambda: asking_client("cloudwatch", self._session)
            )

    def _writer(self) -> Any:
        """The client for points, which would count twice if they were sent again."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            self._session.fetch_credentials()
            return self._session.once(
                "metrics writer",
                lambda: sending_client("cloudwatch", "PutMetricData", self._session, TABLE),
            )

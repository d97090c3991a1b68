"""The clients of CloudWatch of an AWS connection: one reads, one writes."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.clouds.aws.metrics.errors import TABLE, translated
from airflow_multicloud.clouds.aws.seams import SEND_ONCE, refuse_pages, resend_throttled
from airflow_multicloud.clouds.aws.session import SessionHook


class MetricsBase(SessionHook):
    """What metrics stand on.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = SessionHook.default_conn_name) -> None:
        super().__init__(aws_conn_id, client_type="cloudwatch")

    def _reader(self) -> Any:
        """The client for questions, which may be asked again."""

        def make() -> Any:
            client = self._session.new_client("cloudwatch")
            refuse_pages(client)
            return client

        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once("metrics reader", make)

    def _writer(self) -> Any:
        """The client for points.

        A request whose answer is lost is not sent again, since CloudWatch would add its points to
        those that it has; one that was throttled is, since nothing of it was carried out.
        """

        def make() -> Any:
            client = self._session.new_client("cloudwatch", config=SEND_ONCE)
            resend_throttled(client, "PutMetricData", TABLE)
            refuse_pages(client)
            return client

        with translated(f"opening connection {self.aws_conn_id!r}"):
            self._session.fetch_credentials()
            return self._session.once("metrics writer", make)

"""The clients of CloudWatch Logs of an AWS connection: one asks, one writes."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.adapters.entries import check_log
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.clients import asking_client, sending_client
from airflow_multicloud.clouds.aws.logs.errors import TABLE, failure, translated
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.errors import ErrorKind

# "Log group names can't start with the string aws/" (CreateLogGroup).
_RESERVED = "aws/"


class LogsBase(SessionHook):
    """What logs stand on; a log is a log group.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = SessionHook.default_conn_name) -> None:
        super().__init__(aws_conn_id, client_type="logs")

    def _check_log(self, log: str) -> None:
        """Refuse what is no log group that can be made.

        :raises LogsError: kind ``invalid_argument``.
        """
        check_log(log, cloud=NAME)
        if log.startswith(_RESERVED):
            raise failure(
                f"log: {log!r} given, expected a name that does not begin with {_RESERVED!r}, "
                "which AWS keeps for itself",
                ErrorKind.INVALID_ARGUMENT,
            )

    def _asker(self) -> Any:
        """The client for what may be asked again."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once("logs asker", lambda: asking_client("logs", self._session))

    def _writer(self) -> Any:
        """The client for entries, which would be there twice if they were sent again."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            self._session.fetch_credentials()
            return self._session.once(
                "logs writer",
                lambda: sending_client("logs", "PutLogEvents", self._session, TABLE),
            )

"""The clients of an AWS connection that databases need."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.rds import RdsHook

from airflow_multicloud.clouds.aws.database.errors import failure, translated
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.errors import ErrorKind


class DatabaseBase(SessionHook, RdsHook):
    """What the verbs stand on: the official RDS hook and one opened connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def _client_of(self, service: str, region: str) -> Any:
        """The client of a service, made once for each region."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.client(service, region=region)

    def _home(self) -> str:
        """The connection's own region.

        :raises DatabaseError: ``invalid_argument``, when it has none.
        """
        with translated(f"opening connection {self.aws_conn_id!r}"):
            region = self._session.region
        if region is None:
            raise failure(
                f"region: connection {self.aws_conn_id!r} has none; name it there (region_name), "
                "or give references by their ARN",
                ErrorKind.INVALID_ARGUMENT,
            )
        return region

"""The two interfaces that databases need: the Cloud SQL Admin API and Cloud Monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.providers.google.cloud.hooks.cloud_sql import CloudSQLHook

from airflow_multicloud.clouds.gcp.database.errors import translated
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.errors import DatabaseError

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.rest import RestApi

#: ``rootUrl`` of the discovery documents sqladmin.v1 and monitoring.v3.
_SQLADMIN: Final = "https://sqladmin.googleapis.com"
_MONITORING: Final = "https://monitoring.googleapis.com"


class DatabaseBase(SessionHook, CloudSQLHook):
    """What the verbs stand on: the official Cloud SQL hook and one opened connection.

    :param gcp_conn_id: an Airflow connection of type ``google_cloud_platform``.
    """

    # Of any Google connection; the official hook's is of type gcpcloudsql, which is for SQL.
    default_conn_name = SessionHook.default_conn_name

    def __init__(self, gcp_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(gcp_conn_id=gcp_conn_id, **{"api_version": "v1", **kwargs})

    @property
    def _admin(self) -> RestApi:
        """The Admin API; the official hook's own client knows no other endpoint."""
        return self._opened("sqladmin", _SQLADMIN)

    @property
    def _monitoring(self) -> RestApi:
        return self._opened("monitoring", _MONITORING)

    def _home(self) -> str:
        """The connection's own project.

        :raises CredentialsError: when nothing names one.
        """
        with translated(f"opening connection {self.gcp_conn_id!r}"):
            return self._session.needed_project

    def _opened(self, service: str, endpoint: str) -> RestApi:
        with translated(f"opening connection {self.gcp_conn_id!r}"):
            return self._session.rest(service, endpoint, area=DatabaseError)

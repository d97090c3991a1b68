"""What the cost questions stand on: BigQuery's client, and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from google.auth.credentials import AnonymousCredentials

from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.errors import CostAnalysisError

if TYPE_CHECKING:
    from google.api_core.client_options import ClientOptions

    from airflow_multicloud.clouds.gcp.rest import RestApi

C = TypeVar("C")


class CostBase(SessionHook, BigQueryHook):
    """What the cost questions stand on.

    The connection is read by the constructor; calls may come from any thread.
    """

    # Of any Google connection, not only BigQuery's.
    default_conn_name = SessionHook.default_conn_name

    def __init__(self, gcp_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(gcp_conn_id=gcp_conn_id, use_legacy_sql=False, **kwargs)

    def get_client_options(self, api_endpoint_override: str | None = None) -> ClientOptions:
        """The official hook's options, with the connection's ``bigquery.endpoint``, if any."""
        return self._options_at(api_endpoint_override or self._session.endpoint_of("bigquery"))

    def _options_at(self, endpoint: str | None) -> ClientOptions:
        """A client's options: another endpoint, or Google's own for ``None``."""
        if endpoint and not isinstance(self._session.credentials, AnonymousCredentials):
            check_plain_http(endpoint, "Google's access token", cloud=NAME)
        return super().get_client_options(endpoint)

    def _opened(self, name: str, make: Callable[[], C]) -> C:
        """One of Google's clients, opened once; errors about the connection are translated."""
        with (
            translated(f"opening connection {self.gcp_conn_id!r}"),
            credentials_read(self.gcp_conn_id),
        ):
            return self._session.client(name, make)

    def _rest(self, service: str, endpoint: str) -> RestApi:
        return self._session.rest(service, endpoint, area=CostAnalysisError)

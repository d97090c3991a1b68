"""What Google Cloud costs: the billing export in BigQuery, recommendations, list prices.

Google has no API for costs themselves, so the capability
:class:`~airflow_multicloud.ports.cost.CostQueries` is absent.

The connection's extras, besides those of Airflow's BigQuery hook:

- ``bigquery.maximum_bytes_billed``: what one query may scan at most.
- ``bigquery.storage_api``: ``true`` has rows brought by BigQuery's Storage Read API, many times
  faster for months of millions of rows; it needs the right to create read sessions.
- ``bigquery.endpoint``, ``recommender.endpoint`` and ``cloudbilling.endpoint``: where else to ask.

Queries carry the labels of the DAG, task and run that they are for
(:mod:`airflow_multicloud.labels`), besides those of the connection's extra ``labels``.

Reading needs the roles BigQuery Job User on the connection's project and BigQuery Data Viewer
on the dataset; the Storage Read API, BigQuery Read Session User as well.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery_storage_v1 import BigQueryReadClient
from google.cloud.recommender_v1 import RecommenderClient

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.cost import advice as _cost_recommendations
from airflow_multicloud.clouds.gcp.cost import prices as _cost_prices
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.cost.exports import BillingExport
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.clouds.gcp.session import checked_extras
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.cost import (
    Cost,
    CostRecommendations,
    ExportedPeriod,
    FetchedPeriod,
    ListPrice,
    PriceLists,
    PriceQuery,
    Recommendations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from google.api_core.client_options import ClientOptions

#: What makes a source unavailable rather than the call fail: not switched on, or not allowed.
_NOT_OFFERED = (ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND, ErrorKind.UNSUPPORTED)
_LIMIT = "bigquery.maximum_bytes_billed"


class GCPCostHook(BigQueryHook):
    """The cost port on Airflow's BigQuery hook.

    The connection is read by the constructor and the first call; later calls may come from any
    thread.
    """

    # Of any Google connection, not only BigQuery's.
    default_conn_name = "google_cloud_default"

    def __init__(self, gcp_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(gcp_conn_id=gcp_conn_id, use_legacy_sql=False, **kwargs)

    def get_client_options(self, api_endpoint_override: str | None = None) -> ClientOptions:
        """The official hook's options, with the connection's ``bigquery.endpoint``, if any."""
        endpoint = api_endpoint_override or self.extras.get("bigquery.endpoint")
        if endpoint and not isinstance(self.get_credentials(), AnonymousCredentials):
            check_plain_http(endpoint, "Google's access token", cloud=NAME)
        return super().get_client_options(endpoint)

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing months in the table ``project/dataset/table``; two columns are scanned."""
        return self._export(export).periods()

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None
    ) -> FetchedPeriod:
        """One month's rows in FOCUS columns, as Parquet; only its partitions are scanned."""
        return self._export(period.export).fetch(period, directory, after)

    def list_recommendations(self) -> Recommendations:
        """What Google's recommenders advise for the connection's project, by its locations."""
        with self._opening():
            project = self.project_id
        try:
            with self._rest("recommender.endpoint", _cost_recommendations.ENDPOINT) as api:
                found = _cost_recommendations.list_locations(api, project)
        except CostAnalysisError as err:
            if err.kind not in _NOT_OFFERED:
                raise
            return Recommendations(found=(), unavailable={"google_recommender": str(err)})
        with self._opening():
            client = RecommenderClient(
                credentials=self.get_credentials(),
                transport="rest",
                client_options=super().get_client_options(self.extras.get("recommender.endpoint")),
            )
        with client:
            return _cost_recommendations.list_recommendations(client, project, found)

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """Machine types and regional storage; what is not certain has no row."""
        _cost_prices.check_meters(queries)
        today = datetime.now(UTC).date()
        found: list[ListPrice] = []
        for meter, service, prices in (
            ("compute", _cost_prices.COMPUTE, _cost_prices.compute_prices),
            ("storage", _cost_prices.STORAGE, _cost_prices.storage_prices),
        ):
            if asked := [query for query in queries if query.meter == meter]:
                with self._rest("cloudbilling.endpoint", _cost_prices.ENDPOINT) as api:
                    skus = _cost_prices.list_skus(api, service)
                with well_formed(f"read the prices of {service}", NAME, area=CostAnalysisError):
                    found += prices(asked, skus, today)
        return found

    @contextmanager
    def _opening(self) -> Iterator[int]:
        """For what reads the connection; how often its requests are repeated."""
        retries = checked_extras(self.gcp_conn_id, self.extras)
        doing = f"connection {self.gcp_conn_id!r}"
        with translated(doing), credentials_read(self.gcp_conn_id):
            yield retries

    def _rest(self, extra: str, endpoint: str) -> RestApi:
        with self._opening() as retries:
            credentials = self.get_credentials()
        return RestApi(self.extras.get(extra) or endpoint, credentials, retries=retries)

    def _export(self, export: str) -> BillingExport:
        with self._opening():
            client = self.get_client(project_id=self.project_id, location=self.location)
        return BillingExport(
            client,
            export,
            storage=self._storage,
            maximum_bytes=self._maximum_bytes,
            # Airflow's own operators put theirs over the connection's in the same way.
            labels={**self.labels, **current_work().labels(LABELS)},
            log=self.log,
        )

    @cached_property
    def _storage(self) -> BigQueryReadClient | None:
        if str(self.extras.get("bigquery.storage_api", "false")).lower() != "true":
            return None
        with self._opening():
            return BigQueryReadClient(  # type: ignore[no-untyped-call]
                credentials=self.get_credentials(),
                client_options=super().get_client_options(),
            )

    @property
    def _maximum_bytes(self) -> int | None:
        value = self.extras.get(_LIMIT)
        if value is None:
            return None
        if not str(value).isdecimal() or int(value) == 0:
            raise CostAnalysisError(
                f"connection {self.gcp_conn_id!r}: extra {_LIMIT}: {value!r} given, allowed is a "
                "number of bytes above 0",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return int(value)


Hook: type[Cost] = GCPCostHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _POWERS: tuple[type[CostRecommendations], type[PriceLists]] = (GCPCostHook, GCPCostHook)

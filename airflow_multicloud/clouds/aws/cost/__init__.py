"""What AWS costs: Data Exports in S3, Cost Explorer, the Hub's advice, the price list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from airflow_multicloud.clouds.aws import object_store
from airflow_multicloud.clouds.aws.cost import advice as _cost_advice
from airflow_multicloud.clouds.aws.cost import exports as _cost_exports
from airflow_multicloud.clouds.aws.cost import prices as _cost_prices
from airflow_multicloud.clouds.aws.cost import queries as _cost_explorer
from airflow_multicloud.clouds.aws.errors import translated
from airflow_multicloud.clouds.aws.object_store.client import tuned
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.ports.cost import (
    ApiForecast,
    Cost,
    CostForecasts,
    CostMetric,
    CostQueries,
    CostQuery,
    CostQueryResult,
    CostRecommendations,
    ExportedPeriod,
    FetchedPeriod,
    ListPrice,
    PriceLists,
    PriceQuery,
    Recommendations,
)

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.client import BaseClient

# These have their endpoints in few regions, which speak of all; of Cost Explorer, which has
# one in each partition, botocore knows it:
# https://docs.aws.amazon.com/general/latest/gr/billing.html
_BILLING_SERVICES = frozenset({"cost-optimization-hub", "pricing"})
_BILLING_REGION = "us-east-1"
_BILLING_REGION_CHINA = "cn-northwest-1"


class CostExplorerHook(AwsBaseHook):
    """The bill and the cost APIs of an AWS connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = AwsBaseHook.default_conn_name) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="ce")
        # The connection is read now, on the thread that may ask Airflow; no request is made.
        _ = self.conn_config
        self._exports = object_store.S3ObjectStoreHook(aws_conn_id=aws_conn_id)

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing periods that have a manifest.

        :param export: ``bucket/prefix/export-name``.
        """
        return _cost_exports.exported_periods(self._exports, export)

    def fetch_billing_period(
        self,
        period: ExportedPeriod,
        directory: Path,
        *,
        after: str | None = None,  # noqa: ARG002
    ) -> FetchedPeriod:
        """The files that the period's manifest names; ``after`` means nothing here."""
        return _cost_exports.fetch_period(self._exports, period, directory)

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Cost Explorer's daily figures, at USD 0.01 a page."""
        return _cost_explorer.query(self._service("ce"), query)

    def forecast_cost(self, start: date, end: date, metric: CostMetric) -> ApiForecast:
        """Cost Explorer's forecast, at USD 0.01; ``start`` may not be after today."""
        return _cost_explorer.forecast(self._service("ce"), start, end, metric)

    def list_recommendations(self) -> Recommendations:
        """Cost Optimization Hub's advice, or Compute Optimizer's and Cost Explorer's."""
        return _cost_advice.recommendations(self._service)

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """On-demand prices of the public price list."""
        return _cost_prices.list_prices(self._service("pricing"), queries)

    @cached_property
    def _session(self) -> Session:
        return self.get_session(region_name=self.region_name)

    def _service(self, name: str) -> BaseClient:
        """The client of a service, where the connection's partition has it."""
        with translated(f"opening connection {self.aws_conn_id!r}", area=CostAnalysisError):
            region = self._session.region_name or _BILLING_REGION
            if name in _BILLING_SERVICES:
                china = region.startswith("cn-")
                region = _BILLING_REGION_CHINA if china else _BILLING_REGION
            client: BaseClient = self._session.client(
                name,
                region_name=region,
                endpoint_url=self.conn_config.get_service_endpoint_url(service_name=name),
                config=tuned(self._get_config(), self._session),
                verify=self.verify,
            )
        return client


Hook: type[Cost] = CostExplorerHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _POWERS: tuple[
        type[CostQueries], type[CostForecasts], type[CostRecommendations], type[PriceLists]
    ] = (CostExplorerHook, CostExplorerHook, CostExplorerHook, CostExplorerHook)

"""What AWS costs: Data Exports in S3, Cost Explorer, the Hub's advice, the price list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from airflow_multicloud.clouds.aws import (
    _cost_advice,
    _cost_explorer,
    _cost_exports,
    _cost_prices,
    object_store,
)
from airflow_multicloud.ports.cost import (
    ApiForecast,
    Cost,
    CostMetric,
    CostQuery,
    CostQueryResult,
    ExportedPeriod,
    FetchedPeriod,
    ListPrice,
    PriceQuery,
    Recommendations,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

# Cost Explorer, the Hub and the price list have their endpoints in one region each:
# https://docs.aws.amazon.com/general/latest/gr/billing.html
_REGIONS = {"ce": "us-east-1", "cost-optimization-hub": "us-east-1", "pricing": "us-east-1"}


class CostExplorerHook(AwsBaseHook):
    """The bill and the cost APIs of an AWS connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = AwsBaseHook.default_conn_name) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="ce", region_name="us-east-1")
        # The connections are read now, on the thread that may ask Airflow.
        self._exports = object_store.S3ObjectStoreHook(aws_conn_id=aws_conn_id)
        self._services = {
            name: AwsBaseHook(
                aws_conn_id=aws_conn_id, client_type=name, region_name=_REGIONS.get(name)
            )
            for name in (*_REGIONS, "compute-optimizer")
        }
        for service in self._services.values():
            _ = service.conn_config

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing periods that have a manifest.

        :param export: ``bucket/prefix/export-name``.
        """
        return _cost_exports.exported_periods(self._exports, export)

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None  # noqa: ARG002
    ) -> FetchedPeriod:
        """The files that the period's manifest names; ``after`` means nothing here."""
        return _cost_exports.fetch_period(self._exports, period, directory)

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Cost Explorer's daily figures, at USD 0.01 a page."""
        return _cost_explorer.query(self._client("ce"), query)

    def forecast_cost(self, start: date, end: date, metric: CostMetric) -> ApiForecast:
        """Cost Explorer's forecast, at USD 0.01."""
        return _cost_explorer.forecast(self._client("ce"), start, end, metric)

    def list_recommendations(self) -> Recommendations:
        """Cost Optimization Hub's advice, or Compute Optimizer's and Cost Explorer's."""
        return _cost_advice.recommendations(self._client)

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """On-demand prices of the public price list, in USD."""
        return _cost_prices.list_prices(self._client("pricing"), queries)

    def _client(self, service: str) -> BaseClient:
        return self._services[service].conn


Hook: type[Cost] = CostExplorerHook

"""Three clouds' bills, of three months up to a day, exported as the clouds do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.months import first_of_month, previous_month
from airflow_multicloud.opening.cost.exports import open_export
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.ports.object_store import BucketCreation
from airflow_multicloud.testing.bills import (
    Anomaly,
    AwsExport,
    AzureExport,
    Bill,
    BillOptions,
    Restatement,
    bigquery,
    bigquery_schemas,
)

_BATCH = 500
_MONTHS = 3
_ENOUGH_DAYS = 28  # a month of fewer has fewer rows

AWS = "s3://aws_local@billing/exports/focus"
AZURE = "abfs://wasb_local@billing/exports/focus"
GCP = "bigquery://bigquery_local@local/billing/gcp_billing_export_focus_010101_F0FFF0_61C528"
DAY = date(2026, 10, 28)

#: What is planted: a jump on Azure, and a restated service on AWS.
ANOMALY = Anomaly("SQL Database", day=20, factor=Decimal(8))
RESTATED = Restatement(
    style=CorrectionStyle.REPLACE, service="Amazon Simple Storage Service", day=12
)

#: Cloud → rows a month, and the seed of their figures.
_SIZES = {"aws": (4000, 11), "gcp": (1500, 12), "azure": (4000, 13)}
_EURO = Decimal("0.92")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """Where the bills are, and of which time.

    :param day: the last one with charges; its month is under way.
    :param euros: Azure bills in euros, else in US dollars like the others.
    """

    aws: str = AWS
    gcp: str = GCP
    azure: str = AZURE
    day: date = DAY
    euros: bool = True

    @property
    def uris(self) -> dict[str, str]:
        """Cloud → export."""
        return {"aws": self.aws, "gcp": self.gcp, "azure": self.azure}

    @property
    def month(self) -> date:
        """The month that is under way."""
        return first_of_month(self.day)

    @property
    def anomaly(self) -> Anomaly:
        """What jumps in that month, on a day that is over if there is one."""
        return replace(ANOMALY, day=max(1, min(ANOMALY.day, self.day.day - 1)))

    def bill(self, cloud: str, month: date) -> Bill:
        """One cloud's bill of one month."""
        current = month == self.month
        covered = min(self.day.day, _ENOUGH_DAYS) if current else _ENOUGH_DAYS
        rows, seed = _SIZES[cloud]
        euros = self.euros and cloud == "azure"
        options = BillOptions(
            cloud=cloud,
            billing_period=month,
            rows=rows * covered // _ENOUGH_DAYS,
            seed=seed,
            currency="EUR" if euros else "USD",
            exchange_rate=_EURO if euros else Decimal(1),
            days=self.day.day if current else None,
            invoiced=not current,
            anomalies=(self.anomaly,) if current and cloud == "azure" else (),
        )
        return Bill(options)

    def publish(self) -> None:
        """Export three months of each cloud; what was there is replaced."""
        months = [self.month]
        while len(months) < _MONTHS:
            months.insert(0, previous_month(months[0]))
        aws, azure = self._aws_export(), self._azure_export()
        for month in months:
            aws.publish(self.bill("aws", month))
            azure.publish(self.bill("azure", month))
        self._publish_gcp(months)

    def restate(self) -> None:
        """AWS exports the month under way again, one service's day 25 % dearer."""
        self._aws_export().publish(self.bill("aws", self.month).restate(RESTATED))

    def _aws_export(self) -> AwsExport:
        end, prefix, name = _parts(self.aws)
        return AwsExport(store=end.store, bucket=end.bucket, prefix=prefix, name=name)

    def _azure_export(self) -> AzureExport:
        end, directory, name = _parts(self.azure)
        return AzureExport(store=end.store, container=end.bucket, directory=directory, name=name)

    def _publish_gcp(self, months: Sequence[date]) -> None:
        """Google appends its bill to a table of BigQuery."""
        from google.cloud.bigquery import SchemaField, Table

        export = open_export(self.gcp)
        project, dataset, name = export.path.split("/")
        table = f"{project}.{dataset}.{name}"
        hook: Any = export.hook  # Airflow's BigQueryHook, for its client
        client = hook.get_client(project_id=project)
        client.create_dataset(dataset, exists_ok=True)
        client.delete_table(table, not_found_ok=True)
        client.create_table(
            Table(
                table,
                [SchemaField.from_api_repr(f.as_json()) for f in bigquery_schemas.FOCUS_SCHEMA],
            )
        )
        for month in months:
            rows = bigquery.focus_rows(self.bill("gcp", month), [datetime.now(UTC)])
            while batch := list(islice(rows, _BATCH)):
                refused = client.insert_rows_json(table, batch)
                if refused:
                    raise RuntimeError(f"BigQuery refused rows: {refused[:1]}")


def _parts(uri: str) -> tuple[Endpoint, str, str]:
    """An export's store, with its bucket made, its prefix, and its name."""
    end = open_endpoint(uri, parameter="export")
    if isinstance(end.store, BucketCreation):
        end.store.ensure_bucket(end.bucket)
    prefix, _, name = end.location.key.rpartition("/")
    return end, prefix, name

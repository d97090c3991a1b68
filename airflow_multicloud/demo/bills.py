"""Three clouds' bills for the demo, exported as the clouds do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from airflow_multicloud.core.cost.exports import open_export
from airflow_multicloud.core.endpoints import open_endpoint
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
)

PROJECT = "local"
_BATCH = 500
AWS = "s3://aws_local@billing/exports/focus"
AZURE = "abfs://wasb_local@billing/exports/focus"
DAY = date(2026, 10, 28)
MONTHS = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))

#: What is planted: a jump on Azure, and a restated service on AWS.
ANOMALY = Anomaly("SQL Database", day=20, factor=Decimal(8))
RESTATED = Restatement(
    style=CorrectionStyle.REPLACE, service="Amazon Simple Storage Service", day=12
)

_OPTIONS = {
    "aws": BillOptions(cloud="aws", billing_period=MONTHS[0], rows=4000, seed=11),
    "gcp": BillOptions(cloud="gcp", billing_period=MONTHS[0], rows=1500, seed=12),
    "azure": BillOptions(
        cloud="azure",
        billing_period=MONTHS[0],
        rows=4000,
        seed=13,
        currency="EUR",
        exchange_rate=Decimal("0.92"),
    ),
}


@dataclass(frozen=True, slots=True)
class Exports:
    """Where the bills are, and what AWS will restate."""

    gcp: str
    aws_october: Bill

    @property
    def uris(self) -> dict[str, str]:
        """Cloud → export."""
        return {"aws": AWS, "gcp": self.gcp, "azure": AZURE}


def publish() -> Exports:
    """Export three months of each cloud; the last is under way."""
    stores = {}
    for uri in (AWS, AZURE):
        end = open_endpoint(uri, parameter="export")
        if isinstance(end.store, BucketCreation):
            end.store.ensure_bucket(end.bucket)
        stores[end.cloud] = end.store
    aws = AwsExport(store=stores["aws"], bucket="billing", prefix="exports", name="focus")
    azure = AzureExport(
        store=stores["azure"], container="billing", directory="exports", name="focus"
    )
    october = None
    for month in MONTHS:
        october = _bill("aws", month)
        aws.publish(october)
        azure.publish(_bill("azure", month))
    assert october is not None  # noqa: S101 - there are months
    return Exports(_publish_gcp(), october)


def restate(exports: Exports) -> None:
    """AWS exports October anew, one service's day 25 % dearer."""
    end = open_endpoint(AWS, parameter="export")
    export = AwsExport(store=end.store, bucket="billing", prefix="exports", name="focus")
    export.publish(exports.aws_october.restate(RESTATED))


def _bill(cloud: str, month: date) -> Bill:
    current = month == MONTHS[-1]
    anomalies = (ANOMALY,) if current and cloud == "azure" else ()
    return Bill(
        replace(
            _OPTIONS[cloud],
            billing_period=month,
            days=DAY.day if current else None,
            invoiced=not current,
            anomalies=anomalies,
        )
    )


def _publish_gcp() -> str:
    """Google appends its bill to a table of BigQuery."""
    from google.cloud.bigquery import SchemaField, Table

    table = f"{PROJECT}.billing.{bigquery.focus_table(_bill('gcp', MONTHS[0]))}"
    uri = f"bigquery://bigquery_local@{table.replace('.', '/')}"
    hook: Any = open_export(uri).hook  # Airflow's BigQueryHook, for its client
    client = hook.get_client(project_id=PROJECT)
    client.create_dataset("billing", exists_ok=True)
    client.create_table(
        Table(table, [SchemaField.from_api_repr(f.as_json()) for f in bigquery.FOCUS_SCHEMA])
    )
    for month in MONTHS:
        rows = bigquery.focus_rows(_bill("gcp", month), [datetime.now(UTC)])
        while batch := list(islice(rows, _BATCH)):
            refused = client.insert_rows_json(table, batch)
            if refused:
                raise RuntimeError(f"BigQuery refused rows: {refused[:1]}")
    return uri

"""``python -m tests.benchmarks.airflow_operators PREFIX SOURCE DESTINATION…``: Airflow's own."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from airflow.providers.google.cloud.transfers.s3_to_gcs import S3ToGCSOperator
from airflow.providers.microsoft.azure.transfers.gcs_to_wasb import GCSToAzureBlobStorageOperator
from airflow.providers.microsoft.azure.transfers.s3_to_wasb import S3ToAzureBlobStorageOperator

from tests.benchmarks.endpoints import CONNECTIONS
from tests.benchmarks.section import measured
from tests.benchmarks.tools import AIRFLOW, SOURCE

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def main() -> None:
    """Run the operators one after the other, as tasks of one process."""
    prefix, source, *destinations = sys.argv[1:]
    operators = [_operator(prefix, source, cloud) for cloud in destinations]
    logging.disable(logging.INFO)  # a line per object otherwise
    with measured():
        for operator in operators:
            operator.execute({})


def _operator(prefix: str, source: str, destination: str) -> BaseOperator:
    match source, destination:
        case "s3", "azure":
            return S3ToAzureBlobStorageOperator(
                task_id="copy",
                aws_conn_id=CONNECTIONS["s3"],
                wasb_conn_id=CONNECTIONS["azure"],
                s3_bucket=SOURCE,
                s3_prefix=prefix,
                container_name=AIRFLOW,
                blob_prefix=prefix,
            )
        case "s3", "gcs":
            return S3ToGCSOperator(
                task_id="copy",
                aws_conn_id=CONNECTIONS["s3"],
                gcp_conn_id=CONNECTIONS["gcs"],
                bucket=SOURCE,
                prefix=f"{prefix}/",
                dest_gcs=f"gs://{AIRFLOW}/",
            )
        case "gcs", "azure":
            return GCSToAzureBlobStorageOperator(
                task_id="copy",
                gcp_conn_id=CONNECTIONS["gcs"],
                wasb_conn_id=CONNECTIONS["azure"],
                gcs_bucket=SOURCE,
                prefix=f"{prefix}/",
                container_name=AIRFLOW,
                blob_prefix="",
            )
    raise LookupError(f"no operator from {source} to {destination}")


if __name__ == "__main__":
    main()

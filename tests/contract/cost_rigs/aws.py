"""AWS: Data Exports as files in moto's S3, both ways of delivering them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from airflow_multicloud.ports.cost import (
    CostForecasts,
    CostQueries,
    CostRecommendations,
    PriceLists,
)
from airflow_multicloud.testing.bills import AwsExport, Bill, Delivery, FileOptions, Published
from airflow_multicloud.testing.contracts.cost.rigs import CostRigSpec
from airflow_multicloud.testing.contracts.cost.stored import StoredExportRig, stored

# S3 tells when an object was written to the second only.
_TICK = 1.1

# moto gives a query of Cost Explorer the answer it gave it first, for the whole session, and
# knows no other of these APIs: they are tested there with queries of their own and stubs.
_ELSEWHERE = "tests/integration/cost_aws"
GAPS = {
    "test_damage[row_count]": "an AWS manifest states no row counts",
    "test_damage[truncated_file]": (
        "an AWS manifest states no sizes: reading the file finds it, not the fetch"
    ),
}


class AwsRig(StoredExportRig):
    cloud = bill_cloud = "aws"
    mode = Delivery.OVERWRITE

    def exporter(self, files: FileOptions, name: str) -> AwsExport:
        return AwsExport(
            store=self.store, bucket=self.bucket, name=name, mode=self.mode, files=files
        )

    def hook_store(self) -> Any:
        hook: Any = self.hook
        return hook._exports

    def publish(
        self,
        bill: Bill,
        *,
        files: FileOptions = FileOptions(),
        complete: bool = True,
        exported_at: datetime | None = None,
    ) -> Published:
        if not complete:
            time.sleep(_TICK)
        return super().publish(bill, files=files, complete=complete, exported_at=exported_at)


class CreateNewRig(AwsRig):
    mode = Delivery.CREATE_NEW


def specs() -> tuple[CostRigSpec, ...]:
    from airflow_multicloud.clouds.aws.cost import Hook

    return tuple(
        CostRigSpec(
            name=name,
            cloud="aws",
            hook=Hook,
            open=stored(rig, "aws_local", "local_clouds"),
            gaps=GAPS,
            unanswered=dict.fromkeys(
                (CostQueries, CostForecasts, CostRecommendations, PriceLists), _ELSEWHERE
            ),
        )
        for name, rig in (("moto", AwsRig), ("moto_create_new", CreateNewRig))
    )

"""Azure: Cost Management exports as blobs in Azurite, both ways of delivering them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow_multicloud.ports.cost import CostQueries, CostRecommendations, PriceLists
from airflow_multicloud.testing.bills import AzureExport, Delivery, FileOptions
from airflow_multicloud.testing.contracts.cost.rigs import CostRigSpec
from airflow_multicloud.testing.contracts.cost.stored import StoredExportRig, stored

# The services need a Resource Manager, and other credentials than an account key.
_ELSEWHERE = "tests/integration/cost_azure"


class AzureRig(StoredExportRig):
    cloud = bill_cloud = "azure"
    mode = Delivery.OVERWRITE
    # Blob Storage tells when a blob was written to the second only, and runs are hours apart.
    tick = timedelta(seconds=1.1)

    def exporter(self, files: FileOptions, name: str) -> AzureExport:
        return AzureExport(
            store=self.store, container=self.bucket, name=name, mode=self.mode, files=files
        )

    def hook_store(self) -> Any:
        hook: Any = self.hook
        return hook._exports

    def miscounted(self, manifest: bytes) -> bytes:
        told = json.loads(manifest)
        told["dataRowCount"] += 1
        return json.dumps(told).encode()


class CreateNewRig(AzureRig):
    mode = Delivery.CREATE_NEW


def specs() -> tuple[CostRigSpec, ...]:
    from airflow_multicloud.clouds.azure.cost import Hook

    return tuple(
        CostRigSpec(
            name=name,
            cloud="azure",
            hook=Hook,
            open=stored(rig, "wasb_local", "local_clouds"),
            unanswered=dict.fromkeys((CostQueries, CostRecommendations, PriceLists), _ELSEWHERE),
        )
        for name, rig in (("azurite", AzureRig), ("azurite_create_new", CreateNewRig))
    )

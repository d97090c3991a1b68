"""Azure: Cost Management exports as blobs in Azurite, both ways of delivering them."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.cost import CostQueries, CostRecommendations, PriceLists
from airflow_multicloud.testing.bills import AzureExport, Bill, Delivery, FileOptions, Published
from airflow_multicloud.testing.contracts.cost.rigs import CostRigSpec, StoredExportRig

if TYPE_CHECKING:
    import pytest

# Blob Storage tells when a blob was written to the second only.
_TICK = 1.1

# The services need a Resource Manager, and other credentials than an account key.
_ELSEWHERE = "tests/integration/cost_azure"


class AzureRig(StoredExportRig):
    cloud = bill_cloud = "azure"
    mode = Delivery.OVERWRITE

    def exporter(self, files: FileOptions, name: str) -> AzureExport:
        return AzureExport(
            store=self.store, container=self.bucket, name=name, mode=self.mode, files=files
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
        # Runs are hours apart; two within a second could not be told apart by their time.
        time.sleep(_TICK)
        return super().publish(bill, files=files, complete=complete, exported_at=exported_at)

    def miscounted(self, manifest: bytes) -> bytes:
        told = json.loads(manifest)
        told["dataRowCount"] += 1
        return json.dumps(told).encode()


class CreateNewRig(AzureRig):
    mode = Delivery.CREATE_NEW


def _open(rig: type[AzureRig]) -> Any:
    def opened(request: pytest.FixtureRequest) -> AzureRig:
        from airflow_multicloud import registry
        from airflow_multicloud.ports.cost import Cost
        from airflow_multicloud.ports.object_store import BucketCreation, ObjectStore
        from airflow_multicloud.testing.contracts.object_store.rigs import as_capable

        request.getfixturevalue("local_clouds")
        store = registry.resolve(ObjectStore, "wasb_local")
        container = f"bills-{uuid.uuid4().hex[:16]}"
        as_capable(store, BucketCreation).ensure_bucket(container)
        return rig(registry.resolve(Cost, "wasb_local"), store, container)

    return opened


def specs() -> tuple[CostRigSpec, ...]:
    from airflow_multicloud.clouds.azure.cost import Hook

    return tuple(
        CostRigSpec(
            name=name,
            cloud="azure",
            hook=Hook,
            open=_open(rig),
            unanswered=dict.fromkeys((CostQueries, CostRecommendations, PriceLists), _ELSEWHERE),
        )
        for name, rig in (("azurite", AzureRig), ("azurite_create_new", CreateNewRig))
    )

"""The in-memory cloud, once per way of correcting a bill."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.cost import (
    ApiForecast,
    CorrectionStyle,
    CostQueryRow,
    ListPrice,
    Recommendation,
)
from airflow_multicloud.testing.bills import FileOptions
from airflow_multicloud.testing.bills.memory_exports import MemoryExport
from airflow_multicloud.testing.contracts.cost.rigs import (
    COST_CAPABILITIES,
    CostRigSpec,
)
from airflow_multicloud.testing.contracts.cost.stored import StoredExportRig
from airflow_multicloud.testing.memory_cloud.cost import MemoryCostHook, billing

if TYPE_CHECKING:
    import pytest


class MemoryRig(StoredExportRig):
    cloud = "memory"
    bill_cloud = "aws"
    hook: MemoryCostHook

    def exporter(self, files: FileOptions, name: str) -> MemoryExport:
        return MemoryExport(
            store=self.store, bucket=self.bucket, name=name, style=self.style, files=files
        )

    def hook_store(self) -> Any:
        return self.hook.store

    def miscounted(self, manifest: bytes) -> bytes:
        found = json.loads(manifest)
        found["versions"][-1]["files"][0]["rows"] += 1
        return json.dumps(found).encode()

    def seed_costs(self, rows: Sequence[CostQueryRow], *, page: int) -> None:
        held = billing(self.hook.memory_conn_id)
        held.costs, held.page = list(rows), page

    def seed_forecast(self, forecast: ApiForecast | None) -> None:
        billing(self.hook.memory_conn_id).forecast = forecast

    def seed_recommendations(
        self, found: Sequence[Recommendation], unavailable: Mapping[str, str]
    ) -> None:
        held = billing(self.hook.memory_conn_id)
        held.recommendations, held.unavailable = list(found), dict(unavailable)

    def seed_prices(self, prices: Sequence[ListPrice]) -> None:
        billing(self.hook.memory_conn_id).prices = list(prices)


class AppendRig(MemoryRig):
    style = CorrectionStyle.APPEND


class AdjustRig(MemoryRig):
    style = CorrectionStyle.ADJUST


def _open(rig: type[MemoryRig]) -> Any:
    def opened(_: pytest.FixtureRequest) -> MemoryRig:
        hook = MemoryCostHook(f"cost-{uuid.uuid4().hex[:12]}")
        hook.store.ensure_bucket("bills")
        return rig(hook, hook.store, "bills")

    return opened


def specs() -> tuple[CostRigSpec, ...]:
    return tuple(
        CostRigSpec(
            name=name,
            cloud="memory",
            hook=MemoryCostHook,
            open=_open(rig),
            answers=COST_CAPABILITIES,
        )
        for name, rig in (
            ("memory", MemoryRig),
            ("memory_append", AppendRig),
            ("memory_adjust", AdjustRig),
        )
    )

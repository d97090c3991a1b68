"""A local Azure Monitor for these tests, and the connections to it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.azure.metrics import MonitorMetricsHook
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Gauge,
    MetricPoint,
    MetricQuery,
    PointData,
    ReadPoint,
)
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

CONN_ID = "azure_telemetry_local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One hook and a namespace of its own."""

    hook: MonitorMetricsHook
    admin: Admin
    namespace: str
    now: datetime

    def point(
        self,
        name: str = "tested",
        data: PointData = Gauge(1.0),
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
        **given: Any,
    ) -> MetricPoint:
        return MetricPoint(
            name=name, data=data, attributes=attributes or {}, **{"time": self.now, **given}
        )

    def export(self, *points: MetricPoint) -> Accounting:
        return self.hook.export_points(points, namespace=self.namespace)

    def read(
        self, name: str = "tested", attributes: Mapping[str, AttributeValue] | None = None
    ) -> tuple[ReadPoint, ...]:
        return self.hook.read_points(self.query(name, attributes)).points

    def query(
        self, name: str = "tested", attributes: Mapping[str, AttributeValue] | None = None
    ) -> MetricQuery:
        return MetricQuery(
            name=name,
            namespace=self.namespace,
            since=self.now - timedelta(minutes=5),
            until=self.now + timedelta(minutes=5),
            attributes=attributes or {},
        )

    def tracked(self) -> list[int]:
        """The status of each request to the ingestion."""
        return [one["status"] for one in self.admin.requests() if one["path"] == "/v2.1/track"]


@pytest.fixture
def connection(local_azure_telemetry: LocalServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"])
    return found


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], str]:
    """Sets a connection; gives its id."""

    def set_(connection: Mapping[str, Any]) -> str:
        monkeypatch.setenv("AIRFLOW_CONN_AZURE_OTHER", json.dumps(connection))
        return "azure_other"

    return set_


@pytest.fixture
def lab(local_azure_telemetry: LocalServer) -> Iterator[Lab]:
    admin = Admin(local_azure_telemetry.endpoint)
    admin.reset()
    yield Lab(
        hook=MonitorMetricsHook(CONN_ID),
        admin=admin,
        namespace=f"lab{uuid.uuid4().hex[:10]}",
        now=datetime.now(UTC) - timedelta(minutes=1),
    )
    admin.reset()

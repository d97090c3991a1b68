"""What exporting metrics, shipping logs and querying them ask of each cloud, and the map."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.preflight.deliveries import ExportMetrics, QueryLogs, ShipLogs
from airflow_multicloud.core.preflight.granting import calls_of
from airflow_multicloud.opening.permissions import describe
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_multicloud.core.preflight.needs import Need
    from airflow_multicloud.testing.local_clouds import LocalServer

CONNECTIONS = {
    "aws": ["aws_telemetry_local"],
    "gcp": ["gcp_telemetry_local"],
    "azure": ["azure_telemetry_local", "azure_resource_metrics_local"],
}
#: Tokens are asked for without any permission.
_TOKENS = re.compile(r"/[0-9a-f-]{36}/(oauth2/v2.0/token|v2.0/\.well-known/.*)|/token")
#: What a name in a path stands for in the map.
_NAMES = (
    (re.compile(r"/subscriptions/.*/metrics"), "{resource}/metrics"),
    (
        re.compile(r"/dataCollectionRules/.*/otlp/v1/metrics", re.IGNORECASE),
        "otlp/v1/metrics",
    ),
    (
        re.compile(r"/dataCollectionRules/[^/]+/streams/[^/]+", re.IGNORECASE),
        "dataCollectionRules/{rule}/streams/{stream}",
    ),
    (re.compile(r"/v1/workspaces/[^/]+/query"), "workspaces/{workspace}/query"),
)
# What AWS's clients ask by, an action, is in the journal; gRPC's methods are paths.
_GRPC = re.compile(r"/(google\.[\w.]+/\w+)")


@pytest.fixture
def servers(
    local_cloudwatch: LocalServer,
    local_gcp_telemetry: LocalServer,
    local_azure_telemetry: LocalServer,
) -> Mapping[str, Admin]:
    found = {
        "aws": Admin(local_cloudwatch.endpoint),
        "gcp": Admin(local_gcp_telemetry.endpoint),
        "azure": Admin(local_azure_telemetry.endpoint),
    }
    for admin in found.values():
        admin.reset()
    return found


def called(admin: Admin) -> set[str]:
    """What was asked since it was reset, as each cloud names it."""
    return {name for one in admin.requests() if (name := _name(one)) is not None}


def _name(asked: Mapping[str, Any]) -> str | None:
    path, action = asked["path"], asked["action"].removesuffix(":")
    if _TOKENS.fullmatch(path):
        return None
    if ":" in action:
        return str(action)
    if (method := _GRPC.fullmatch(path)) is not None:
        return method[1]
    named = next((name for form, name in _NAMES if form.fullmatch(path)), path)
    return f"{asked['method']} {named}"


def told(needs: Iterable[Need]) -> set[str]:
    return {one.call.call for one in calls_of(needs, describe)}


@pytest.mark.parametrize("cloud", CONNECTIONS)
class TestCalls:
    @pytest.mark.parametrize("transport", ["native", "otlp"])
    def test_an_export(self, servers, cloud, transport):
        conn_ids = CONNECTIONS[cloud] if transport == "native" else CONNECTIONS[cloud][:1]
        point = {
            "name": "shop.queue",
            "value": 3,
            "time": datetime.now(UTC) - timedelta(minutes=2),
        }
        for _ in range(2):  # The second time some clouds look what is there.
            api.export_metrics_to_cloud(
                conn_ids, namespace="shop", metrics=[point], transport=transport
            )
        needs = ExportMetrics(destinations=conn_ids, transport=transport).needs()
        assert called(servers[cloud]) == told(needs)

    def test_logs(self, servers, cloud):
        conn_ids, log = CONNECTIONS[cloud][:1], f"etl/{uuid.uuid4().hex[:8]}"
        record = {"message": "a", "time": (datetime.now(UTC) - timedelta(minutes=2)).isoformat()}
        api.ship_logs(conn_ids, log, records=[record])
        assert called(servers[cloud]) == told(ShipLogs(destinations=conn_ids, log_name=log).needs())
        servers[cloud].reset()
        # A group that keeps less than was asked for says so.
        since = datetime.now(UTC) - timedelta(days=3)
        api.query_logs(conn_ids, log, since=since, limit=None)
        assert called(servers[cloud]) == told(QueryLogs(connections=conn_ids, log_name=log).needs())

"""Whatever goes wrong, each point is accounted for, and the account is true."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.api_core.retry import Retry
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.adapters.batches import BatchLimits
from airflow_multicloud.clouds.gcp.metrics import GCPMetricsHook
from airflow_multicloud.clouds.gcp.tries import may_pass
from airflow_multicloud.ports.metrics import (
    Counter,
    Gauge,
    MetricPoint,
    MetricQuery,
    Temporality,
)
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from tests.integration.delivery_stories import WHOLE_REQUESTS, conserved

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
NAMES = ("gauge", "counter")

records = st.builds(
    DeliveryFault, kind=st.just(DeliveryFaultKind.REJECT), name=st.sampled_from(NAMES)
)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small requests, and no long waiting for a service that is down."""
    from airflow_multicloud.clouds.gcp.metrics import client, exporting

    retry = Retry(predicate=may_pass, initial=0.005, maximum=0.01, timeout=0.1)
    monkeypatch.setattr(client, "RETRY", retry)
    monkeypatch.setattr(exporting, "BATCH", BatchLimits(records=3))


@pytest.fixture
def hook(local_gcp_telemetry: LocalServer) -> GCPMetricsHook:
    assert local_gcp_telemetry.endpoint
    return GCPMetricsHook("gcp_telemetry_local")


def points(count: int) -> list[MetricPoint]:
    """Of two metrics and several series, some of one series, the newest first."""
    found: list[MetricPoint] = []
    for number in range(count):
        time = NOW + timedelta(minutes=number // 4)
        attributes = {"n": str(number % 2)}
        if number % 4 < 2:
            found.append(
                MetricPoint(
                    name="gauge", data=Gauge(number + 0.5), time=time, attributes=attributes
                )
            )
        else:
            data = Counter(float(number), Temporality.DELTA)
            start = time - timedelta(minutes=1)
            found.append(
                MetricPoint(
                    name="counter", data=data, time=time, start=start, attributes=attributes
                )
            )
    return found[::-1]


def kept(hook: GCPMetricsHook, namespace: str) -> dict[tuple[str, str, datetime], float]:
    found = {}
    for name in NAMES:
        query = MetricQuery(
            name=name,
            namespace=namespace,
            since=NOW - timedelta(hours=1),
            until=NOW + timedelta(hours=1),
        )
        for one in hook.read_points(query).points:
            found[name, one.attributes["n"], one.time] = one.total
    return found


@pytest.mark.usefixtures("quickly")
@conserved
@given(faults=st.lists(WHOLE_REQUESTS | records, max_size=3), count=st.integers(0, 20))
def test_the_account_is_true(
    hook: GCPMetricsHook, local_gcp_telemetry: LocalServer, faults: list[DeliveryFault], count: int
) -> None:
    namespace = f"law{uuid.uuid4().hex[:10]}"
    given_points = points(count)
    bad = [
        MetricPoint(name=" ", data=Gauge(1.0), time=NOW),
        MetricPoint(name="old", data=Gauge(1.0), time=NOW - timedelta(days=2)),
    ]
    plant(local_gcp_telemetry.endpoint, "metrics", faults)
    told = hook.export_points([*given_points, *bad], namespace=namespace)
    plant(local_gcp_telemetry.endpoint, "metrics", ())

    assert told.given == count + 2
    assert told.given == told.accepted + told.rejected + told.unknown + told.dropped
    found = kept(hook, namespace)
    assert told.accepted <= len(found) <= told.accepted + told.unknown
    values = {
        (one.name, str(one.attributes["n"]), one.time): one.data.value
        for one in given_points
        if isinstance(one.data, Gauge | Counter)
    }
    assert found.items() <= values.items()

    again = hook.export_points(given_points, namespace=namespace)
    assert again.accepted >= len(found)
    assert kept(hook, namespace).items() <= values.items()

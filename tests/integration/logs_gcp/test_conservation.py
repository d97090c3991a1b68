"""Whatever goes wrong, each entry is accounted for, and the account is true."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.api_core.retry import Retry
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.adapters.batches import BatchLimits
from airflow_multicloud.ports.logs import LogEntry, LogQuery
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from tests.integration.delivery_stories import WHOLE_REQUESTS, conserved
from tests.integration.logs_gcp.conftest import NOW

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook
    from airflow_multicloud.testing.local_clouds import LocalServer

records = st.builds(
    DeliveryFault,
    kind=st.just(DeliveryFaultKind.REJECT),
    name=st.sampled_from(["entry 3", "entry 1", "7", "entry"]),
)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small requests, and no long waiting for a service that is down."""
    from airflow_multicloud.clouds.gcp.logs import client, writing
    from airflow_multicloud.clouds.gcp.tries import may_pass

    retry = Retry(predicate=may_pass, initial=0.005, maximum=0.01, timeout=0.1)
    monkeypatch.setattr(client, "RETRY", retry)
    monkeypatch.setattr(writing, "BATCH", BatchLimits(records=5))


@pytest.mark.usefixtures("quickly")
@conserved
@given(faults=st.lists(WHOLE_REQUESTS | records, max_size=3), count=st.integers(0, 23))
def test_the_account_is_true(
    hook: GCPLogsHook, local_gcp_telemetry: LocalServer, faults: list[DeliveryFault], count: int
) -> None:
    log = f"law/{uuid.uuid4().hex[:10]}"
    entries = [
        LogEntry(time=NOW + timedelta(seconds=n), message=f"entry {n}") for n in range(count)
    ]
    bad = [LogEntry(time=NOW, message=""), LogEntry(time=NOW - timedelta(days=40), message="old")]
    plant(local_gcp_telemetry.endpoint, "logs", faults)
    told = hook.write_entries([*entries, *bad], log=log)
    plant(local_gcp_telemetry.endpoint, "logs", ())

    assert told.given == count + 2
    assert told.given == told.accepted + told.rejected + told.unknown + told.dropped
    assert told.dropped >= 2
    window = LogQuery(since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    found = [one.message for page in hook.query_entries(window, log=log) for one in page.entries]
    assert len(found) == len(set(found))
    assert told.accepted <= len(found) <= told.accepted + told.unknown
    assert found == [one.message for one in entries if one.message in found]

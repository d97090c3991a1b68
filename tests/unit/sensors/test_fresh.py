"""What a sensor asks a replica's ledger for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter, ReplicationOptions
from airflow_multicloud.errors import StorageError
from airflow_multicloud.sensors.object_store import ReplicaFreshSensor, replica_fresh
from tests.unit.replication.memory import World, world

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> World:
    made = world({"a": b"1", "b.csv": b"2"})
    monkeypatch.setattr(replica_fresh, "open_endpoint", lambda *_, **__: made.destinations[0])
    return made


def seen(**asked: Any) -> Mapping[str, Any] | None:
    sensor = ReplicaFreshSensor(
        task_id="fresh", replica="mem://lab/copy/", max_lag=timedelta(hours=1), **asked
    )
    check, arguments = sensor.question()
    return check(**json.loads(json.dumps(arguments)))


def test_a_filtered_replica_is_fresh_for_its_own_selection_only(
    lab: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airflow_multicloud")
    chosen = ObjectFilter(include=("*.csv",), max_size=9, max_age=timedelta(days=1))
    replicate(lab.replication(ReplicationOptions(filter=chosen)))
    assert seen() is None
    assert "lag unknown, as no run has looked at all of it; the oldest part is" in caplog.text
    assert seen(include=["*.csv"]) is None
    found = seen(include=["*.csv"], max_size=9, max_age=timedelta(days=1))
    assert found is not None
    assert datetime.fromisoformat(found["as_of"]) <= datetime.now(UTC)
    replicate(lab.replication())
    assert seen() is not None
    assert seen(exclude=["*.csv"]) is not None


def test_globs_that_are_none_are_refused(lab: World) -> None:
    with pytest.raises(StorageError, match="include: "):
        seen(include=[])
    with pytest.raises(StorageError, match="max_size: "):
        seen(min_size=2, max_size=1)

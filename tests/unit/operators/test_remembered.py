"""What Airflow remembers of ledgers: told by those who write, taken up by those who read."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import Asset, BaseOperator

from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.replication.report import DestinationReport
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.remembered import (
    event_extra,
    ledgers_of,
    remember,
    remembered,
    state_key,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SALES, OTHER = Asset("sales"), Asset("other")
PLACE, REPLICA = "gs://lake/", "gs://conn@lake/sales/"


@pytest.fixture(autouse=True)
def _connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked: a place is what the connection and the URI say."""
    google = {"conn_type": "google_cloud_platform"}
    store = {"conn_type": "aws", "extra": {"endpoint_url": "http://minio:9000"}}
    found: dict[str, dict[str, Any]] = {"conn": google, "other": google}
    found |= {"amazon": {"conn_type": "aws"}, "minio": store, "minio_too": store}
    for conn_id, connection in found.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))


def commit(number: int, place: str = PLACE) -> Remembered:
    return Remembered(place, number, f"{number:064x}", NOON)


@dataclass
class _Event:
    extra: Any


@dataclass
class _Ti:
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


class _Store(dict[str, Any]):
    def set(self, key: str, value: Any) -> None:
        self[key] = value


@dataclass
class Airflow:
    """The context of tasks that share assets; ``stores`` are there since Airflow 3.3."""

    stores: dict[Asset, _Store] | None = None
    events: dict[Asset, list[_Event]] = field(default_factory=lambda: defaultdict(list))
    ti: _Ti = field(default_factory=_Ti)

    def context(self) -> Any:
        found: dict[str, Any] = {"ti": self.ti, "inlet_events": self.events}
        return found if self.stores is None else {**found, "asset_state_store": self.stores}


def new() -> Airflow:
    return Airflow({SALES: _Store(), OTHER: _Store()})


def writer(*outlets: Any) -> BaseOperator:
    return BaseOperator(task_id="writes", outlets=[*outlets])


def reader(*inlets: Any) -> BaseOperator:
    return BaseOperator(task_id="reads", inlets=[*inlets])


def known(airflow: Airflow, task: BaseOperator) -> Remembered | None:
    return remembered(task, airflow.context(), [REPLICA]).get(PLACE)


def reported(uri: str, number: int | None) -> DestinationReport:
    root = None if number is None else f"{number:064x}"
    return DestinationReport(uri, {}, 0, 0, {}, number, root)


def test_a_run_leaves_one_commit_in_each_ledger() -> None:
    told = ledgers_of(
        [
            reported("gs://conn@lake/a/", 7),
            reported("gs://other@lake/b/", 8),
            reported("s3://amazon@lake/a/", 3),
            reported("s3://minio@lake/a/", 4),
            reported("s3://minio_too@lake/b/", 5),
            reported("abfs://lake/", None),
        ]
    )
    assert [(one.place, one.commit) for one in told] == [
        ("gs://lake/", 8),
        ("s3://lake/", 3),
        ("s3://lake@minio:9000/", 5),
    ]
    assert "conn" not in str(told)


def test_buckets_of_one_name_in_two_stores_are_remembered_apart() -> None:
    airflow, places = new(), ("s3://lake/", "s3://lake@minio:9000/")
    told = [commit(7, places[0]), commit(3, places[1])]
    remember(writer(SALES), airflow.context(), told)
    uris = ["s3://amazon@lake/a/", "s3://minio@lake/a/"]
    found = remembered(reader(SALES), airflow.context(), uris)
    assert found == dict(zip(places, told, strict=True))
    assert remembered(reader(SALES), airflow.context(), ["s3://nobody@lake/"]) == {}


def test_xcom_has_it() -> None:
    airflow = new()
    remember(writer(), airflow.context(), [commit(7)])
    assert airflow.ti.pushed == {"ledgers": [to_document(commit(7))]}
    nothing = new()
    remember(writer(SALES), nothing.context(), [])
    assert nothing.ti.pushed == {}
    assert nothing.stores == new().stores


def test_outlets_remember_it() -> None:
    airflow = new()
    remember(writer(SALES), airflow.context(), [commit(7), commit(3, "s3://lake/")])
    assert known(airflow, reader(SALES)) == commit(7)
    assert known(airflow, writer(SALES)) == commit(7)
    assert known(airflow, reader(OTHER)) is None
    assert known(airflow, reader()) is None


def test_a_later_commit_replaces_an_earlier_one_and_not_the_reverse() -> None:
    airflow = new()
    for number in (7, 9, 8):
        remember(writer(SALES), airflow.context(), [commit(number)])
    assert known(airflow, reader(SALES)) == commit(9)


def test_the_latest_of_all_assets_counts() -> None:
    airflow = new()
    remember(writer(SALES), airflow.context(), [commit(7)])
    remember(writer(OTHER), airflow.context(), [commit(8)])
    assert known(airflow, reader(SALES, OTHER)) == commit(8)


def test_before_airflow_3_3_the_newest_event_that_speaks_of_it_counts() -> None:
    airflow = Airflow()
    remember(writer(SALES), airflow.context(), [commit(7)])
    airflow.events[SALES] = [
        _Event({**event_extra([commit(6)])}),
        _Event({"multicloud": {}, **event_extra([commit(3, "s3://lake/"), commit(7)])}),
        _Event({"multicloud": {}}),
        _Event(None),
        _Event(event_extra([commit(9, "s3://lake/")])),
    ]
    assert known(airflow, reader(SALES)) == commit(7)
    assert known(airflow, writer(SALES)) is None


@pytest.mark.parametrize("junk", ["text", 7, {"place": PLACE}, [{}], {"commit": "x"}])
def test_what_is_no_memory_is_none(junk: Any) -> None:
    airflow = new()
    assert airflow.stores is not None
    airflow.stores[SALES].set(state_key(PLACE), junk)
    airflow.events[SALES] = [_Event({"multicloud_ledgers": junk})]
    assert known(airflow, reader(SALES)) is None


def test_a_memory_of_another_place_is_none() -> None:
    airflow = new()
    assert airflow.stores is not None
    airflow.stores[SALES].set(state_key(PLACE), to_document(commit(7, "s3://lake/")))
    airflow.events[SALES] = []
    assert known(airflow, reader(SALES)) is None


def test_events_say_nothing_of_no_ledger() -> None:
    assert event_extra([]) == {}

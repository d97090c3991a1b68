"""Which verbs of the stores operations use, in the memory cloud, and which they are said to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.object_store.calls import TABLE

#: The places of an operation, each of its own connection.
PLACES = {name: f"mem://{name}@lake/sales/" for name in ("pv_a", "pv_b", "pv_c")}
A, B, C = PLACES.values()


@pytest.fixture
def used(memory_account, monkeypatch):
    """Connection → verbs that were used since it was cleared."""
    found = {conn_id: set() for conn_id in PLACES}
    for conn_id in PLACES:
        memory_account(conn_id, "lake")
    verbs = {use.partition(":")[0] for use in TABLE.calls}

    def noting(verb, done):
        def call(self, *args, **kwargs):
            found[self.memory_conn_id].add(verb)
            return done(self, *args, **kwargs)

        return call

    for verb in sorted(verbs):
        if (done := getattr(object_store.Hook, verb, None)) is not None:
            monkeypatch.setattr(object_store.Hook, verb, noting(verb, done))
    return found


def told(**operation):
    found = {conn_id: set() for conn_id in PLACES}
    for need in needs_of(operations_of(operation)):
        if need.service == "object_store":
            found[need.conn_id].add(need.use.partition(":")[0])
    return found


def check(used, told):
    lacking = {conn_id: used[conn_id] - told[conn_id] for conn_id in used}
    assert not any(lacking.values()), lacking
    assert all(used.values()), "a connection was not used at all"


def test_an_upload_and_its_replica(used, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    api.upload_artifact(tmp_path / "file", A, replicate_to=[B])
    del used["pv_c"]
    check(used, told(upload={"destination": A, "replicate_to": [B]}))
    alone = told(upload={"destination": A})
    assert "stat_bucket" in used["pv_a"] - alone["pv_a"]


def test_a_verification_beside_a_sibling(used, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    api.upload_artifact(tmp_path / "file", A, replicate_to=[B, C])
    for verbs in used.values():
        verbs.clear()
    api.verify_replica(B, siblings=[C])
    del used["pv_a"]
    check(used, told(verify={"replica": B, "siblings": [C]}))


def test_a_drill_and_its_evidence(used, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    api.upload_artifact(tmp_path / "file", A)
    for verbs in used.values():
        verbs.clear()
    objectives = Objectives(timedelta(hours=1), timedelta(hours=1))
    api.run_drill(A, [B], objectives=objectives, places=[C])
    check(used, told(drill={"primary": A, "replicas": [B], "places": [C]}))


def test_a_shipment_from_a_bucket(used):
    line = json.dumps({"message": "a", "time": datetime.now(UTC).isoformat()})
    object_store.Hook("pv_a").put_object(ObjectRef("lake", "logs/today.jsonl"), line.encode())
    used["pv_a"].clear()
    source = "mem://pv_a@lake/logs/today.jsonl"
    api.ship_logs(["pv_b"], "etl", source=source)
    told_of = told(ship_logs={"destinations": ["pv_b"], "log_name": "etl", "source": source})
    assert used["pv_a"] == told_of["pv_a"]

"""Operators and the command line with ``digest="blake3"``, on the local clouds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import blake3
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicloud import api, extras
from airflow_multicloud.adapters.digests import BLAKE3_METADATA
from airflow_multicloud.operators.object_store import (
    FailoverFetchOperator,
    ReplicateOperator,
    VerifyReplicaOperator,
    sharded_replication,
)
from airflow_multicloud.ports.object_store import ObjectTags

from .airflow_runs import Bare, run_dag
from .lab import Lab, at, delete, outcomes, own_keys, proven, put

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 1 << 20
BIG = os.urandom(12 * _MIB)
BLAKE3 = blake3.blake3(BIG).hexdigest()
PARTS: dict[str, Any] = {
    "part_size": 5 * _MIB,
    "large_object": 5 * _MIB,
    "memory_limit": 20 * _MIB,
    "digest": "blake3",
}


def replicate(source: str, *destinations: str, **arguments: Any) -> Any:
    operator = ReplicateOperator(
        task_id="replicate", source=source, destinations=destinations, **(PARTS | arguments)
    )
    return operator.execute(Bare())  # type: ignore[arg-type]


def verify(replica: str) -> Any:
    operator = VerifyReplicaOperator(task_id="verify", replica=replica, depth="read")
    return operator.execute(Bare())  # type: ignore[arg-type]


def fetch(candidates: list[str], target: Path) -> Any:
    operator = FailoverFetchOperator(task_id="fetch", candidates=candidates, target=str(target))
    return operator.execute(Bare())  # type: ignore[arg-type]


def test_from_cloud_to_cloud_and_back(lab: Lab, tmp_path: Path) -> None:
    put(lab.s3 + "big", BIG)
    put(lab.s3 + "small", b"1")
    assert outcomes(replicate(lab.s3, *lab.replicas)) == [{"copied": 2}] * 2
    for replica in lab.replicas:
        assert proven(replica)["big"].digests.blake3 == BLAKE3
        assert proven(replica)["big"].digests.sha256 is None
        assert proven(replica)["small"].digests.sha256 is not None
        end = at(replica + "big")
        attributes = end.store.stat_object(end.location.ref).attributes
        assert attributes is not None
        assert attributes.metadata == {BLAKE3_METADATA: BLAKE3}
        assert verify(replica)["findings"] == {"verified": 2}
    assert outcomes(replicate(lab.s3, *lab.replicas, digest="sha256")) == [{"unchanged": 2}] * 2
    delete(lab.s3 + "big")
    served = fetch([f"{place}big" for place in (lab.s3, *lab.replicas)], tmp_path / "big")
    by = (served["failed_over"], served["verified_by"], served["digest"])
    assert by == (True, "ledger", "blake3")
    assert (tmp_path / "big").read_bytes() == BIG
    back = f"s3://aws_local@{lab.bucket}/back/"
    assert outcomes(replicate(lab.azure, back)) == [{"copied": 2}]
    end = at(back + "big")
    assert isinstance(end.store, ObjectTags)
    assert end.store.get_tags(end.location.ref) == {BLAKE3_METADATA: BLAKE3}


@pytest.mark.usefixtures("airflow_db")
def test_sharded(lab: Lab) -> None:
    put(lab.s3 + "big", BIG)
    with DAG("lake") as dag:
        sharded_replication("shards", shards=2, source=lab.s3, destinations=[lab.gcs], **PARTS)
    run_dag(dag)
    assert proven(lab.gcs)["big"].digests.blake3 == BLAKE3


def test_where_it_is_not_installed_nothing_is_begun(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lab.s3 + "big", BIG)
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    for given in ({}, {"dry_run": True}):
        with pytest.raises(AirflowFailException, match="digest: 'blake3' given, and blake3 is not"):
            replicate(lab.s3, lab.gcs, **given)
    with pytest.raises(api.CloudError, match=r"pip install '\.\[blake3\]' in a checkout"):
        api.replicate(lab.s3, lab.gcs, api.ReplicationOptions(digest=api.ContentDigest.BLAKE3))
    assert own_keys(lab.gcs) == []

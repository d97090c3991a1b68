"""What replications tell Airflow of ledgers is what later tasks hold them against."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, Asset

from airflow_multicloud import api
from airflow_multicloud.core.ledger import reading, trust
from airflow_multicloud.core.ledger.names import LEDGER
from airflow_multicloud.operators.object_store import (
    FailoverFetchOperator,
    ReplicateOperator,
    UploadArtifactOperator,
    VerifyReplicaOperator,
    sharded_replication,
)
from tests.unit.signing.keys import pair

from .airflow_runs import Bare, run_dag
from .lab import Lab, at, fill

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.core.ledger.reading import Head


pytestmark = pytest.mark.usefixtures("airflow_db")


def head_of(uri: str) -> Head:
    head = reading.newest(at(uri))
    assert head is not None
    return head


def begin_anew(uri: str) -> None:
    """What somebody does who may write to the bucket: the ledger is well-formed again."""
    end = at(uri)
    for meta in list(end.objects(LEDGER)):
        end.store.delete_object(end.ref(meta.key))


def copying(lab: Lab, asset: Asset, **arguments: Any) -> DAG:
    with DAG(f"copies_{lab.bucket}", schedule=None) as dag:
        ReplicateOperator(
            task_id="copy",
            source=lab.s3,
            destinations=[lab.gcs],
            outlets=[asset],
            **arguments,
        )
    return dag


def reading_of(lab: Lab, asset: Asset, target: Path) -> DAG:
    with DAG(f"reads_{lab.bucket}", schedule=None) as dag:
        VerifyReplicaOperator(task_id="verify", replica=lab.gcs, inlets=[asset])
        VerifyReplicaOperator(
            task_id="verify_alone", replica=lab.gcs, inlets=[asset], use_remembered=False
        )
        FailoverFetchOperator(
            task_id="fetch",
            candidates=["s3://aws_local@no-such-bucket/data/", lab.gcs],
            target=f"{target}/",
            inlets=[asset],
        )
    return dag


def test_a_ledger_that_was_begun_anew_is_noticed(lab: Lab, tmp_path: Path) -> None:
    fill(lab.s3)
    asset = Asset(f"copies_{lab.bucket}")
    copied = run_dag(copying(lab, asset))
    head = head_of(lab.gcs)
    (told,) = copied.xcom("copy", key="ledgers")
    assert (told["place"], told["commit"]) == (head.commit.place, head.commit.number)
    assert told["ledger_root"] == head.root == copied.xcom("copy")["destinations"][0]["ledger_root"]
    assert copied.asset_events()[asset.name][0]["multicloud_ledgers"] == [told]
    identity = head.commit.identity
    assert (identity.dag_id, identity.task_id) == (f"copies_{lab.bucket}", "copy")
    assert (identity.map_index, identity.try_number) == (-1, 1)

    # A run that Airflow does not know is no reason to refuse.
    api.replicate(lab.s3, [lab.gcs])
    later = run_dag(reading_of(lab, asset, tmp_path))
    assert {later.state_of(t) for t in ("verify", "verify_alone", "fetch")} == {"success"}
    assert later.xcom("verify")["commit"] > told["commit"]

    begin_anew(lab.gcs)
    for _ in range(3):
        api.replicate(lab.s3, [lab.gcs])
    forged = run_dag(reading_of(lab, asset, tmp_path))
    assert forged.state_of("verify_alone") == "success"
    assert forged.state_of("verify") == "failed"
    assert forged.state_of("fetch") == "failed"


def test_mapped_tasks_are_not_taken_for_tries_of_one(lab: Lab) -> None:
    fill(lab.s3, {"a/x": b"1", "b/x": b"2"})
    with DAG(f"mapped_{lab.bucket}", schedule=None) as dag:
        ReplicateOperator.partial(task_id="copy").expand_kwargs(
            [
                {"source": f"{lab.s3}{name}/", "destinations": [f"{lab.gcs}{name}/"]}
                for name in ("a", "b")
            ]
        )
    assert run_dag(dag).state == "success"
    head = head_of(lab.gcs)
    known = {one.commit.identity.map_index for one in [head, *reading.back_to(head, 1)]}
    assert known == {0, 1}


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A connection with a key to sign with, and the file of its public key."""
    connection = {"conn_type": "generic", "password": pair(3).private().decode()}
    monkeypatch.setenv("AIRFLOW_CONN_SIGNING", json.dumps(connection))
    public = tmp_path / "signing.pub"
    public.write_bytes(pair(3).public)
    return public


class TestSigned:
    def test_every_commit_of_a_replication(self, lab: Lab, signed: Path) -> None:
        fill(lab.s3)
        api.replicate(lab.s3, lab.replicas, signing_conn_id="signing")
        for uri in lab.replicas:
            head = head_of(uri)
            assert len([head, *reading.back_to(head, 1)]) > 1
            for one in [head, *reading.back_to(head, 1)]:
                assert trust.check_signature(one, pair(3).keys)
            assert api.verify_replica(uri, public_keys=signed).signed_by

    def test_every_commit_of_a_sharded_one(self, lab: Lab, signed: Path) -> None:
        fill(lab.s3)
        with DAG(f"sharded_{lab.bucket}", schedule=None) as dag:
            sharded_replication(
                "many",
                shards=2,
                source=lab.s3,
                destinations=[lab.gcs],
                signing_conn_id="{{ 'signing' }}",
            )
        run = run_dag(dag)
        assert run.state == "success"
        head = head_of(lab.gcs)
        for one in [head, *reading.back_to(head, 1)]:
            assert trust.check_signature(one, pair(3).keys)
        (told,) = run.xcom("many.close", key="ledgers")
        assert told["ledger_root"] == head.root

    def test_an_upload_and_its_copies(self, lab: Lab, signed: Path, tmp_path: Path) -> None:
        fill(lab.s3)
        api.replicate(lab.s3, [lab.gcs])
        assert head_of(lab.gcs).signature is None
        file = tmp_path / "app.bin"
        file.write_bytes(b"app")
        with DAG(f"uploads_{lab.bucket}", schedule=None) as dag:
            UploadArtifactOperator(
                task_id="upload",
                file=str(file),
                destination=lab.gcs,
                replicate_to=[lab.azure],
                signing_conn_id="signing",
            )
        told = run_dag(dag).xcom("upload", key="ledgers")
        assert [one["place"] for one in told] == [head_of(uri).commit.place for uri in lab.replicas]
        for uri, one in zip(lab.replicas, told, strict=True):
            head = head_of(uri)
            assert (one["commit"], one["ledger_root"]) == (head.commit.number, head.root)
            assert trust.check_signature(head, pair(3).keys)

    def test_a_run_without_the_key_is_refused_before_anything_moves(self, lab: Lab) -> None:
        fill(lab.s3)
        operator = ReplicateOperator(
            task_id="copy", source=lab.s3, destinations=[lab.gcs], signing_conn_id="gcp_local"
        )
        with pytest.raises(AirflowFailException, match="signing_conn_id: connection 'gcp_local'"):
            operator.execute(Bare())  # type: ignore[arg-type]
        assert reading.newest(at(lab.gcs)) is None

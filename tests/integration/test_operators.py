"""ReplicateOperator, VerifyReplicaOperator and UploadArtifactOperator on the local clouds."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.sdk import DAG, Asset

from airflow_multicloud import api
from airflow_multicloud.core.ledger import commits, reading
from airflow_multicloud.core.ledger.names import place_of, segment_key
from airflow_multicloud.core.replication import progress
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.operators.object_store import (
    ReplicateOperator,
    UploadArtifactOperator,
    VerifyReplicaOperator,
)
from tests.unit.signing.keys import pair

from .airflow_runs import Bare, run_dag
from .lab import (
    TREE,
    Lab,
    at,
    delete,
    edit,
    fill,
    flip,
    get,
    ledger,
    outcomes,
    own_keys,
    proven,
    put,
    tree_of,
)

if TYPE_CHECKING:
    from pathlib import Path


def replicate(lab: Lab, context: Bare | None = None, **arguments: Any) -> Any:
    given = {"source": lab.s3, "destinations": lab.replicas, **arguments}
    operator = ReplicateOperator(task_id="replicate", **given)
    return operator.execute(context or Bare())


class TestReplicate:
    def test_the_result_is_counts_and_uris_and_a_second_run_copies_nothing(self, lab: Lab) -> None:
        fill(lab.s3)
        first = replicate(lab)
        assert outcomes(first) == [{"copied": len(TREE)}] * 2
        assert first["objects"] == len(TREE)
        assert first["bytes"] == first["bytes_read"] == sum(map(len, TREE.values()))
        for uri, destination in zip(lab.replicas, first["destinations"], strict=True):
            assert tree_of(uri) == TREE
            head = ledger(uri)
            assert destination["commit"] == head.commit.number
            assert destination["ledger_root"] == head.root
            assert get(destination["commit_uri"]).startswith(commits.write(head.commit))
            assert destination["content"] == first["root"]
            assert {name: proof.size for name, proof in proven(uri).items()} == {
                name: len(content) for name, content in TREE.items()
            }
            assert head.commit.open_runs == ()
        second = replicate(lab, Bare(run_id="manual__2"))
        assert outcomes(second) == [{"unchanged": len(TREE)}] * 2
        assert (second["bytes_read"], second["root"]) == (0, first["root"])

    def test_xcom_does_not_grow_with_the_number_of_objects(self, lab: Lab) -> None:
        fill(lab.s3)
        few = len(json.dumps(replicate(lab)))
        fill(lab.s3, {f"many/{n:04}": b"x" for n in range(100)})
        many = json.dumps(replicate(lab, Bare(run_id="manual__2")))
        assert "many/" not in many
        assert len(many) - few < 50

    def test_two_replications_of_one_dag_run_have_commits_of_their_own(self, lab: Lab) -> None:
        fill(lab.s3)
        context = Bare()
        first = replicate(lab, context)
        put(lab.s3 + "late", b"late")
        operator = ReplicateOperator(task_id="again", source=lab.s3, destinations=lab.replicas)
        second = operator.execute(context)  # type: ignore[arg-type]
        assert isinstance(second, dict)
        assert first["run_id"] != second["run_id"]
        for uri, *both in zip(
            lab.replicas, first["destinations"], second["destinations"], strict=True
        ):
            for facts, destination in zip((first, second), both, strict=True):
                head = reading.at(at(uri), destination["commit"])
                assert (head.root, head.uri) == (
                    destination["ledger_root"],
                    destination["commit_uri"],
                )
                assert head.commit.identity.run_id == facts["run_id"]
                assert destination["content"] == facts["root"]
                assert reading.has(ledger(uri), head.mark)

    def test_a_conflict_fails_at_once_and_pushes_the_report(self, lab: Lab) -> None:
        fill(lab.s3)
        put(lab.gcs + "a.txt", b"other")
        context = Bare()
        with pytest.raises(AirflowFailException, match="already_exists: 1 of 8 copies failed") as e:
            replicate(lab, context, immutable=True)
        assert isinstance(e.value.__cause__, ReplicationFailedError)
        report = context.pushed["report"]
        assert outcomes(report) == [
            {"conflict": 1, "copied": len(TREE) - 1},
            {"copied": len(TREE)},
        ]
        assert get(lab.gcs + "a.txt") == b"other"

    @pytest.mark.parametrize("most", [1, 0.5])
    def test_more_replacements_than_allowed_fail_at_once(self, lab: Lab, most: float) -> None:
        fill(lab.s3)
        replicate(lab)
        kept = [own_keys(uri) for uri in lab.replicas]
        fill(lab.s3, dict.fromkeys(list(TREE)[:3], b"encrypted"))
        with pytest.raises(
            AirflowFailException,
            match=f"precondition_failed: max_replace: 3 of the 4 objects at {lab.replicas[0]} ",
        ):
            replicate(lab, Bare(run_id="manual__2"), max_replace=most)
        for uri, before in zip(lab.replicas, kept, strict=True):
            assert tree_of(uri) == TREE
            assert own_keys(uri) == before

    def test_what_a_retry_may_mend_is_raised_as_it_is(self, lab: Lab, closed_s3: str) -> None:
        fill(lab.s3)
        with pytest.raises(StorageError) as raised:
            replicate(lab, destinations=[f"s3://{closed_s3}@{lab.bucket}/copy/"])
        assert raised.value.kind is ErrorKind.UNAVAILABLE
        assert not isinstance(raised.value, AirflowException)

    def test_dry_run_returns_the_plan_and_writes_nothing(self, lab: Lab) -> None:
        fill(lab.s3)
        put(lab.azure + "a.txt", b"other!")
        plans = replicate(lab, dry_run=True)
        json.dumps(plans)
        assert [p["uri"] for p in plans] == lab.replicas
        assert [p["copy"] for p in plans] == [4, 3]
        assert tree_of(lab.gcs) == {}
        assert tree_of(lab.azure) == {"a.txt": b"other!"}
        for uri in lab.replicas:
            assert own_keys(uri) == []

    def test_the_outlet_gets_the_root_and_the_log_the_progress(
        self, lab: Lab, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fill(lab.s3)
        context, asset = Bare(), Asset("copies")
        facts = replicate(lab, context, outlets=[asset])
        ledgers = context.pushed["ledgers"]
        extra = {"multicloud": facts, "multicloud_ledgers": ledgers}
        assert context["outlet_events"][asset].extra == extra
        roots = [destination["ledger_root"] for destination in facts["destinations"]]
        assert [one["ledger_root"] for one in ledgers] == roots
        log = capsys.readouterr().out
        assert "replicated 4 of 4 objects, " in log
        for destination in facts["destinations"]:
            assert f"{destination['uri']}: 4 copied; commit {destination['commit_uri']}" in log

    def test_progress_is_told_while_it_goes_on(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(lab.s3)
        monkeypatch.setattr(
            progress.Progress.__init__, "__kwdefaults__", {"interval": 0.0}
        )  # every object instead of every ten seconds
        told: list[progress.Snapshot] = []
        api.replicate(lab.s3, lab.replicas, listener=told.append)
        assert [s.objects for s in told] == sorted(s.objects for s in told)
        assert told[-1].objects == told[-1].to_copy == len(TREE)
        assert told[-1].written == told[-1].to_write == 2 * sum(map(len, TREE.values()))

    def test_a_single_object_lands_below_a_prefix(self, lab: Lab) -> None:
        fill(lab.s3)
        replicate(lab, source=lab.s3 + "deep/er/b.bin")
        assert tree_of(lab.gcs) == tree_of(lab.azure) == {"b.bin": TREE["deep/er/b.bin"]}


@pytest.mark.usefixtures("airflow_db")
def test_templates_xcom_and_asset_events_in_a_real_run(lab: Lab) -> None:
    fill(lab.s3)
    with DAG("templated", schedule=None, render_template_as_native_obj=True) as dag:
        copied = ReplicateOperator(
            task_id="copy",
            source="s3://aws_local@{{ params.bucket }}/data/",
            destinations="{{ params.replicas }}",
            include=["{{ params.glob }}"],
            outlets=[Asset("templated_copies")],
        )
        checked = VerifyReplicaOperator.partial(
            task_id="check", run_id="{{ ti.xcom_pull('copy')['run_id'] }}"
        ).expand(replica=lab.replicas)
        broken = ReplicateOperator(
            task_id="broken",
            source="{{ params.source }}",
            destinations=["gs://gcp_local@{{ params.bucket }}/copy/"],
            immutable=True,
            retries=2,
            retry_delay=timedelta(0),
        )
        copied >> checked >> broken
        dag.params.update(bucket=lab.bucket, replicas=lab.replicas, glob="*.txt", source=lab.s3)
    put(lab.gcs + "empty", b"not empty")
    run = run_dag(dag)
    facts = run.xcom("copy")
    assert outcomes(facts) == [{"copied": 1}] * 2
    extra = {"multicloud": facts, "multicloud_ledgers": run.xcom("copy", key="ledgers")}
    assert run.asset_events() == {"templated_copies": [extra]}
    assert [run.xcom("check", map_index=n)["findings"] for n in (0, 1)] == [{"verified": 1}] * 2
    # Failed for good at the first try, and told what happened.
    assert (run.state_of("broken"), run.tries["broken", -1]) == ("failed", 1)
    assert outcomes(run.xcom("broken", key="report")) == [
        {"conflict": 1, "copied": 2, "unchanged": 1}
    ]


class TestVerify:
    @pytest.fixture(params=["gs://gcp_local", "abfs://wasb_local", "s3://aws_second"])
    def replica(self, lab: Lab, request: pytest.FixtureRequest) -> str:
        uri = f"{request.param}@{lab.bucket}/copy/"
        fill(lab.s3)
        api.replicate(lab.s3, [uri], api.ReplicationOptions(create_buckets=True))
        return uri

    def verify(self, replica: str, context: Bare | None = None, **arguments: Any) -> Any:
        operator = VerifyReplicaOperator(task_id="verify", replica=replica, **arguments)
        return operator.execute(context or Bare())  # type: ignore[arg-type]

    @pytest.mark.parametrize("depth", list(api.Depth))
    def test_a_sound_replica(self, replica: str, depth: str) -> None:
        facts = self.verify(replica, depth=depth)
        assert facts["findings"] == {"verified": len(TREE)}
        assert facts["proven"]
        everything = sum(map(len, TREE.values()))
        assert facts["bytes_read"] == (everything if depth == "read" else 0)

    @pytest.mark.parametrize("depth", list(api.Depth))
    def test_one_flipped_bit_is_named(self, replica: str, depth: str) -> None:
        flip(replica + "deep/er/b.bin")
        context = Bare()
        with pytest.raises(AirflowFailException, match=r"1 of 4 objects are not proven"):
            self.verify(replica, context, depth=depth)
        report = context.pushed["report"]
        assert report["findings"] == {"changed": 1, "verified": len(TREE) - 1}
        (found,) = report["found"]
        assert found.startswith("'deep/er/b.bin' is changed: it was written again")
        # Azure reports no digest of its own: without reading, nobody knows.
        unread = depth == api.Depth.CHECKSUMS and replica.startswith("abfs://")
        assert found.endswith("the store reports no digest to compare") is unread

    def test_one_deleted_object_is_named(self, replica: str) -> None:
        delete(replica + "deep/spa ced 'ö'.csv")
        put(replica + "stray", b"")
        facts = self.verify(replica, fail=False)
        assert facts["findings"] == {"missing": 1, "verified": len(TREE) - 1}
        assert facts["found"] == [
            "\"deep/spa ced 'ö'.csv\" is missing: there is no object of this key"
        ]
        assert facts["extraneous"] == 1

    def test_an_edited_ledger_is_found_out(self, replica: str, tmp_path: Path) -> None:
        told = self.verify(replica)
        asked = {"expected_root": told["ledger_root"], "at_least_commit": str(told["commit"])}
        assert self.verify(replica, **asked)["proven"]
        commit = told["commit_uri"]
        put(commit, get(commit).replace(b'"size":5', b'"size":6'))
        assert self.verify(replica, fail=False)["findings"]["damaged"] >= 1
        with pytest.raises(StorageError, match="was expected among the commits") as raised:
            self.verify(replica, **asked)
        assert raised.value.kind is ErrorKind.INTEGRITY
        with pytest.raises(StorageError, match=f"commit {told['commit'] + 1} was expected"):
            self.verify(replica, at_least_commit=told["commit"] + 1)
        keys = tmp_path / "signing.pub"
        keys.write_bytes(pair().public)
        with pytest.raises(StorageError, match="it is not signed; only commits that were"):
            self.verify(replica, public_keys=str(keys))

    def test_another_replica_is_asked(self, lab: Lab) -> None:
        fill(lab.s3)
        api.replicate(lab.s3, lab.replicas)
        one, other = lab.replicas
        told = self.verify(one, siblings=[other])
        assert (told["proven"], told["contradictions"], told["not_compared"]) == (True, [], [])
        commit = told["commit_uri"]
        sha256 = told["content"]
        assert sha256 == self.verify(other)["content"]
        put(commit, get(commit).replace(b'"sha256":"', b'"sha256":"0', 1))
        with pytest.raises(
            AirflowFailException, match="prove different contents of the same object"
        ):
            self.verify(one, siblings=[other], depth="checksums")

    def test_an_edited_commit_before_the_newest_is_found_out(self, lab: Lab, replica: str) -> None:
        before = self.verify(replica)
        fill(lab.s3, {"late": b"late"})
        api.replicate(lab.s3, [replica])
        edit(before["commit_uri"], b'"size":5', b'"size":6')
        with pytest.raises(StorageError, match="the ledger was changed after it had been") as e:
            self.verify(replica, run_id=before["run_id"])
        assert e.value.kind is ErrorKind.INTEGRITY

    def test_an_edited_segment_is_found_out(
        self, lab: Lab, replica: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commits, "MOST_RECENT", 0)  # what more objects than 256 would do
        fill(lab.s3, {"a.txt": b"bravo"})
        api.replicate(lab.s3, [replica])
        segment = segment_key(ledger(replica).commit.segments[-1][0].sha256)
        uri = str(at(replica).location.with_key(segment))
        lines = gzip.decompress(get(uri))
        assert b'"size":' in lines
        put(uri, gzip.compress(lines.replace(b'"size":', b'"size":1')))
        with pytest.raises(StorageError, match=segment) as raised:
            self.verify(replica)
        assert raised.value.kind is ErrorKind.INTEGRITY

    def test_no_ledger(self, lab: Lab) -> None:
        with pytest.raises(AirflowFailException, match=r"^not_found: replica: .* is in no ledger"):
            self.verify(lab.gcs)

    def test_what_a_template_gives_is_a_number(self, lab: Lab) -> None:
        with pytest.raises(AirflowFailException, match="at_least_commit: 'x' given, expected the"):
            self.verify(lab.gcs, at_least_commit="x")
        with pytest.raises(AirflowFailException, match="public_keys: /nowhere can't be read"):
            self.verify(lab.gcs, public_keys="/nowhere")
        with pytest.raises(AirflowFailException, match="expected_root: 'abc' given"):
            self.verify(lab.gcs, expected_root="abc", at_least_commit="")


class TestUpload:
    def upload(self, lab: Lab, file: Path, context: Bare | None = None, **arguments: Any) -> Any:
        given = {"destination": lab.s3, "replicate_to": lab.replicas, **arguments}
        operator = UploadArtifactOperator(task_id="upload", file=str(file), **given)
        return operator.execute(context or Bare())

    def test_everywhere_and_once(self, lab: Lab, tmp_path: Path) -> None:
        file = tmp_path / "app-1.0.tar.gz"
        file.write_bytes(b"release" * 1000)
        context, asset = Bare(), Asset("artifact")
        first = self.upload(lab, file, context, outlets=[asset])
        assert first["success"]
        assert not first["unchanged"]
        assert first["uri"] == lab.s3 + file.name
        # The primary's bucket has no ledger: it holds no replica.
        places = [one["place"] for one in context.pushed["ledgers"]]
        ends = [open_endpoint(uri, parameter="uri") for uri in lab.replicas]
        assert places == [place_of(end) for end in ends]
        extra = {"multicloud": first, "multicloud_ledgers": context.pushed["ledgers"]}
        assert context["outlet_events"][asset].extra == extra
        for uri in (lab.s3, *lab.replicas):
            assert tree_of(uri) == {file.name: file.read_bytes()}
        second = self.upload(lab, file)
        assert second["unchanged"]
        assert second["sha256"] == first["sha256"]
        assert outcomes(second["replication"]) == [{"unchanged": 1}] * 2

    def test_a_replica_that_fails_leaves_the_primary_and_says_so(
        self, lab: Lab, tmp_path: Path, closed_s3: str
    ) -> None:
        file = tmp_path / "app"
        file.write_bytes(b"1")
        context = Bare()
        with pytest.raises(AirflowException, match=r"/data/app is uploaded, but: ") as raised:
            self.upload(lab, file, context, replicate_to=[f"s3://{closed_s3}@{lab.bucket}/"])
        assert not isinstance(raised.value, AirflowFailException)
        report = context.pushed["report"]
        assert (report["success"], report["kind"]) == (False, "unavailable")
        assert get(lab.s3 + "app") == b"1"

    def test_a_missing_bucket_for_replicas_is_final(self, lab: Lab, tmp_path: Path) -> None:
        file = tmp_path / "app"
        file.write_bytes(b"1")
        with pytest.raises(AirflowFailException, match="no bucket 'nowhere-at-all'"):
            self.upload(lab, file, replicate_to=["gs://gcp_local@nowhere-at-all/x/"])

    def test_immutable(self, lab: Lab, tmp_path: Path) -> None:
        file = tmp_path / "app"
        file.write_bytes(b"1")
        self.upload(lab, file, immutable=True)
        file.write_bytes(b"2")
        with pytest.raises(AirflowFailException, match=r"^already_exists: destination: "):
            self.upload(lab, file, immutable=True)
        for uri in (lab.s3, *lab.replicas):
            assert get(uri + "app") == b"1"

"""One replication spread over mapped tasks, and shards that die."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, task

from airflow_multicloud import api
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import StorageError
from airflow_multicloud.operators.object_store import ReplicateShardOperator, sharded_replication

from ..forks import forked  # noqa: TID252
from .airflow_runs import Bare, run_dag
from .lab import TREE, Lab, fill, ledger, own_keys, put, tree_of

MANY = {f"n/{number:02}": bytes([number]) * (number * 997) for number in range(25)}
CONTENT = {**TREE, **MANY}


@pytest.fixture
def filled(lab: Lab) -> Lab:
    fill(lab.s3, CONTENT)
    return lab


@pytest.fixture
def replication(filled: Lab) -> Replication:
    return api.replication(filled.s3, filled.replicas)


def outcomes(report: api.ReplicationReport) -> list[dict[str, int]]:
    return [{str(o): n for o, n in d.outcomes.items()} for d in report.destinations]


class DyingShardOperator(ReplicateShardOperator):
    """One shard's first try dies before it has done anything."""

    def execute(self, context: Any) -> dict[str, Any]:
        if context["ti"].map_index == 2 and context["ti"].try_number == 1:
            raise RuntimeError("the worker was lost")
        return super().execute(context)


@dataclass
class ClearedTi:
    """A task instance that is run again, and what it is told of those before it."""

    states: dict[str, str]
    done: list[dict[str, Any]]

    def get_task_states(self, *, run_ids: list[str], **_: Any) -> dict[str, dict[str, str]]:
        return {run_ids[0]: self.states}

    def xcom_pull(self, **_: Any) -> list[dict[str, Any]]:
        return self.done

    def xcom_push(self, key: str, value: Any) -> None: ...


@pytest.mark.usefixtures("airflow_db")
class TestInAirflow:
    def test_five_shards(self, filled: Lab) -> None:
        with DAG("sharded", schedule=None, render_template_as_native_obj=True) as dag:
            for name, prefix in (("one", "n/"), ("two", "deep/")):  # in one run, side by side
                sharded_replication(
                    name,
                    shards=5,
                    outlets=[Asset(f"sharded_{name}")],
                    source="{{ params.source }}" + prefix,
                    destinations=[uri + prefix for uri in filled.replicas],
                )
            dag.params["source"] = filled.s3
        run = run_dag(dag)
        assert run.state == "success"
        assert set(run.states) >= {("one.replicate_shard", n) for n in range(5)}
        shared = run.xcom("one.plan")
        assert len(shared) == len(set(shared)) == 5
        facts = run.xcom("one.close")
        done = [run.xcom("one.replicate_shard", map_index=n) for n in range(5)]
        assert sum(d["objects"] for d in done) == facts["objects"] == len(MANY)
        assert sum(d["bytes"] for d in done) == facts["bytes"] == sum(map(len, MANY.values()))
        assert [d["outcomes"] for d in facts["destinations"]] == [{"copied": len(MANY)}] * 2
        (event,) = run.asset_events()["sharded_one"]
        assert event == {
            "multicloud": facts,
            "multicloud_ledgers": run.xcom("one.close", key="ledgers"),
        }
        deep = run.xcom("two.close")
        assert [d["outcomes"] for d in deep["destinations"]] == [{"copied": 2}] * 2
        for uri in filled.replicas:
            assert tree_of(uri + "n/") == {n.removeprefix("n/"): c for n, c in MANY.items()}
            assert api.verify_replica(uri + "n/", depth=api.Depth.READ).content == facts["root"]
            assert own_keys(uri, "runs/") == []
            assert ledger(uri).commit.open_runs == ()

    def test_a_shard_that_dies_is_tried_again(self, filled: Lab) -> None:
        given: dict[str, Any] = {"source": filled.s3, "destinations": filled.replicas}
        with DAG("dying", schedule=None) as dag:
            group = sharded_replication("g", shards=4, **given)
            mapped: Any = group.children["g.replicate_shard"]
            mapped.operator_class = DyingShardOperator
            mapped.partial_kwargs.update(retries=1, retry_delay=timedelta(0))
        run = run_dag(dag)
        assert run.state == "success"
        assert run.tries["g.replicate_shard", 2] == 2
        facts = run.xcom("g.close")
        assert [d["outcomes"] for d in facts["destinations"]] == [{"copied": len(CONTENT)}] * 2

    def test_a_branch_that_skips_the_plan_skips_the_close(self, filled: Lab) -> None:
        given: dict[str, Any] = {"source": filled.s3, "destinations": filled.replicas}
        with DAG("branched", schedule=None) as dag:

            @task.short_circuit
            def wanted() -> bool:
                return False

            wanted() >> sharded_replication("g", shards=2, **given)
        run = run_dag(dag)
        assert run.state == "success"
        assert run.state_of("g.plan") == run.state_of("g.close") == "skipped"

    def test_a_plan_that_fails_fails_the_close_and_says_so(
        self, filled: Lab, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given: dict[str, Any] = {"source": filled.s3, "destinations": [filled.gcs[:-1] + "x"]}
        with DAG("planless", schedule=None) as dag:
            sharded_replication("g", shards=2, **given)
        run = run_dag(dag)
        assert run.state == run.state_of("g.plan") == run.state_of("g.close") == "failed"
        assert "g.plan is failed: nothing was planned" in capsys.readouterr().out

    def test_a_shard_cleared_after_the_close_changes_nothing_and_is_named(
        self, filled: Lab, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given: dict[str, Any] = {"source": filled.s3, "destinations": filled.replicas}
        with DAG("cleared", schedule=None) as dag:
            group = sharded_replication("g", shards=2, **given)
        run = run_dag(dag)
        first = run.xcom("g.close")
        context = Bare("cleared", run.run_id)
        one = ReplicateShardOperator(
            task_id="g.replicate_shard", shard=run.xcom("g.plan")[1], **given
        ).execute(context)  # type: ignore[arg-type]
        assert one["closed"]
        assert one["objects"] == 0
        assert "nothing was done: this task was cleared after the run" in capsys.readouterr().out
        context["ti"] = ClearedTi({"g.plan": "success"}, [one])
        close: Any = group.children["g.close"]
        again = close.execute(context)
        assert {**again, "seconds": 0, "bytes_read": 0} == {
            **first,
            "seconds": 0,
            "bytes_read": 0,
        } | {"destinations": again["destinations"]}
        assert [d["outcomes"] for d in again["destinations"]] == [
            d["outcomes"] for d in first["destinations"]
        ]
        assert "without effect: g.replicate_shard (shard-00001.jsonl)" in capsys.readouterr().out

    def test_a_shard_that_stays_lost_is_counted(self, filled: Lab) -> None:
        given: dict[str, Any] = {"source": filled.s3, "destinations": filled.replicas}
        with DAG("lost", schedule=None) as dag:
            mapped: Any = sharded_replication("g", shards=4, **given).children["g.replicate_shard"]
            mapped.operator_class = DyingShardOperator
        run = run_dag(dag)
        assert run.state == "failed"
        assert run.state_of("g.replicate_shard", 2) == run.state_of("g.close") == "failed"
        report = run.xcom("g.close", key="report")
        copied = sum(run.xcom("g.replicate_shard", map_index=n)["objects"] for n in (0, 1, 3))
        assert [d["outcomes"] for d in report["destinations"]] == [
            {"copied": copied, "failed": len(CONTENT) - copied}
        ] * 2
        for uri in filled.replicas:
            assert len(tree_of(uri)) == copied


class TestCore:
    def test_close_with_a_shard_missing_and_again_with_it(
        self, filled: Lab, replication: Replication
    ) -> None:
        plan = shards.plan_shards(replication, shards=3, run_id="r")
        assert (plan.objects, plan.to_copy, len(plan.shards)) == (len(CONTENT), len(CONTENT), 3)
        done = [
            shards.replicate_shard(replication, run_id="r", shard=uri) for uri in plan.shards[:2]
        ]
        copied = sum(d["objects"] for d in done)
        with pytest.raises(
            ReplicationFailedError, match="the shard that has it did not finish"
        ) as raised:
            shards.close_shards(replication, run_id="r")
        assert raised.value.retryable
        assert (
            outcomes(raised.value.report)
            == [{"copied": copied, "failed": len(CONTENT) - copied}] * 2
        )
        for uri in filled.replicas:
            assert not api.verify_replica(uri).proven
        # What was failed can be made good; nothing is copied twice.
        last = shards.replicate_shard(replication, run_id="r", shard=plan.shards[2])
        assert last["objects"] == len(CONTENT) - copied
        report = shards.close_shards(replication, run_id="r")
        assert outcomes(report) == [{"copied": len(CONTENT)}] * 2
        for uri in filled.replicas:
            assert api.verify_replica(uri).proven
            assert own_keys(uri, "runs/") == []
            assert ledger(uri).commit.open_runs == ()

    def test_a_second_plan_does_not_believe_the_first_ones_shards(
        self, filled: Lab, replication: Replication
    ) -> None:
        first = shards.plan_shards(replication, shards=2, run_id="r")
        shards.replicate_shard(replication, run_id="r", shard=first.shards[0])
        put(filled.s3 + "a.txt", b"changed meanwhile")
        second = shards.plan_shards(replication, shards=2, run_id="r")
        shards.replicate_shard(replication, run_id="r", shard=second.shards[1])
        with pytest.raises(
            ReplicationFailedError, match="the shard that has it did not finish"
        ) as raised:
            shards.close_shards(replication, run_id="r")
        report = raised.value.report
        assert [sum(o.values()) for o in outcomes(report)] == [len(CONTENT)] * 2
        shards.replicate_shard(replication, run_id="r", shard=second.shards[0])
        shards.close_shards(replication, run_id="r")
        for uri in filled.replicas:
            assert tree_of(uri) == {**CONTENT, "a.txt": b"changed meanwhile"}

    def test_nothing_to_do_is_no_shard_and_closes(
        self, filled: Lab, replication: Replication
    ) -> None:
        time.sleep(2.1)  # Attributes of what has just been written are looked at once more.
        api.replicate(filled.s3, filled.replicas)
        plan = shards.plan_shards(replication, shards=5, run_id="r")
        assert plan.shards == ()
        report = shards.close_shards(replication, run_id="r")
        assert outcomes(report) == [{"unchanged": len(CONTENT)}] * 2

    @pytest.mark.parametrize("number", [0, -1, 1025])
    def test_how_many_shards(self, replication: Replication, number: int) -> None:
        with pytest.raises(StorageError, match=rf"^shards: {number} given, expected 1 to 1024"):
            shards.plan_shards(replication, shards=number, run_id="r")

    def test_a_killed_shard_leaves_nothing_torn_and_is_finished_by_the_next_try(
        self, filled: Lab, replication: Replication, tmp_path: Path
    ) -> None:
        (shard,) = shards.plan_shards(replication, shards=1, run_id="r").shards
        task = forked(_shard_slowly, filled.s3, filled.replicas, shard, errors=tmp_path / "errors")
        _wait_for_objects(filled.gcs)
        task.kill()
        for uri in filled.replicas:
            there = tree_of(uri)
            assert there.items() <= CONTENT.items()
        assert len(tree_of(filled.gcs)) < len(CONTENT)
        again = shards.replicate_shard(replication, run_id="r", shard=shard)
        assert (again["objects"], again["failures"]) == (len(CONTENT), 0)
        report = shards.close_shards(replication, run_id="r")
        for found in outcomes(report):
            assert set(found) <= {"copied", "verified"}
            assert sum(found.values()) == len(CONTENT)
        for uri in filled.replicas:
            assert tree_of(uri) == CONTENT
            assert api.verify_replica(uri, depth=api.Depth.READ).proven


def _shard_slowly(source: str, replicas: list[str], shard: str) -> None:
    options = api.ReplicationOptions(bandwidth_limit=40_000, concurrency=2)
    shards.replicate_shard(api.replication(source, replicas, options), run_id="r", shard=shard)


def _wait_for_objects(uri: str) -> None:
    end = time.monotonic() + 60
    while len(tree_of(uri)) < 3:
        assert time.monotonic() < end
        time.sleep(0.1)

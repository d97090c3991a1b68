"""ReplicaFreshSensor, in both of its ways to wait, and the trigger behind it."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred
from airflow.sdk import DAG
from airflow.sdk.module_loading import import_string

from airflow_multicloud import api
from airflow_multicloud.sensors.object_store import ReplicaFreshSensor
from airflow_multicloud.triggers.poll import PollTrigger

from .airflow_runs import Bare, run_dag
from .lab import TREE, Lab, fill, put

if TYPE_CHECKING:
    from airflow.triggers.base import TriggerEvent

HOUR = timedelta(hours=1)
_SEEN: list[tuple[str, float]] = []


def third_time(*, answer: str) -> dict[str, str] | None:
    """Something that takes a while and answers the third time."""
    _SEEN.append((threading.current_thread().name, time.monotonic()))
    time.sleep(0.2)
    return {"answer": answer} if len(_SEEN) >= 3 else None


def broken() -> None:
    raise ValueError("broken for good")


def sensor(lab: Lab, **given: Any) -> ReplicaFreshSensor:
    arguments = {"replica": lab.gcs, "max_lag": HOUR, "poke_interval": 0.2, "timeout": 30, **given}
    return ReplicaFreshSensor(task_id="fresh", **arguments)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_fresh_replica_is_seen_at_once(lab: Lab, deferrable: bool) -> None:
    fill(lab.s3)
    report = api.replicate(lab.s3, [lab.gcs])
    facts = sensor(lab, deferrable=deferrable).execute(Bare())  # type: ignore[arg-type]
    assert facts["objects"] == facts["proven"] == len(TREE)
    assert 0 <= facts["lag_seconds"] < 120
    assert report.newest_source is not None
    assert facts["newest_source"] == report.newest_source.isoformat()


def test_what_is_not_fresh(lab: Lab) -> None:
    bare: Any = Bare()
    assert not sensor(lab).poke(bare).is_done  # no ledger at all
    fill(lab.s3)
    api.replicate(lab.s3, [lab.gcs])
    assert sensor(lab).poke(bare).is_done
    assert not sensor(lab, replica=lab.azure).poke(bare).is_done  # another replica
    assert not sensor(lab, max_lag=timedelta(microseconds=1)).poke(bare).is_done
    put(lab.gcs + "b", b"other")
    fill(lab.s3, {"b": b"new"})
    options = api.ReplicationOptions(immutable=True, min_success_ratio=0)
    api.replicate(lab.s3, [lab.gcs], options)
    assert not sensor(lab).poke(bare).is_done  # the newest run was not complete


def test_a_wrong_connection_fails_for_good(lab: Lab) -> None:
    wrong = sensor(lab, replica=f"gs://aws_local@{lab.bucket}/copy/")
    with pytest.raises(AirflowFailException, match="replica: "):
        wrong.poke(Bare())  # type: ignore[arg-type]


def test_what_it_waits_for_is_said(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airflow_multicloud")
    bare: Any = Bare()
    sensor(lab).poke(bare)
    assert f"not yet: {lab.gcs}: lag unknown, as no replication to it has ended" in caplog.text
    fill(lab.s3)
    api.replicate(lab.s3, [lab.gcs])
    sensor(lab, max_lag=timedelta(microseconds=1)).poke(bare)
    assert re.search(
        rf"not yet: {lab.gcs}: lag 0:00:\d\d, as of 20\d\d-\S+; limit 0:00:00.000001", caplog.text
    )


def test_an_error_that_may_pass_is_another_look(
    lab: Lab, closed_s3: str, caplog: pytest.LogCaptureFixture
) -> None:
    out_of_reach = sensor(lab, replica=f"s3://{closed_s3}@{lab.bucket}/copy/", deferrable=True)
    assert not out_of_reach.poke(Bare()).is_done  # type: ignore[arg-type]
    assert "looking again later: unavailable: " in caplog.text
    caplog.clear()
    with pytest.raises(TaskDeferred) as deferred:
        out_of_reach.execute(Bare())  # type: ignore[arg-type]

    async def wait() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deferred.value.trigger.run()), 2)

    asyncio.run(wait())
    assert caplog.text.count("looking again later: unavailable: ") >= 2


def test_an_error_for_good_ends_the_wait_in_the_triggerer_too(lab: Lab) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(lab, deferrable=True).execute(Bare())  # type: ignore[arg-type]
    trigger = deferred.value.trigger
    trigger.arguments["replica"] = f"gs://aws_local@{lab.bucket}/copy/"
    event = asyncio.run(anext(trigger.run()))
    with pytest.raises(AirflowFailException, match=r"^invalid_argument: replica: "):
        sensor(lab).resume(Bare(), event.payload)  # type: ignore[arg-type]


def test_it_defers_with_a_trigger_that_survives_the_database(lab: Lab) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(lab, deferrable=True).execute(Bare())  # type: ignore[arg-type]
    trigger = deferred.value.trigger
    assert deferred.value.method_name == "resume"
    assert deferred.value.timeout == timedelta(seconds=30)
    path, arguments = trigger.serialize()
    assert import_string(path) is PollTrigger
    assert import_string(path)(**arguments).serialize() == (path, arguments)
    from airflow.sdk.serde import deserialize, serialize

    assert deserialize(serialize(arguments)) == arguments

    async def wait() -> TriggerEvent:
        waiting = asyncio.ensure_future(anext(trigger.run()))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        fill(lab.s3)
        api.replicate(lab.s3, [lab.gcs])
        return await asyncio.wait_for(waiting, 30)

    event = asyncio.run(wait())
    facts = sensor(lab).resume(Bare(), event.payload)  # type: ignore[arg-type]
    assert facts["proven"] == len(TREE)


def test_the_check_runs_off_the_event_loop() -> None:
    _SEEN.clear()
    trigger = PollTrigger(
        check=f"{__name__}:third_time", arguments={"answer": "yes"}, poll_interval=0.1
    )

    async def main() -> tuple[Any, int]:
        ticks = 0
        waiting = asyncio.ensure_future(anext(trigger.run()))
        while not waiting.done():
            await asyncio.sleep(0.02)
            ticks += 1
        return (await waiting).payload, ticks

    payload, ticks = asyncio.run(main())
    assert payload == {"answer": "yes"}
    assert ticks >= 15  # The loop went on during 0.6 s of blocking checks.
    assert len(_SEEN) == 3
    assert threading.main_thread().name not in {name for name, _ in _SEEN}


def test_what_the_check_raises_ends_the_trigger() -> None:
    trigger = PollTrigger(check=f"{__name__}:broken", arguments={}, poll_interval=0.1)
    with pytest.raises(ValueError, match="broken for good"):
        asyncio.run(anext(trigger.run()))  # type: ignore[arg-type]


@pytest.mark.usefixtures("airflow_db")
def test_a_real_run_waits_for_a_replication(lab: Lab) -> None:
    """``dag.test()`` runs the trigger inline; meanwhile the replica appears."""
    fill(lab.s3)
    with DAG("waits", schedule=None) as dag:
        sensor(lab, deferrable=True)
        ReplicaFreshSensor(
            task_id="templated",
            replica="{{ 'gs' }}://gcp_local@{{ params.bucket }}/copy/",
            max_lag=HOUR,
            poke_interval=0.5,
        )
        dag.params["bucket"] = lab.bucket
    late = threading.Timer(2, api.replicate, (lab.s3, [lab.gcs]))
    late.start()
    run = run_dag(dag)
    late.join()
    assert run.state == "success"
    for task_id in ("fresh", "templated"):
        assert run.xcom(task_id)["replica"] == lab.gcs

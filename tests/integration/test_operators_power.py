"""Instances that mapped tasks stop and start, in a run of a DAG."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import DAG

from airflow_multicloud.operators.compute import StartInstanceOperator, StopInstanceOperator
from airflow_multicloud.ports.compute import (
    InstanceRef,
    InstanceState,
    LaunchOrder,
    LaunchRequest,
    Network,
)
from airflow_multicloud.testing.memory_cloud import compute

from .airflow_runs import run_dag

if TYPE_CHECKING:
    from collections.abc import Callable

CONN = "powered"


def launched(hook: compute.Hook, name: str) -> InstanceRef:
    request = LaunchRequest(region="mem-1", network=Network(subnets=("net-1",)), size="tiny")
    spec = hook.resolve_launch(request)
    order = LaunchOrder(spec=spec, name=name, token=str(uuid.uuid4()), startup_script="")
    return InstanceRef(hook.launch_instance(order).resource, "mem-1")


@pytest.mark.usefixtures("airflow_db")
def test_several_instances_are_stopped_and_started(
    memory_account: Callable[[str, str], str],
) -> None:
    memory_account(CONN, "bucket")
    compute.reset(CONN)
    compute.machines_of(CONN).looks = 3
    hook = compute.Hook(CONN)
    refs = [launched(hook, name) for name in ("one", "two")]
    place = {"conn_id": CONN, "region": "{{ params.region }}", "poll_interval": 0.1}
    with DAG("powers", schedule=None, params={"region": "mem-1"}) as dag:
        stop = StopInstanceOperator.partial(task_id="stop", deferrable=True, **place)
        start = StartInstanceOperator.partial(task_id="start", **place)
        ids = [ref.id for ref in refs]
        stop.expand(instance_id=ids) >> start.expand(instance_id=ids)
    run = run_dag(dag)
    assert run.state == "success"
    for number, ref in enumerate(refs):
        assert run.xcom("stop", map_index=number)["state"] == "stopped"
        assert run.xcom("start", map_index=number)["ref"]["id"] == ref.id
        assert hook.describe_instance(ref).state is InstanceState.RUNNING
    compute.reset(CONN)

"""Starting and stopping an instance, in the memory cloud."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_multicloud import known_clouds
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.opening.operations import (
    Begun,
    arguments_for,
    check_operations,
    ended_operations,
    tell_operations,
)
from airflow_multicloud.operators.compute import StartInstanceOperator, StopInstanceOperator
from airflow_multicloud.ports.compute import (
    Compute,
    Instance,
    InstanceRef,
    InstanceState,
    LaunchOrder,
    LaunchRequest,
    Network,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.test_base import Context
from tests.unit.operators.test_operations import WAYS, carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator

CONN = "power_memory"


@dataclass(frozen=True)
class Cloud:
    hook: compute.Hook
    instance: Instance

    @property
    def given(self) -> dict[str, Any]:
        ref = self.instance.ref
        named = {"conn_id": CONN, "instance_id": ref.id, "region": ref.region}
        return {"task_id": "power", "poll_interval": 0.02, **named}

    def state(self) -> InstanceState:
        return self.hook.describe_instance(self.instance.ref).state

    def plant(self, call: MachineCall, kind: ErrorKind) -> None:
        fault = MachineFault(kind=FaultKind.REFUSE, call=call, error=kind, times=1)
        compute.machines_of(CONN).faults.plant([fault])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN.upper()}", "memory://")
    memory_cloud.register()
    compute.reset(CONN)
    compute.machines_of(CONN).looks = 3
    hook = compute.Hook(CONN)
    request = LaunchRequest(region="mem-1", network=Network(subnets=("net-1",)), size="tiny")
    order = LaunchOrder(
        spec=hook.resolve_launch(request),
        name="one",
        token=str(uuid.uuid4()),
        startup_script="",
    )
    operation = hook.launch_instance(order)
    while not operation.state.is_final:
        operation = hook.describe_operation(operation)
    yield Cloud(hook, hook.describe_instance(InstanceRef(operation.resource, "mem-1")))
    compute.reset(CONN)
    known_clouds.unregister_provider(memory_cloud.NAME)


@WAYS
def test_an_instance_is_stopped_and_started(cloud: Cloud, deferrable: bool) -> None:
    context: Any = Context()
    stop = StopInstanceOperator(**cloud.given, deferrable=deferrable)
    stopped = carried_out(stop, context)
    assert cloud.state() is InstanceState.STOPPED
    assert stopped["state"] == "stopped"
    assert stopped["ref"]["id"] == cloud.instance.ref.id
    assert context.pushed["console_links"] == {"one": cloud.instance.console_url}
    # What is so already is not waited for.
    assert StopInstanceOperator(**cloud.given, deferrable=True).execute(context) == stopped
    start = StartInstanceOperator(**cloud.given, deferrable=deferrable)
    assert carried_out(start, context) == to_document(cloud.instance)
    assert cloud.state() is InstanceState.RUNNING


@WAYS
def test_a_cloud_that_can_not_be_asked_for_a_while_is_asked_again(
    cloud: Cloud, deferrable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.plant(MachineCall.DESCRIBE, ErrorKind.UNAVAILABLE)
    stop = StopInstanceOperator(**cloud.given, deferrable=deferrable)
    assert carried_out(stop, Context())["state"] == "stopped"
    assert "looking again later: unavailable: " in caplog.text


@WAYS
def test_an_instance_that_goes_meanwhile_fails_it(cloud: Cloud, deferrable: bool) -> None:
    kept = compute.machines_of(CONN).kept
    machine = kept[cloud.instance.ref.id]
    stop = StopInstanceOperator(**cloud.given, deferrable=deferrable)
    begin = stop.begin

    def gone_then(context: Any) -> Any:
        wait = begin(context)
        machine.state = InstanceState.TERMINATED
        return wait

    stop.begin = gone_then  # type: ignore[method-assign]
    with pytest.raises(DeploymentError, match=f"stop of {machine.ref.id}: it was cancelled"):
        carried_out(stop, Context())


@WAYS
def test_an_instance_that_is_not_there(cloud: Cloud, deferrable: bool) -> None:
    given = {**cloud.given, "instance_id": "memory/none", "deferrable": deferrable}
    with pytest.raises(AirflowFailException, match=r"^not_found: instance memory/none: there is"):
        carried_out(StartInstanceOperator(**given), Context())


def test_templates_and_links_of_the_operators() -> None:
    assert {*StartInstanceOperator.template_fields} == {"conn_id", "instance_id", "region"}
    names = [link.name for link in StopInstanceOperator.operator_extra_links]
    assert names == ["AWS console", "Google Cloud console", "Azure portal"]


def _operation(state: OperationState = OperationState.RUNNING, **given: Any) -> Operation:
    named = {"handle": "h", "action": "stop", "resource": "r", "seen_at": datetime.now(UTC)}
    return Operation(**{**named, "state": state, **given})


def _asked(begun: Operation) -> dict[str, Any]:
    return arguments_for(Compute, [Begun(conn_id=CONN, operation=begun)])


def test_one_that_has_ended_is_not_asked_for_again(cloud: Cloud) -> None:
    ended = _operation(
        OperationState.FAILED, resource="no such one", error_kind=ErrorKind.CAPACITY, error="full"
    )
    stopping = cloud.hook.power_instance(cloud.instance.ref, on=False)
    begun = [Begun(conn_id=CONN, operation=one) for one in (ended, stopping)]
    arguments, found = arguments_for(Compute, begun), None
    while not isinstance(found, dict):
        found = check_operations(**arguments)
        arguments = found.arguments or {} if isinstance(found, NotYet) else {}
    first, second = ended_operations(found)
    assert first == ended
    assert second.state is OperationState.SUCCEEDED


def test_a_look_back_at_a_wait_has_what_has_ended(cloud: Cloud) -> None:
    """Started again later, the second would never be seen stopped: it must not be asked for."""
    stopping = cloud.hook.power_instance(cloud.instance.ref, on=False)
    never = _operation(resource=cloud.instance.ref.id, action="terminate")
    arguments = arguments_for(
        Compute, [Begun(conn_id=CONN, operation=one) for one in (stopping, never)]
    )
    while cloud.state() is not InstanceState.STOPPED:
        pass
    seen = check_operations(**arguments)
    assert isinstance(seen, NotYet)
    cloud.hook.power_instance(cloud.instance.ref, on=True)
    again = check_operations(**(seen.arguments or {}))
    assert isinstance(again, NotYet)
    states = [one["operation"]["state"] for one in (again.arguments or {})["operations"]]
    assert states == ["succeeded", "running"]


class _Slow:
    """A service that says how far it is, and when it is to be asked again."""

    def __init__(self, **given: Any) -> None:
        self.given = given

    def describe_operation(self, operation: Operation) -> Operation:
        return _operation(**self.given)


def test_a_cloud_says_when_it_is_to_be_asked_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airflow_multicloud")
    slow = _Slow(poll_after=timedelta(seconds=15), progress=0.4)
    monkeypatch.setattr("airflow_multicloud.opening.operations.resolve", lambda port, conn_id: slow)
    seen = check_operations(**_asked(_operation()))
    assert isinstance(seen, NotYet)
    assert seen.wait == timedelta(seconds=15)
    assert "not yet: stop of r, 40% done" in caplog.text


def test_what_goes_on_is_told(caplog: pytest.LogCaptureFixture) -> None:
    tell_operations(**_asked(_operation(OperationState.PENDING, resource="r\nfake")))
    tell_operations(**_asked(_operation(OperationState.SUCCEEDED, resource="done")))
    assert "not called off, it goes on in the cloud: stop of r\\nfake (pending)" in caplog.text
    assert "done" not in caplog.text


def test_a_wait_that_somebody_changed_is_an_error() -> None:
    arguments = _asked(_operation())
    del arguments["operations"][0]["operation"]["state"]
    with pytest.raises(CloudError, match="an operation that is waited for can't be read"):
        check_operations(**arguments)

"""A sensor that asks the clouds, and the instances, how a deployment is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.sensors.compute import DeploymentHealthSensor
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of
from airflow_multicloud.triggers.poll import FAILED, PollTrigger
from tests.unit.rollout.lab import APP, Lab
from tests.unit.rollout.test_standing import refuse_lists

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT: Any = {}


@pytest.fixture
def lab(memory_account: Callable[[str, str], str], caplog: pytest.LogCaptureFixture) -> Lab:
    caplog.set_level("INFO", "airflow_multicloud")
    made = Lab()
    for conn_id in made.targets.values():
        memory_account(conn_id, "any")
    assert made.run(made.plan("v1")).succeeded
    return made


def sensor(lab: Lab, **changes: Any) -> DeploymentHealthSensor:
    targets = [{"name": name, "conn_id": conn_id} for name, conn_id in lab.targets.items()]
    usual: dict[str, Any] = {
        "task_id": "well",
        "deployment_id": APP,
        "targets": targets,
        "revision": "v1",
        "poke_interval": 0.05,
        "timeout": 0.2,
    }
    return DeploymentHealthSensor(**{**usual, **changes})


def look(made: DeploymentHealthSensor) -> dict[str, Any] | None:
    check, arguments = made.question()
    found = check(**json.loads(json.dumps(arguments)))
    json.dumps(found)
    return found


def test_a_deployment_that_is_as_it_was_left_is_well(lab: Lab) -> None:
    found = sensor(lab).execute(CONTEXT)
    assert found["drift"] == []
    assert [*found["targets"]] == ["one", "two", "three"]
    (one,) = found["targets"]["one"]
    assert (one["slot"], one["revision"], one["state"]) == (0, "v1", "running")
    assert one["id"] == lab.there("one")[0].ref.id


@pytest.mark.parametrize("nothing", [None, "", "None"])
def test_a_revision_that_is_missing_is_not_any(lab: Lab, nothing: str | None) -> None:
    made = sensor(lab)
    made.revision = nothing
    with pytest.raises(DeploymentError, match="revision: given, and nothing in this run"):
        made.question()


def test_it_waits_and_says_what_is_wrong(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    ref = lab.there("two")[0].ref
    Hook(lab.targets["two"]).power_instance(ref, on=False)
    with pytest.raises(AirflowSensorTimeout):
        sensor(lab).execute(CONTEXT)
    assert f"not yet: deployment app: target two, slot 0: {ref.id} is stopping" in caplog.text
    operation = Hook(lab.targets["two"]).power_instance(ref, on=True)
    Hook(lab.targets["two"]).describe_operation(operation)
    assert look(sensor(lab)) is not None


def test_an_instance_that_is_gone_is_not_well_whatever_is_done_about_drift(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    hook = Hook(lab.targets["one"])
    hook.describe_operation(hook.terminate_instance(lab.there("one")[0].ref))
    assert look(sensor(lab, drift="warn")) is None
    lines = [line for line in caplog.text.splitlines() if "target one" in line]
    assert len(lines) == 1
    assert "not yet" in lines[0]
    assert "slot 0: no live instance that was taken for good" in lines[0]


def test_drift_is_waited_for_or_told(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    fewer = [{"name": name, "conn_id": lab.targets[name]} for name in ("one", "two")]
    for_all = [*fewer[:1], {"name": "two", "conn_id": lab.targets["three"]}]
    assert look(sensor(lab, targets=fewer)) is not None
    assert look(sensor(lab, targets=for_all)) is None
    assert "not yet: deployment app: unexpected: target three, slot 0" in caplog.text
    stray = Hook(lab.targets["one"])
    stray.label_instance(lab.there("one")[0].ref, {"multicloud-revision": "v0"})
    assert look(sensor(lab)) is None
    assert "not yet: deployment app: other_revision: target one, slot 0" in caplog.text
    found = look(sensor(lab, drift="warn"))
    assert found is not None
    assert [one["kind"] for one in found["drift"]] == ["other_revision"]
    assert "drift: deployment app: other_revision: target one, slot 0" in caplog.text
    assert look(sensor(lab, revision=None)) is not None


def test_the_health_check_is_asked(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    asked = [
        {"name": name, "conn_id": conn_id, "health": {"port": 80, "public": True}}
        for name, conn_id in lab.targets.items()
    ]
    assert look(sensor(lab, targets=asked)) is None
    assert "target one, slot 0" in caplog.text
    assert "it has no public address" in caplog.text


def test_an_outage_is_waited_for_and_a_refusal_fails_at_once(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_lists(lab.targets["two"])
    assert look(sensor(lab)) is None
    assert f"{lab.targets['two']}: unavailable: list: unavailable, as planted" in caplog.text
    refuse_lists(lab.targets["three"], ErrorKind.PERMISSION_DENIED)
    with pytest.raises(AirflowFailException, match=r"^permission_denied: connection cloud-three"):
        sensor(lab).execute(CONTEXT)
    missing = [{"name": "one", "conn_id": "nowhere"}]
    with pytest.raises(AirflowFailException, match=r"^not_found: connection nowhere: "):
        sensor(lab, targets=missing).execute(CONTEXT)


def test_the_triggerer_asks_the_same(lab: Lab) -> None:
    ref = lab.there("two")[0].ref
    hook = Hook(lab.targets["two"])
    stopping = hook.power_instance(ref, on=False)
    hook.describe_operation(stopping)
    waiting = sensor(lab, deferrable=True, timeout=60)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(CONTEXT)
    trigger = deferred.value.trigger
    assert isinstance(trigger, PollTrigger)
    assert trigger.check == "airflow_multicloud.opening.deployments:check_deployment"
    again = PollTrigger(**json.loads(json.dumps(trigger.serialize()[1])))
    hook.describe_operation(hook.power_instance(ref, on=True))

    async def fired() -> dict[str, Any]:
        async for event in again.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError

    found = waiting.resume(CONTEXT, asyncio.run(fired()))
    assert FAILED not in found
    assert found["targets"]["two"][0]["id"] == ref.id


def test_hostile_labels_stay_in_their_line_of_the_log(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    kept = machines_of(lab.targets["one"]).kept
    (machine,) = kept.values()
    for label in ("multicloud-revision", "multicloud-target", "multicloud-standing"):
        before = machine.labels[label]
        machine.labels[label] = "evil\x1b[2J\nFORGED " + "x" * 10_000
        assert look(sensor(lab)) is None
        machine.labels[label] = before
    messages = [record.getMessage() for record in caplog.records]
    assert any("relabelled" in message for message in messages)
    assert all(message.isprintable() and len(message) < 2_000 for message in messages)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drift": "ignore"}, "drift: 'ignore' given, expected fail or warn"),
        ({"deployment_id": "No"}, "deployment_id: 'No' given"),
        ({"targets": []}, "targets: nothing given"),
    ],
)
def test_what_can_t_be_asked_is_refused(lab: Lab, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeploymentError, match=f"^{message}"):
        sensor(lab, **changes).question()

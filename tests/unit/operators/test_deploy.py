"""Deploying and rolling back, in the memory cloud, in a worker and in the triggerer."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred

from airflow_multicloud.core.cost.prices import Meter, PriceTable
from airflow_multicloud.core.cost.prices.file import bundled_prices, format_prices
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.opening.rollouts import advance_rollout
from airflow_multicloud.operators.compute import DeployOperator, RollbackOperator
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.rollouts import (
    CONNS,
    POLICY,
    TARGETS,
    a_run,
    deploying,
    plant,
    running,
)
from tests.unit.operators.test_operations import WAYS, carried_out
from tests.unit.rollout.givens import target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RELEASE = Asset("release")
FULL = MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=ErrorKind.CAPACITY)


def scripts_of(conn_id: str) -> list[str]:
    """The startup scripts that an account's machines were given."""
    return [machine.order.startup_script for machine in compute.machines_of(conn_id).kept.values()]


@WAYS
def test_it_deploys_and_says_where(artifact: Path, deferrable: bool) -> None:
    context: Any = a_run()
    operator = deploying(artifact, deferrable=deferrable, revision="1", outlets=[RELEASE])
    facts = carried_out(operator, context)
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    assert (facts["revision"], facts["succeeded"], facts["success_rate"]) == ("1", True, 1.0)
    assert facts["counts"]["succeeded"] == 2
    assert [len(one["instances"]) for one in facts["targets"]] == [2, 1]
    assert context.pushed["deployment_report"] == facts
    assert context.events[RELEASE].extra == {"multicloud": facts}
    assert len(context.pushed["console_links"]) == 3
    assert json.loads(json.dumps(facts)) == facts


@WAYS
def test_no_signed_url_is_anywhere_but_in_the_startup_script(
    artifact: Path,
    deferrable: bool,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    context: Any = a_run()
    operator = deploying(artifact, deferrable=deferrable)
    deferred: list[str] = []
    defer = operator.defer

    def noted(**given: Any) -> Any:
        deferred.append(json.dumps(given["trigger"].serialize(), default=str))
        defer(**given)

    operator.defer = noted  # type: ignore[method-assign]
    facts = carried_out(operator, context)
    (first, *_) = scripts_of("memory_one")
    urls = [line for line in first.splitlines() if "signature" in line.lower()]
    assert urls, first
    secret = urls[0].lower().split("signature", 1)[1].strip("='\" ")[:24]
    assert len(secret) >= 16
    assert bool(deferred) is deferrable
    logged = capsys.readouterr().out + caplog.text
    assert "one/1: settled" in logged
    assert secret not in logged.lower()
    handed_on = json.dumps([facts, context.pushed], default=str) + "".join(deferred)
    assert secret not in handed_on.lower()
    rendered = [getattr(operator, name) for name in operator.template_fields]
    assert secret not in str(rendered).lower()


@WAYS
def test_a_rollout_that_fails_puts_back_and_leaves_a_report(
    artifact: Path, deferrable: bool
) -> None:
    carried_out(deploying(artifact, revision="1"), a_run())
    plant("two", FULL)
    context: Any = a_run(hours=1)
    operator = deploying(
        artifact,
        revision="2",
        command="./second",
        deferrable=deferrable,
        outlets=[RELEASE],
        policy={**POLICY, "rollback": "all", "canary": 0},
    )
    with pytest.raises(DeploymentError, match=r"0 of 2 targets run it") as caught:
        carried_out(operator, context)
    assert caught.value.kind is ErrorKind.CAPACITY
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    report = context.pushed["deployment_report"]
    assert report["succeeded"] is False
    outcomes = {one["name"]: one["outcome"] for one in report["targets"]}
    assert outcomes == {"one": "rolled_back", "two": "failed"}
    assert report["targets"][1]["error_kind"] == "capacity"
    assert RELEASE not in context.events


def test_a_dry_run_returns_the_plan_and_makes_nothing(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context: Any = a_run()
    plan = deploying(artifact, dry_run=True, outlets=[RELEASE]).execute(context)
    assert running() == {"one": [], "two": []}
    assert context.pushed == {"console_links": {}}
    assert RELEASE not in context.events
    assert f"plan hash {plan['hash']}" in capsys.readouterr().out
    assert json.loads(json.dumps(plan)) == plan
    for conn_id in CONNS.values():
        assert compute.machines_of(conn_id).kept == {}


@WAYS
@pytest.mark.parametrize("form", ["document", "hash", "json", "text"])
def test_what_was_approved_runs(artifact: Path, deferrable: bool, form: str) -> None:
    plan = deploying(artifact, dry_run=True, revision="1").execute(a_run())
    forms = {"document": plan, "hash": plan["hash"], "json": json.dumps(plan), "text": str(plan)}
    approved = forms[form]
    later = a_run(hours=3)  # an approval takes its time
    given = {"revision": "1", "approved_plan": approved, "deferrable": deferrable}
    facts = carried_out(deploying(artifact, **given), later)
    assert facts["plan_hash"] == plan["hash"]


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"targets": [{**TARGETS[0], "size": "large"}, TARGETS[1]]}, "one: size: small approved"),
        ({"targets": TARGETS[:1]}, "two: approved, and not in the plan now"),
        ({"command": "./other"}, "command: ./run approved, ./other now"),
        ({"policy": {**POLICY, "rollback": "none"}}, "rollback: failed_only approved, none now"),
    ],
)
def test_what_was_not_approved_is_refused(
    artifact: Path, changed: dict[str, Any], drift: str
) -> None:
    plan = deploying(artifact, dry_run=True, revision="1").execute(a_run())
    operator = deploying(artifact, **{"revision": "1", "approved_plan": plan, **changed})
    with pytest.raises(AirflowFailException, match="precondition_failed: ") as caught:
        operator.execute(a_run())
    assert drift in str(caught.value)
    assert running() == {"one": [], "two": []}


def test_an_artifact_that_changed_after_the_approval_is_refused(artifact: Path) -> None:
    plan = deploying(artifact, dry_run=True, revision="1").execute(a_run())
    artifact.write_bytes(b"another one")
    with pytest.raises(AirflowFailException, match=r"artifact: .* approved, .* now"):
        deploying(artifact, revision="1", approved_plan=plan).execute(a_run())


def test_a_plan_that_somebody_edited_is_refused(artifact: Path) -> None:
    plan = deploying(artifact, dry_run=True, revision="1").execute(a_run())
    plan["command"] = "./evil"
    operator = deploying(artifact, command="./evil", revision="1", approved_plan=plan)
    with pytest.raises(DeploymentError, match="plan: its hash is") as caught:
        operator.execute(a_run())
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert running() == {"one": [], "two": []}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"deployment_id": "Shop!"}, "deployment_id"),
        ({"targets": []}, "targets"),
        ({"targets": [{**TARGETS[0], "region": "mars-1"}]}, "region: 'mars-1'"),
        ({"targets": [{**TARGETS[0], "network": {"subnets": ["none"]}}]}, "subnets: 'none'"),
        ({"targets": [TARGETS[0], TARGETS[0]]}, "two targets named one"),
        ({"targets": [{**TARGETS[0], "zone": "mem-1a"}]}, "target one: 'zone' given"),
        ({"targets": [target("one", conn_id="nowhere")]}, "target one: conn_id: "),
        ({"targets": "{{ params.targets }}"}, "targets"),
        ({"policy": {"canary": -1}}, "canary: -1"),
        ({"policy": {"waves": 2}}, "policy: 'waves' given"),
        ({"health": {"port": 0}}, "health: port"),
        ({"max_instances": 2}, "max_instances"),
        ({"file": "/nowhere/app.tar.gz"}, "/nowhere/app.tar.gz"),
        ({"artifact_sha256": "ab" * 32}, f"expected {'ab' * 32}"),
        ({"approved_plan": "ab" * 32}, "approved_plan: "),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    artifact: Path, changed: dict[str, Any], said: str
) -> None:
    given = dict(changed)
    operator = deploying(given.pop("file", artifact), **given)
    with pytest.raises((AirflowFailException, DeploymentError)) as caught:
        operator.execute(a_run())
    assert said in str(caught.value)
    assert running() == {"one": [], "two": []}


@pytest.mark.parametrize("nothing", [None, "", " ", "None", {}])
@pytest.mark.parametrize("parameter", ["approved_plan", "artifact_sha256"])
def test_what_guards_a_rollout_does_not_fall_away(
    artifact: Path, parameter: str, nothing: object
) -> None:
    rendered = deploying(artifact, **{parameter: "{{ ti.xcom_pull(task_ids='plan') }}"})
    setattr(rendered, parameter, nothing)
    mapped = deploying(artifact, **{parameter: nothing})
    for operator in (rendered, mapped):
        with pytest.raises(AirflowFailException, match=f"{parameter}: given, and nothing in"):
            operator.execute(a_run())
    assert running() == {"one": [], "two": []}


@pytest.mark.parametrize(("parameter", "nothing"), [("policy", None), ("revision", "None")])
def test_nothing_for_a_policy_is_not_the_usual_one(
    artifact: Path, parameter: str, nothing: object
) -> None:
    operator = deploying(artifact)
    setattr(operator, parameter, nothing)
    with pytest.raises(AirflowFailException, match=f"{parameter}: given, and nothing in"):
        operator.execute(a_run())
    assert running() == {"one": [], "two": []}


@WAYS
def test_a_retry_adopts_what_a_try_has_made(artifact: Path, deferrable: bool) -> None:
    first = carried_out(deploying(artifact, deferrable=deferrable), a_run())
    again = carried_out(deploying(artifact, deferrable=deferrable), a_run())
    assert [one["outcome"] for one in again["targets"]] == ["adopted", "adopted"]
    ids = [[i["id"] for i in one["instances"]] for one in first["targets"]]
    assert [[i["id"] for i in one["instances"]] for one in again["targets"]] == ids


@WAYS
def test_a_run_that_was_cleared_yields_to_a_later_one(artifact: Path, deferrable: bool) -> None:
    old: dict[str, Any] = {"revision": "1", "command": "./first", "deferrable": deferrable}
    carried_out(deploying(artifact, **old), a_run())
    carried_out(deploying(artifact, revision="2"), a_run(hours=1))
    context: Any = a_run()
    with pytest.raises(AirflowFailException, match=r"one: skipped \(revision 2 .* is later\)"):
        carried_out(deploying(artifact, **old), context)
    assert running() == {"one": ["2", "2"], "two": ["2"]}
    assert [one["outcome"] for one in context.pushed["deployment_report"]["targets"]] == [
        "skipped",
        "skipped",
    ]


@WAYS
def test_an_earlier_revision_comes_back(artifact: Path, deferrable: bool) -> None:
    carried_out(deploying(artifact, revision="1", command="./first"), a_run())
    artifact.write_bytes(b"the second")
    carried_out(deploying(artifact, revision="2"), a_run(hours=1))
    back = RollbackOperator(
        task_id="back",
        deployment_id="shop",
        to="1",
        targets=TARGETS,
        policy=POLICY,
        poll_interval=0.01,
        deferrable=deferrable,
    )
    context: Any = a_run(hours=2)
    facts = carried_out(back, context)
    assert facts["revision"] == "1"
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    assert context.pushed["deployment_report"] == facts
    back.to = "3"
    with pytest.raises(AirflowFailException, match=r"^not_found: .*3"):
        carried_out(back, context)


def test_a_task_that_is_killed_leaves_what_a_retry_adopts(artifact: Path) -> None:
    compute.machines_of("memory_one").looks = 10**6
    slow = {**POLICY, "poll_interval_seconds": 0.02, "boot_timeout_seconds": 300, "canary": 0}
    operator = deploying(artifact, policy=slow)

    def kill() -> None:
        while len(compute.machines_of("memory_one").kept) < 2:
            time.sleep(0.01)
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AirflowException, match="the task was stopped"):
        operator.execute(a_run())
    killer.join()
    left = set(compute.machines_of("memory_one").kept)
    assert len(left) == 2
    for machine in compute.machines_of("memory_one").kept.values():
        machine.looks = 1
    compute.machines_of("memory_one").looks = 1
    facts = deploying(artifact, policy=slow).execute(a_run())
    assert {i["id"] for i in facts["targets"][0]["instances"]} == left
    assert set(compute.machines_of("memory_one").kept) == left


def looked_on(arguments: Any, until: Callable[[], bool]) -> Any:
    """What the looks of a triggerer come to."""
    found: Any = None
    while not (isinstance(found, dict) or until()):
        time.sleep(0.002)
        found = advance_rollout(**json.loads(json.dumps(arguments)))
        arguments = getattr(found, "arguments", None)
    return found


def test_a_triggerer_that_restarts_goes_on_from_what_lies_there(artifact: Path) -> None:
    """It begins again with the arguments that the task has deferred with."""
    operator = deploying(artifact, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(a_run())
    begun = deferred.value.trigger.serialize()[1]["arguments"]
    looked_on(begun, until=lambda: len(running()["one"]) == 2)
    kept = dict(compute.machines_of("memory_one").kept)
    found = looked_on(begun, until=lambda: False)
    assert compute.machines_of("memory_one").kept.keys() == kept.keys()
    assert {slot["phase"] for slot in found["progress"]["slots"]} == {"settled"}


def test_targets_as_the_text_of_a_template(artifact: Path) -> None:
    facts = deploying(artifact, targets=json.dumps(TARGETS)).execute(a_run())
    assert facts["succeeded"] is True


def test_templates_within_targets(artifact: Path) -> None:
    network = {"subnets": ["{{ subnet }}"]}
    operator = deploying(
        artifact, targets=[{**TARGETS[0], "zones": ["{{ z }}"], "network": network}]
    )
    rendered: Any = {"subnet": "net-1", "z": "mem-1b"}
    operator.render_template_fields(rendered)
    facts = operator.execute(a_run())
    assert {i["zone"] for i in facts["targets"][0]["instances"]} == {"mem-1b"}


def test_a_limit_of_the_cost_is_checked_before_anything_is_made(
    artifact: Path, tmp_path: Path
) -> None:
    known = next(one for one in bundled_prices().prices if one.meter is Meter.COMPUTE)
    listed = replace(
        known, cloud="memory", sku="small", region_id="mem-1", list_unit_price=Decimal("0.1")
    )
    prices = tmp_path / "prices.csv"
    prices.write_bytes(format_prices(PriceTable((listed,))))
    given = {"prices": str(prices), "revision": "1"}
    with pytest.raises(AirflowFailException, match=r"max_monthly_cost: 200 USD given, .* 219\.00"):
        deploying(artifact, max_monthly_cost="200 USD", **given).execute(a_run())
    # Without the list nothing is known.
    with pytest.raises(AirflowFailException, match="no list price of small in mem-1"):
        deploying(artifact, max_monthly_cost="219 USD", revision="1").execute(a_run())
    with pytest.raises(AirflowFailException, match="max_monthly_cost: '' given"):
        deploying(artifact, max_monthly_cost="", **given).execute(a_run())
    assert running() == {"one": [], "two": []}
    assert deploying(artifact, max_monthly_cost="219 USD", **given).execute(a_run())["succeeded"]


def test_what_may_be_a_template() -> None:
    assert {"targets", "artifact", "approved_plan", "policy", "health"} <= {
        *DeployOperator.template_fields
    }
    assert {"to", "targets", "approved_plan"} <= {*RollbackOperator.template_fields}
    names = [link.name for link in RollbackOperator.operator_extra_links]
    assert names == ["AWS console", "Google Cloud console", "Azure portal", "Multi-cloud report"]

"""Taking a deployment down, in the memory cloud, in a worker and in the triggerer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.operators.compute import TeardownOperator
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from tests.unit.operators.rollouts import CONNS, a_run, deploying, plant, running
from tests.unit.operators.test_operations import WAYS, carried_out

if TYPE_CHECKING:
    from pathlib import Path


def removing(**given: Any) -> TeardownOperator:
    usual: dict[str, Any] = {
        "task_id": "remove",
        "deployment_id": "shop",
        "conn_ids": list(CONNS.values()),
        "poll_interval": 0.01,
        "confirm_after": timedelta(),
        "deferrable": False,
    }
    return TeardownOperator(**{**usual, **given})


@WAYS
def test_it_removes_everything_and_proves_it(artifact: Path, deferrable: bool) -> None:
    carried_out(deploying(artifact), a_run())
    carried_out(deploying(artifact, deployment_id="other"), a_run())
    context: Any = a_run()
    facts = carried_out(removing(deferrable=deferrable), context)
    assert running() == {"one": [], "two": []}
    assert [len(place["removed"]) for place in facts["places"]] == [2, 1]
    assert [place["state"] for place in facts["places"]] == ["clean", "clean"]
    assert all(place["listed_at"] for place in facts["places"])
    assert context.pushed == {"teardown_report": facts}
    # Nothing of another deployment is touched.
    (other,) = carried_out(removing(deployment_id="other", conn_ids="memory_two"), a_run())[
        "places"
    ]
    assert len(other["removed"]) == 1
    assert carried_out(removing(deferrable=deferrable), a_run())["places"][0]["removed"] == []


@WAYS
def test_what_can_not_be_removed_fails_it_with_a_report(artifact: Path, deferrable: bool) -> None:
    carried_out(deploying(artifact), a_run())
    denied = ErrorKind.PERMISSION_DENIED
    plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.TERMINATE, error=denied))
    context: Any = a_run()
    operator = removing(deferrable=deferrable, removal_timeout=timedelta(seconds=5))
    with pytest.raises((AirflowFailException, DeploymentError), match="memory_two"):
        carried_out(operator, context)
    one, two = context.pushed["teardown_report"]["places"]
    assert (one["state"], two["state"]) == ("clean", "failed")
    assert len(two["left"]) == 1
    assert running()["one"] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"deployment_id": "no such!"}, "deployment_id"),
        ({"conn_ids": []}, "conn_ids"),
        ({"conn_ids": ["nowhere"]}, "nowhere"),
        ({"regions": {"other": ["mem-1"]}}, "regions"),
        ({"conn_ids": "{{ params.conn_ids }}"}, "conn_ids"),
    ],
)
def test_what_is_wrong_is_named(artifact: Path, changed: dict[str, Any], said: str) -> None:
    carried_out(deploying(artifact), a_run())
    with pytest.raises(AirflowFailException, match=said):
        removing(**changed).execute(a_run())
    assert len(running()["one"]) == 2


@pytest.mark.parametrize("nothing", [None, "None", {}])
def test_regions_that_are_missing_are_not_all_regions(artifact: Path, nothing: object) -> None:
    carried_out(deploying(artifact), a_run())
    operator = removing(regions={"memory_one": ["mem-1"]})
    operator.regions = nothing  # type: ignore[assignment] # as a template may
    with pytest.raises(AirflowFailException, match="regions: given, and nothing in this run"):
        operator.execute(a_run())
    assert len(running()["one"]) == 2


def test_what_may_be_a_template() -> None:
    assert {*TeardownOperator.template_fields} == {"deployment_id", "conn_ids", "regions"}

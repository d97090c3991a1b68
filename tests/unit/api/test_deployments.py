"""Deployments in plain Python: listed, compared, taken down."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.api import (
    CloudError,
    DeploymentError,
    ErrorKind,
    deployment_drift,
    list_deployments,
    tear_down_deployment,
)
from airflow_multicloud.core.rollout.drift import DriftKind, expected_of
from airflow_multicloud.core.rollout.teardown import Teardown, TeardownPlace
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of
from tests.unit.rollout.lab import APP, Lab
from tests.unit.rollout.test_standing import refuse_lists

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = timedelta(milliseconds=10)
QUICKLY = {"poll_interval": QUICK, "confirm_after": timedelta()}


@pytest.fixture
def lab(memory_account: Callable[[str, str], str]) -> Lab:
    made = Lab()
    for conn_id in made.targets.values():
        memory_account(conn_id, "any")
    assert made.run(made.plan("v1")).succeeded
    return made


def down(lab: Lab, **settings: Any) -> Any:
    return tear_down_deployment(APP, [*lab.targets.values()], **QUICKLY, **settings)


def test_it_is_listed_compared_and_taken_down(lab: Lab) -> None:
    conns = [*lab.targets.values()]
    plan = lab.plan("v1")
    (shop,) = list_deployments(conns).deployments
    assert (shop.deployment_id, len(shop.targets)) == (APP, 3)
    assert deployment_drift(expected_of(plan), conns).as_expected
    result = down(lab)
    assert (result.succeeded, result.removed) == (True, 3)
    assert lab.there() == []
    assert list_deployments(conns).deployments == ()
    gone = deployment_drift(expected_of(plan), conns)
    assert [one.kind for one in gone.findings] == [DriftKind.MISSING] * 3


def test_a_connection_that_can_t_be_used_costs_a_listing_only_itself(lab: Lab) -> None:
    conns = ["nowhere", *lab.targets.values()]
    report = list_deployments(conns, deployment_id=APP)
    assert len(report.deployment(APP).targets) == 3
    (lost,) = report.unreachable
    assert (lost.conn_id, lost.cloud, lost.error_kind) == ("nowhere", None, ErrorKind.NOT_FOUND)


def test_and_keeps_a_teardown_from_beginning(lab: Lab) -> None:
    conns = [*lab.targets.values(), "nowhere"]
    with pytest.raises(CloudError, match="'nowhere' does not exist") as caught:
        tear_down_deployment(APP, conns, **QUICKLY)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert len(lab.there()) == 3


def test_what_can_t_be_removed_is_in_the_result(lab: Lab) -> None:
    fault = MachineFault(
        kind=FaultKind.REFUSE, call=MachineCall.TERMINATE, error=ErrorKind.PERMISSION_DENIED
    )
    lab.plant("two", fault)
    result = down(lab)
    assert not result.succeeded
    assert len(lab.there()) == 1
    with pytest.raises(DeploymentError, match="still there: memory/") as caught:
        result.raise_if_failed()
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED
    assert down(lab).succeeded
    assert lab.there() == []


def test_one_that_can_t_go_keeps_no_other() -> None:
    both = Lab({"one": "cloud-one"}, count=3)
    (conn,) = both.targets.values()
    assert both.run(both.plan("v1")).succeeded
    (stays,) = (one for one in both.there() if one.labels["multicloud-slot"] == "1")
    fault = MachineFault(
        kind=FaultKind.REFUSE,
        call=MachineCall.TERMINATE,
        error=ErrorKind.PERMISSION_DENIED,
        name=stays.name,
        times=2,
    )
    machines_of(conn).faults.plant([fault])
    place = TeardownPlace(conn_id=conn, cloud="memory", compute=Hook(conn))
    (left,) = Teardown(APP, [place], **QUICKLY).run().places
    assert left.error_kind is ErrorKind.PERMISSION_DENIED
    assert left.left == (stays.ref.id,)
    assert len(left.removed) == 2
    assert [one.ref for one in both.there()] == [stays.ref]


def test_only_the_regions_that_are_named(lab: Lab) -> None:
    one = lab.targets["one"]
    elsewhere = {one: ["mem-2"]}
    assert len(list_deployments([one], regions=elsewhere).deployments) == 0
    assert tear_down_deployment(APP, [one], regions=elsewhere, **QUICKLY).removed == 0
    assert len(list_deployments([one], regions={one: ["mem-1", "mem-2"]}).deployments) == 1


def test_an_outage_makes_drift_unknown(lab: Lab) -> None:
    refuse_lists(lab.targets["two"])
    found = deployment_drift(expected_of(lab.plan("v1")), [*lab.targets.values()])
    assert [one.kind for one in found.findings] == [DriftKind.UNKNOWN]
    assert not found.complete


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conn_ids": []}, "conn_ids: nothing given, expected at least one connection"),
        ({"deployment_id": ""}, "deployment_id: '' given"),
        ({"deployment_id": "Shop"}, "deployment_id: 'Shop' given"),
        ({"regions": {"other": ["r"]}}, "regions: 'other' given, expected connections of c"),
        ({"timeout": timedelta()}, "timeout: "),
        ({"poll_interval": timedelta(-1)}, "poll_interval: "),
    ],
)
def test_what_is_no_teardown_is_refused(
    memory_account: Callable[[str, str], str], given: dict[str, Any], message: str
) -> None:
    memory_account("c", "any")
    usual = {"deployment_id": APP, "conn_ids": ["c"]}
    with pytest.raises(DeploymentError, match=f"^{message}") as caught:
        tear_down_deployment(**{**usual, **given})
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

"""What stands where, told by a listing of labels."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.rollout import names
from airflow_multicloud.core.rollout.names import Standing
from airflow_multicloud.core.rollout.survey import list_deployments
from airflow_multicloud.core.rollout.teardown import TeardownPlace
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceState
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of

from .lab import APP, Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_multicloud.core.rollout.standing import DeploymentsReport, StandingInstance


def places(lab: Lab, *regions: str) -> list[TeardownPlace]:
    return [
        TeardownPlace(conn_id=conn, cloud="memory", compute=Hook(conn), regions=regions)
        for conn in lab.targets.values()
    ]


def deployed(revision: str = "v1", **settings: Any) -> Lab:
    lab = Lab(**settings)
    assert lab.run(lab.plan(revision)).succeeded
    return lab


def told(report: DeploymentsReport) -> dict[tuple[str, int], list[StandingInstance]]:
    return {
        (target.name, slot.number): list(slot.instances)
        for deployment in report.deployments
        for target in deployment.targets
        for slot in target.slots
    }


def refuse_lists(conn_id: str, kind: ErrorKind = ErrorKind.UNAVAILABLE) -> None:
    fault = MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LIST, error=kind, times=9)
    machines_of(conn_id).faults.plant([fault])


class Listed:
    """A cloud that lists what it is given."""

    def __init__(self, instances: Sequence[Instance], begun: threading.Barrier | None = None):
        self.instances = instances
        self.begun = begun

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        if self.begun is not None:
            self.begun.wait(10)
        for instance in self.instances:
            (key, value), *_ = labels.items()
            here = region is None or region == instance.ref.region
            if here and key in instance.labels and value in (None, instance.labels[key]):
                yield instance


def listing(*instances: Instance, conn_id: str = "listed", **settings: Any) -> TeardownPlace:
    compute: Any = Listed(instances)
    return TeardownPlace(conn_id=conn_id, cloud="memory", compute=compute, **settings)


def one_of(lab: Lab) -> Instance:
    return lab.there("one")[0]


def relabelled(instance: Instance, **labels: str | None) -> Instance:
    changed = {**instance.labels, **{getattr(names, key): v for key, v in labels.items()}}
    return replace(instance, labels={k: v for k, v in changed.items() if v is not None})


def test_every_instance_is_told_by_deployment_target_and_slot() -> None:
    lab = deployed(count=2)
    report = list_deployments(places(lab))
    assert report.complete
    assert report.unreadable == ()
    found = told(report)
    assert [*found] == [(t, n) for t in ("one", "three", "two") for n in (0, 1)]
    (one,) = found["one", 0]
    assert (one.revision, one.standing, one.state) == ("v1", Standing.CURRENT, "running")
    assert one.conn_id == one.account_id.removeprefix("memory-") == lab.targets["one"]
    assert (one.zone, one.size, one.generation) == ("mem-1a", "small", 1)
    assert one.ordered_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert one.console_url is not None
    assert one.is_current
    document = to_document(report)
    assert document["complete"] is True
    (shop,) = document["deployments"]
    first = shop["targets"][0]["slots"][0]["instances"][0]
    assert (first["id"], first["standing"]) == (one.id, "current")
    json.dumps(document)


def test_one_deployment_is_listed_alone() -> None:
    lab = deployed()
    conn = lab.targets["one"]
    Hook(conn).label_instance(one_of(lab).ref, {names.DEPLOYMENT: "other"})
    assert [*told(list_deployments(places(lab), APP))] == [("three", 0), ("two", 0)]
    assert [d.deployment_id for d in list_deployments(places(lab)).deployments] == [APP, "other"]
    nothing = list_deployments(places(lab), "third")
    assert nothing.deployments == ()
    assert nothing.deployment("third").targets == ()


def test_a_place_without_an_answer_costs_only_itself() -> None:
    lab = deployed()
    refuse_lists(lab.targets["two"])
    report = list_deployments(places(lab))
    assert [*told(report)] == [("one", 0), ("three", 0)]
    (lost,) = report.unreachable
    assert (lost.conn_id, lost.region, lost.error_kind) == (
        lab.targets["two"],
        None,
        ErrorKind.UNAVAILABLE,
    )
    assert not report.complete


def test_a_region_without_an_answer_costs_only_itself() -> None:
    lab = deployed()
    conn = lab.targets["one"]
    fault = MachineFault(
        kind=FaultKind.REFUSE, call=MachineCall.LIST, region="mem-2", error=ErrorKind.THROTTLED
    )
    machines_of(conn).faults.plant([fault])
    here = [one for one in places(lab, "mem-1", "mem-2") if one.conn_id == conn]
    report = list_deployments(here)
    assert [*told(report)] == [("one", 0)]
    assert [(one.conn_id, one.region) for one in report.unreachable] == [(conn, "mem-2")]
    assert told(list_deployments(places(lab, "mem-2"))) == {}


def test_all_places_are_asked_at_once() -> None:
    begun = threading.Barrier(3)
    asked = [listing(conn_id=f"c{n}") for n in range(3)]
    for place in asked:
        place.compute.begun = begun  # type: ignore[attr-defined] # of Listed
    assert list_deployments(asked).complete


def test_what_two_connections_to_an_account_show_is_told_once() -> None:
    lab = deployed()
    instance = one_of(lab)
    report = list_deployments([listing(instance, conn_id="a"), listing(instance, conn_id="b")])
    ((found,),) = told(report).values()
    assert found.conn_id == "a"


def test_labels_that_are_not_ours_are_told_as_unreadable() -> None:
    instance = one_of(deployed())
    for labels, why in (
        ({"SLOT": None}, "without the label multicloud-slot"),
        ({"SLOT": "first"}, "this package writes no such value into multicloud-slot"),
        ({"STANDING": "healthy"}, "this package writes no such value into multicloud-standing"),
        ({"ORDER": "9" * 16}, "this package writes no such value into multicloud-order"),
        ({"TARGET": "", "SPEC": "xyz"}, "no such value into multicloud-target, multicloud-spec"),
    ):
        report = list_deployments([listing(relabelled(instance, **labels))])
        assert report.deployments == ()
        (found,) = report.unreadable
        assert why in found.why
        assert (found.id, found.deployment_id) == (instance.ref.id, APP)
        assert found.state is InstanceState.RUNNING
    far = list_deployments([listing(relabelled(instance, ORDER="9" * 15))])
    ((found_far,),) = told(far).values()
    assert found_far.ordered_at is None


def test_hostile_labels_and_names_are_printable_and_short() -> None:
    hostile = "evil\x1b[2J\nFORGED " + "x" * 10_000
    instance = replace(one_of(deployed()), name=hostile, error=hostile, zone=hostile)
    for labels in (
        {"DEPLOYMENT": hostile},
        {"TARGET": hostile},
        {"REVISION": hostile},
        {"STANDING": hostile},
        {"SLOT": "1"},
    ):
        document = to_document(list_deployments([listing(relabelled(instance, **labels))]))
        text = json.dumps(document, ensure_ascii=False)
        assert text.isprintable()
        assert "\\n" not in text.replace("\\\\n", "")
        assert len(text) < 8_000


def test_an_error_of_a_place_is_printable() -> None:
    class Broken(Listed):
        def list_instances(self, *_: Any, **__: Any) -> Iterator[Instance]:
            raise DeploymentError("no\x1b[2J\nFORGED", kind=ErrorKind.PERMISSION_DENIED)

    compute: Any = Broken([])
    place = TeardownPlace(conn_id="c", cloud="memory", compute=compute)
    (lost,) = list_deployments([place]).unreachable
    assert lost.error == r"no\x1b[2J\nFORGED"


def test_the_newest_runs_instance_is_told_first() -> None:
    instance = one_of(deployed())
    older = replace(
        relabelled(instance, ORDER="5", STANDING="replaced"),
        ref=replace(instance.ref, id="older"),
        state=InstanceState.STOPPED,
    )
    ((newer, last),) = told(list_deployments([listing(older, instance)])).values()
    assert (newer.id, last.id) == (instance.ref.id, "older")
    assert not last.is_current

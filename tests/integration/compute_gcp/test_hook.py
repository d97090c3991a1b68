"""Google Cloud's compute hook where the contract does not look: Google's own rules and words."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.discovery_cache import get_static_doc  # type: ignore[import-untyped]

from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.ports.compute import (
    Architecture,
    Instance,
    InstanceRef,
    InstanceState,
    Network,
    SizeNeed,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from tests.integration.compute_gcp.conftest import MARK, REQUEST, admin
from tests.integration.compute_gcp.test_server import body

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.compute_gcp.conftest import Ask, Order

ZONE = "zones/us-central1-a"
IMAGES = "projects/debian-cloud/global/images"


def ended(hook: GCPComputeHook, operation: Operation) -> Operation:
    end = time.monotonic() + 30
    while not operation.state.is_final:
        assert time.monotonic() < end, operation
        time.sleep(0.02)
        operation = hook.describe_operation(operation)
    return operation


def launched(hook: GCPComputeHook, order: Any) -> Instance:
    done = ended(hook, hook.launch_instance(order))
    assert done.state is OperationState.SUCCEEDED, done
    return hook.describe_instance(InstanceRef(done.resource, "us-central1"))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def plant(server: LocalServer, *faults: MachineFault) -> None:
    admin(server).seed("machine_faults", [{"clear": True}, *map(to_document, faults)])


@cache
def methods() -> list[tuple[str, re.Pattern[str], str]]:
    """HTTP method, path and name of every method of the API, by its discovery document."""
    resources = json.loads(str(get_static_doc("compute", "v1")))["resources"]
    return [
        (
            method["httpMethod"],
            re.compile("/compute/v1/" + re.sub(r"\{\w+\}", "[^/]+", method["flatPath"])),
            method["id"],
        )
        for resource in resources.values()
        for method in resource["methods"].values()
    ]


def permission_of(http_method: str, path: str) -> str:
    """The permission that is named after a request's method, or stands for it in Google's pages."""
    (name,) = {n for verb, known, n in methods() if verb == http_method and known.fullmatch(path)}
    collection, _, method = name.removeprefix("compute.").partition(".")
    verbs = {"insert": "create", "aggregatedList": "list", "wait": "get"}
    return f"compute.{collection}.{verbs.get(method, method)}"


class TestResolving:
    def test_the_first_zone_that_is_up(self, hook: GCPComputeHook) -> None:
        found = hook.resolve_launch(replace(REQUEST, zone=None))
        assert (found.zone, found.account_id) == ("us-central1-a", "local")
        assert found.subnet == "projects/local/regions/us-central1/subnetworks/default"

    def test_a_zone_that_is_down(self, hook: GCPComputeHook) -> None:
        with pytest.raises(DeploymentError, match="zone: us-central1-f is down") as caught:
            hook.resolve_launch(replace(REQUEST, zone="us-central1-f"))
        assert caught.value.kind is ErrorKind.UNAVAILABLE

    @pytest.mark.parametrize(
        ("vcpus", "gib", "architecture", "size"),
        [
            (1, 0, Architecture.X86_64, "n1-standard-1"),
            (2, 1, Architecture.X86_64, "e2-micro"),
            (2, 3, Architecture.X86_64, "e2-medium"),
            (3, 1, Architecture.X86_64, "e2-standard-4"),
            (2, 1, Architecture.ARM64, "t2a-standard-2"),
        ],
    )
    def test_the_smallest_size(
        self, hook: GCPComputeHook, vcpus: int, gib: int, architecture: Architecture, size: str
    ) -> None:
        need = SizeNeed(vcpus=vcpus, memory_bytes=gib * 2**30)
        found = hook.resolve_launch(replace(REQUEST, size=need, architecture=architecture))
        assert found.size.name == size
        assert found.image.architecture is architecture

    def test_none_with_accelerators(self, hook: GCPComputeHook) -> None:
        need = SizeNeed(vcpus=8, memory_bytes=2**30)
        with pytest.raises(DeploymentError, match="size: no machine type in us-central1-a has 8"):
            hook.resolve_launch(replace(REQUEST, size=need))

    def test_a_size_of_other_zones(self, hook: GCPComputeHook) -> None:
        wanted = replace(REQUEST, zone="us-central1-b", size="n2d-standard-2")
        with pytest.raises(DeploymentError, match=r"europe-west1-b, us-central1-a") as caught:
            hook.resolve_launch(wanted)
        assert caught.value.kind is ErrorKind.UNSUPPORTED

    def test_a_size_of_no_zone(self, hook: GCPComputeHook) -> None:
        with pytest.raises(DeploymentError, match="size: 'e9-none'") as caught:
            hook.resolve_launch(replace(REQUEST, size="e9-none"))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_a_family_becomes_an_image(self, hook: GCPComputeHook) -> None:
        found = hook.resolve_launch(replace(REQUEST, image=f"{IMAGES}/family/debian-12"))
        assert found.image.id == f"{IMAGES}/debian-12-bookworm-v20261110"
        assert found.image == hook.resolve_launch(REQUEST).image

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            ({"image": f"{IMAGES}/family/none"}, "image: '.*' is not there"),
            ({"image": f"{IMAGES}/debian-12-bookworm-v20260609"}, "image: .* is OBSOLETE"),
            ({"image": "debian-12"}, "image: 'debian-12' given; expected projects/P/global"),
            ({"image": f"{IMAGES}/family/debian-12-arm64"}, "is for arm64, the size e2-small for"),
            ({"disk_bytes": 2**30}, "disk_bytes: .* needs at least 10737418240"),
            ({"network": Network(subnets=())}, "subnets: 0 given"),
            ({"network": Network(subnets=("A/b",))}, "subnets: 'A/b' given"),
            (
                {
                    "network": Network(
                        subnets=("projects/local/regions/europe-west1/subnetworks/default",)
                    )
                },
                "subnets: .* is in europe-west1, expected one of us-central1",
            ),
            ({"identity": "me@example.com"}, "identity: 'me@example.com' given"),
            ({"resource_group": "rg"}, "resource_group: 'rg' given"),
        ],
    )
    def test_what_does_not_fit(self, hook: GCPComputeHook, more: dict[str, Any], text: str) -> None:
        with pytest.raises(DeploymentError, match=text) as caught:
            hook.resolve_launch(replace(REQUEST, **more))
        assert not caught.value.retryable

    def test_the_plan_names_every_permission_that_is_used(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        """And others only where one call takes several."""
        admin(local_compute_engine).reset()
        wanted = order()
        found = launched(hook, wanted)
        hook.label_instance(found.ref, {"a": "b"})
        assert list(hook.list_instances({MARK: "1"}))
        hook.read_console(found.ref)
        for on in (False, True):
            ended(hook, hook.power_instance(found.ref, on=on))
        ended(hook, hook.terminate_instance(found.ref))
        asked = admin(local_compute_engine).requests()
        used = {permission_of(one["method"], one["path"]) for one in asked}
        told = {p for call in wanted.spec.calls for p in call.permissions}
        # Everybody may look at a public image, and use it.
        assert used - told == {"compute.images.getFromFamily"}
        assert told - used == {
            "compute.disks.create",
            "compute.disks.delete",
            "compute.instances.resume",
            "compute.instances.setMetadata",
            "compute.machineTypes.list",
            "compute.subnetworks.use",
        }

    def test_permissions(self, hook: GCPComputeHook) -> None:
        wanted = replace(
            REQUEST,
            identity="app@local.iam.gserviceaccount.com",
            network=replace(REQUEST.network, security_groups=("web",), public_address=True),
        )
        needed = {p for call in hook.resolve_launch(wanted).calls for p in call.permissions}
        fewer = {p for call in hook.resolve_launch(REQUEST).calls for p in call.permissions}
        assert needed - fewer == {
            "compute.instances.setServiceAccount",
            "compute.instances.setTags",
            "compute.subnetworks.useExternalIp",
            "iam.serviceAccounts.actAs",
        }

    def test_permissions_of_an_exact_image_and_a_size_by_need(self, hook: GCPComputeHook) -> None:
        wanted = replace(
            REQUEST,
            image=f"{IMAGES}/debian-12-bookworm-v20261110",
            size=SizeNeed(vcpus=2, memory_bytes=2**30),
        )
        named = [call.call for call in hook.resolve_launch(wanted).calls]
        assert {"compute.images.get", "compute.machineTypes.list"} <= set(named)
        assert not {"compute.images.getFromFamily", "compute.machineTypes.get"} & set(named)


class TestLaunching:
    def test_all_of_a_spec(self, hook: GCPComputeHook, order: Order, ask: Ask) -> None:
        request = replace(
            REQUEST,
            identity="app@local.iam.gserviceaccount.com",
            disk_bytes=12 * 2**30 + 1,
            network=replace(REQUEST.network, security_groups=("web",), public_address=True),
        )
        wanted = replace(order(), spec=hook.resolve_launch(request))
        found = launched(hook, wanted)
        assert found.public_address
        told = ask("GET", f"{ZONE}/instances/{wanted.name}").json()
        assert told["tags"]["items"] == ["web"]
        assert told["serviceAccounts"][0]["email"] == request.identity
        assert ask("GET", f"{ZONE}/disks/{wanted.name}").json()["sizeGb"] == "13"

    def test_an_old_operation_is_not_needed(
        self, hook: GCPComputeHook, order: Order, ask: Ask
    ) -> None:
        """Google forgets operations; then the instance tells, and the token in it."""
        wanted = order()
        begun = hook.launch_instance(wanted)
        ended(hook, begun)
        ask("DELETE", f"{ZONE}/operations/{begun.handle.partition('#')[0]}").raise_for_status()
        assert hook.describe_operation(begun).state is OperationState.SUCCEEDED
        again = hook.launch_instance(wanted)
        assert (again.resource, again.state) == (begun.resource, OperationState.SUCCEEDED)

    def test_another_orders_name(self, hook: GCPComputeHook, order: Order) -> None:
        first = launched(hook, order())
        with pytest.raises(DeploymentError, match=f"name: {first.name}") as caught:
            hook.launch_instance(order(name=first.name))
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        assert not isinstance(caught.value, SpentTokenError)

    def test_a_spent_token_whose_name_another_has(self, hook: GCPComputeHook, order: Order) -> None:
        old = order()
        ended(hook, hook.terminate_instance(launched(hook, old).ref))
        with pytest.raises(SpentTokenError):
            hook.launch_instance(old)
        launched(hook, order(name=old.name))
        with pytest.raises(SpentTokenError):
            hook.launch_instance(old)

    def test_one_that_is_deleted_meanwhile(self, hook: GCPComputeHook, order: Order) -> None:
        begun = hook.launch_instance(order())
        ended(hook, hook.terminate_instance(InstanceRef(begun.resource, "us-central1")))
        assert hook.describe_operation(begun).state is OperationState.CANCELLED

    def test_a_failed_one_stays_failed(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        """Google answers the same request with the same operation."""
        plant(local_compute_engine, MachineFault(kind=FaultKind.FAIL_LATER, error=ErrorKind.QUOTA))
        wanted = order()
        done = ended(hook, hook.launch_instance(wanted))
        assert (done.error_kind, done.code) == (ErrorKind.QUOTA, "QUOTA_EXCEEDED")
        assert hook.launch_instance(wanted).error_kind is ErrorKind.QUOTA

    def test_an_old_failure_spends_its_token(
        self,
        hook: GCPComputeHook,
        order: Order,
        local_compute_engine: LocalServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Else an order that failed for lack of room failed for ever."""
        from airflow_multicloud.clouds.gcp.compute import launching

        monkeypatch.setattr(launching, "_FRESH", timedelta(0))
        fault = MachineFault(kind=FaultKind.FAIL_LATER, error=ErrorKind.CAPACITY)
        plant(local_compute_engine, fault)
        wanted = order()
        assert ended(hook, hook.launch_instance(wanted)).error_kind is ErrorKind.CAPACITY
        with pytest.raises(SpentTokenError, match="failed before"):
            hook.launch_instance(wanted)
        again = replace(wanted, token=str(uuid.uuid4()))
        assert launched(hook, again).state is InstanceState.RUNNING


class TestMachines:
    def test_a_start_runs_the_script_again(self, hook: GCPComputeHook, order: Order) -> None:
        """As Google does at every boot."""
        found = launched(hook, order(script="#!/bin/sh\necho hello from $MULTICLOUD_ADDRESS\n"))
        line = f"hello from {found.address}\n"
        until(lambda: hook.read_console(found.ref).count(line) == 1)
        ended(hook, hook.power_instance(found.ref, on=False))
        ended(hook, hook.power_instance(found.ref, on=True))
        until(lambda: hook.read_console(found.ref).count(line) == 2)

    def test_one_that_is_suspended_is_resumed(
        self, hook: GCPComputeHook, order: Order, ask: Ask
    ) -> None:
        """Google refuses to start it."""
        found = launched(hook, order())
        path = f"{ZONE}/instances/{found.name}"
        ask("POST", f"{path}/suspend").raise_for_status()
        until(lambda: ask("GET", path).json()["status"] == "SUSPENDED")
        assert hook.describe_instance(found.ref).state is InstanceState.STOPPED
        stopped = hook.power_instance(found.ref, on=False)
        assert stopped.state is OperationState.SUCCEEDED
        assert not ask("POST", f"{path}/start").ok
        done = ended(hook, hook.power_instance(found.ref, on=True))
        assert done.state is OperationState.SUCCEEDED
        assert hook.describe_instance(found.ref).state is InstanceState.RUNNING

    def test_one_that_dies(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        """TERMINATED in Google's words: it is stopped, and can be started."""
        plant(local_compute_engine, MachineFault(kind=FaultKind.DIE, seconds=0.2))
        found = launched(hook, order())
        until(lambda: hook.describe_instance(found.ref).state is InstanceState.STOPPED)
        done = ended(hook, hook.power_instance(found.ref, on=True))
        assert done.state is OperationState.SUCCEEDED

    def test_one_that_boots_late_and_one_that_runs_nothing(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        late, nothing = order(script="#!/bin/sh\necho x\n"), order(script="#!/bin/sh\necho x\n")
        plant(
            local_compute_engine,
            MachineFault(kind=FaultKind.SLOW_BOOT, name=late.name, seconds=1.0),
            MachineFault(kind=FaultKind.NO_BOOT, name=nothing.name),
        )
        found, silent = launched(hook, late), launched(hook, nothing)
        assert "x\n" not in hook.read_console(found.ref)
        until(lambda: "x\n" in hook.read_console(found.ref))
        assert "x\n" not in hook.read_console(silent.ref)
        assert hook.describe_instance(silent.ref).state is InstanceState.RUNNING


class TestListing:
    def test_a_zone_that_can_not_be_asked(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        """What is there is unknown then: never an empty list."""
        found = launched(hook, order())
        admin(local_compute_engine).seed("unreachable_zones", [{"zone": "europe-west1-b"}])
        with pytest.raises(DeploymentError, match="zones/europe-west1-b") as caught:
            list(hook.list_instances({MARK: "1"}))
        assert caught.value.kind is ErrorKind.UNAVAILABLE
        here = hook.list_instances({MARK: "1"}, "us-central1")
        assert [instance.ref for instance in here] == [found.ref]
        with pytest.raises(DeploymentError, match="europe-west1-b"):
            list(hook.list_instances({MARK: "1"}, "europe-west1"))

    def test_another_region(self, hook: GCPComputeHook, order: Order) -> None:
        launched(hook, order())
        assert list(hook.list_instances({MARK: "1"}, "europe-west1")) == []

    @pytest.mark.parametrize("labels", [{'a" OR labels.b="c': None}, {"a": '1" OR labels.b:"2'}])
    def test_no_other_filter(self, hook: GCPComputeHook, labels: dict[str, str | None]) -> None:
        with pytest.raises(DeploymentError, match="labels: ") as caught:
            list(hook.list_instances(labels))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_a_disk_that_lost_its_instance(self, hook: GCPComputeHook, ask: Ask) -> None:
        wanted = body()
        wanted["disks"][0]["autoDelete"] = False
        ask("POST", f"{ZONE}/instances", json=wanted).raise_for_status()
        ref = InstanceRef(f"projects/local/{ZONE}/instances/{wanted['name']}", "us-central1")
        assert [i.state for i in hook.list_instances({MARK: "1"})] == [InstanceState.PENDING]
        until(lambda: hook.describe_instance(ref).state is InstanceState.RUNNING)
        ask("DELETE", f"{ZONE}/instances/{wanted['name']}").raise_for_status()
        until(
            lambda: (
                [i.state for i in hook.list_instances({MARK: "1"})] == [InstanceState.INCOMPLETE]
            )
        )
        (left,) = hook.list_instances({MARK: "1"})
        assert left == hook.describe_instance(ref)
        assert ended(hook, hook.terminate_instance(ref)).state is OperationState.SUCCEEDED
        assert list(hook.list_instances({MARK: "1"})) == []

    def test_a_disk_of_somebody_else_stays(self, hook: GCPComputeHook, ask: Ask) -> None:
        wanted = body()
        wanted["disks"][0]["autoDelete"] = False
        wanted["disks"][0]["initializeParams"]["description"] = "mine"
        ask("POST", f"{ZONE}/instances", json=wanted).raise_for_status()
        (found,) = hook.list_instances({MARK: "1"})
        assert ended(hook, hook.terminate_instance(found.ref)).state is OperationState.SUCCEEDED
        assert list(hook.list_instances({MARK: "1"})) == []
        disk = f"{ZONE}/disks/{wanted['name']}"
        ask("GET", disk).raise_for_status()
        ask("DELETE", disk).raise_for_status()


class TestTerminating:
    def test_another_generation_is_left_alone(self, hook: GCPComputeHook, order: Order) -> None:
        """An operation that is looked at late does not take the next instance of the name."""
        old = launched(hook, order())
        begun = hook.terminate_instance(old.ref)
        ended(hook, begun)
        again = launched(hook, order(name=old.name))
        assert hook.describe_operation(begun).state is OperationState.SUCCEEDED
        assert hook.describe_instance(again.ref).state is InstanceState.RUNNING

    def test_what_is_no_instance(self, hook: GCPComputeHook) -> None:
        with pytest.raises(DeploymentError, match="ref: 'i-0abc' given"):
            hook.terminate_instance(InstanceRef("i-0abc", "us-central1"))

    def test_a_refused_one(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        found = launched(hook, order())
        fault = MachineFault(
            kind=FaultKind.REFUSE, call=MachineCall.TERMINATE, error=ErrorKind.THROTTLED
        )
        plant(local_compute_engine, fault)
        with pytest.raises(DeploymentError) as caught:
            hook.terminate_instance(found.ref)
        assert (caught.value.kind, caught.value.code) == (
            ErrorKind.THROTTLED,
            "rateLimitExceeded",
        )


class TestLabelling:
    def test_a_lost_race(
        self, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
    ) -> None:
        """Once it is tried again with what is there by then; twice, it says so."""
        found = launched(hook, order())
        error = {"code": 412, "message": "changed", "errors": [{"reason": "conditionNotMet"}]}
        refusal = {"status": 412, "body": {"error": error}}
        path = f"/instances/{found.name}/setLabels"
        admin(local_compute_engine).script(path, [refusal])
        hook.label_instance(found.ref, {"a": "1"})
        assert hook.describe_instance(found.ref).labels["a"] == "1"
        admin(local_compute_engine).script(path, [refusal, refusal])
        with pytest.raises(DeploymentError, match="somebody else") as caught:
            hook.label_instance(found.ref, {"a": "2"})
        assert caught.value.kind is ErrorKind.BUSY

    def test_the_disk_as_well(self, hook: GCPComputeHook, order: Order, ask: Ask) -> None:
        found = launched(hook, order())
        hook.label_instance(found.ref, {"a": "1"})
        labels = ask("GET", f"{ZONE}/disks/{found.name}").json()["labels"]
        assert labels == dict(found.labels) | {"a": "1"}
        assert labels.items() >= {MARK: "1", "a": "1"}.items()


def test_what_the_client_logs(
    hook: GCPComputeHook, order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    """Google's client logs whole requests and answers for who asks it to."""
    signature = "0123456789abcdef" * 4
    url = f"https://storage.googleapis.com/b/k?X-Goog-Date=kept&X-Goog-Signature={signature}"
    logger = logging.getLogger("google.cloud.compute_v1.services.instances.transports.rest")
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG, logger.name)
    try:
        found = launched(hook, order(script=f"#!/bin/sh\n# {url}\n"))
    finally:
        logger.removeHandler(caplog.handler)
    logged = json.dumps([vars(record) for record in caplog.records], default=str)
    assert found.name in logged
    assert "X-Goog-Date=kept" in logged
    assert signature not in logged


def test_no_verb_hides_one_of_the_official_hook() -> None:
    from airflow.providers.google.cloud.hooks.compute import ComputeEngineHook

    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook

    assert issubclass(GCPComputeHook, ComputeEngineHook)
    ours = {
        name
        for cls in GCPComputeHook.__mro__
        if cls.__module__.startswith("airflow_multicloud.clouds.gcp.compute")
        for name in vars(cls)
        if not name.startswith("__")
    }
    known = {name for name in ours if hasattr(ComputeEngineHook, name)}
    assert known == {"default_conn_name", "get_client_options"}

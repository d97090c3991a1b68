"""What the contract does not ask of every cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.azure.compute.client import Begun, started
from airflow_multicloud.clouds.azure.compute.fields import ORDER_TAG, Place, place_of
from airflow_multicloud.errors import CredentialsError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import (
    Architecture,
    InstanceRef,
    InstanceState,
    Network,
    SizeNeed,
)
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.local_clouds.azure.compute import (
    EMPTY_GROUP,
    OTHER_REGION,
    REGION,
    subnet_id,
)
from airflow_multicloud.testing.machine_faults import FaultKind, MachineFault
from tests.contract.compute_rigs.azure import REQUEST
from tests.integration.compute_azure.bodies import interface, machine
from tests.integration.compute_azure.conftest import MARK, wait

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.compute_azure.conftest import Account

GIB = 2**30


def test_the_image_is_the_newest_version(account: Account) -> None:
    spec = account.hook().resolve_launch(REQUEST)
    assert spec.image.id == "Canonical:ubuntu-24_04-lts:server:24.04.202510010"


def test_the_smallest_size_starts_the_image(account: Account) -> None:
    """Standard_A0 is smaller, and of a generation that the image is not for."""
    need = SizeNeed(vcpus=1, memory_bytes=GIB // 2)
    assert account.hook().resolve_launch(replace(REQUEST, size=need)).size.name == "Standard_B1ms"
    arm = replace(REQUEST, size=need, architecture=Architecture.ARM64)
    found = account.hook().resolve_launch(arm)
    assert found.size.name == "Standard_B2pts_v2"
    assert "server-arm64" in found.image.id


@pytest.mark.parametrize(("gib", "name"), [(12, "Standard_D4s_v5"), (16, "Standard_D4s_v5")])
def test_a_size_by_need_has_nothing_that_nobody_asked_for(
    account: Account, gib: int, name: str
) -> None:
    """No graphics card, cores turned off, promotion, confidential computing or disk of its own."""
    need = SizeNeed(vcpus=4, memory_bytes=gib * GIB)
    assert account.hook().resolve_launch(replace(REQUEST, size=need)).size.name == name
    named = account.hook().resolve_launch(replace(REQUEST, size="Standard_E8-4s_v5"))
    assert named.size.vcpus == 4


def permission_of(method: str, path: str) -> str:
    """What Resource Manager asks for: types alternate with names, and the method is the verb."""
    provider, *parts = path.rpartition("/providers/")[2].split("/")
    types, is_action = parts[::2], method == "POST"
    verbs = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
    assert not is_action or len(parts) % 2
    # A view of a resource has no name.
    return "/".join((provider, *types, verbs[method]))


def test_the_plan_names_every_permission_that_is_used(account: Account) -> None:
    """And others only where one call takes several."""
    account.admin.reset()
    hook = account.hook()
    request = replace(REQUEST, network=replace(REQUEST.network, public_address=True))
    order = replace(account.order(), spec=hook.resolve_launch(request))
    ref = account.launched(order)
    hook.label_instance(ref, {"a": "b"})
    assert list(hook.list_instances({MARK: None}))
    hook.read_console(ref)
    for on in (False, True):
        wait(hook, hook.power_instance(ref, on=on))
    wait(hook, hook.terminate_instance(ref))
    asked = [one for one in account.admin.requests() if "/providers/" in one["path"]]
    used = {permission_of(one["method"], one["path"]).lower() for one in asked}
    told = {p.lower() for call in order.spec.calls for p in call.permissions}
    assert used - told == set()
    assert told - used == {
        "microsoft.compute/disks/delete",
        "microsoft.managedidentity/userassignedidentities/assign/action",
        "microsoft.network/locations/operations/read",
        "microsoft.network/networkinterfaces/delete",
        "microsoft.network/networkinterfaces/join/action",
        "microsoft.network/networksecuritygroups/join/action",
        "microsoft.network/publicipaddresses/delete",
        "microsoft.network/publicipaddresses/join/action",
        "microsoft.network/virtualnetworks/subnets/join/action",
    }
    plain = {p.lower() for call in hook.resolve_launch(REQUEST).calls for p in call.permissions}
    assert told - plain == {
        "microsoft.network/publicipaddresses/join/action",
        "microsoft.network/publicipaddresses/write",
    }


def test_a_disk_that_can_not_be_labelled_is_terminated(account: Account) -> None:
    """A policy on tags must not keep a machine alive that is to go, disk and all."""
    hook = account.hook()
    order = account.order()
    begun = hook.launch_instance(order)
    body = {"error": {"code": "RequestDisallowedByPolicy", "message": "no such tag"}}
    refusal = {"status": 403, "body": body}
    account.admin.script(f"/disks/{order.name}-disk", [None, refusal])
    ended = hook.terminate_instance(InstanceRef(begun.resource, REGION))
    assert wait(hook, ended).state is OperationState.SUCCEEDED


@pytest.mark.parametrize("code", ["OperationNotAllowed", "AnotherOperationInProgress", "BrandNew"])
def test_a_conflict_is_no_end_of_a_termination(account: Account, code: str) -> None:
    hook = account.hook()
    order = account.order()
    ref = account.launched(order)
    refusal = {"status": 409, "body": {"error": {"code": code, "message": "d is attached to VM v"}}}
    account.admin.script(f"/virtualMachines/{order.name}", [None, refusal])
    ended = hook.terminate_instance(ref)
    assert ended.state is OperationState.RUNNING
    assert wait(hook, ended).state is OperationState.SUCCEEDED


@pytest.mark.parametrize("extra", [{"password": "wrong"}, {"password": None}])
def test_refused_credentials_name_their_connection(
    account: Account,
    local_azure: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
    extra: dict[str, str | None],
) -> None:
    from airflow_multicloud.clouds.azure.compute import VirtualMachinesHook

    connection: Any = local_azure.spec.connections["azure_local"]
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_OTHER", json.dumps({**connection, **extra}))

    def both() -> Iterator[Callable[[], object]]:
        hook = VirtualMachinesHook("azure_other")
        yield lambda: hook.resolve_launch(REQUEST)
        yield lambda: list(hook.list_instances({MARK: None}))

    calls = both()
    for _ in range(2):
        with pytest.raises(CredentialsError, match="connection 'azure_other'"):
            next(calls)()
        if extra["password"] is None:
            break


@pytest.mark.parametrize(
    ("size", "kind", "said"),
    [
        ("Standard_M128ms", ErrorKind.UNSUPPORTED, "NotAvailableForSubscription"),
        ("Standard_NC24ads_A100_v4", ErrorKind.QUOTA, "QuotaId"),
        ("Standard_A0", ErrorKind.INVALID_ARGUMENT, "generation V1, the image is of V2"),
        ("Standard_B2pts_v2", ErrorKind.INVALID_ARGUMENT, "image: "),
    ],
)
def test_a_size_that_is_not_for_it(account: Account, size: str, kind: ErrorKind, said: str) -> None:
    with pytest.raises(DeploymentError, match=said) as caught:
        account.hook().resolve_launch(replace(REQUEST, size=size))
    assert caught.value.kind is kind


def test_a_subnet_of_another_region(account: Account) -> None:
    wanted = replace(REQUEST, network=Network(subnets=(subnet_id(OTHER_REGION),)))
    with pytest.raises(DeploymentError, match=r"subnets: .* is in northeurope") as caught:
        account.hook().resolve_launch(wanted)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("image", ["ubuntu", "/subscriptions/x/images/y"])
def test_an_image_of_no_known_form(account: Account, image: str) -> None:
    with pytest.raises(DeploymentError, match=r"image: .* expected publisher:offer:sku:version"):
        account.hook().resolve_launch(replace(REQUEST, image=image))


def test_another_orders_name_is_taken(account: Account) -> None:
    order = account.order()
    account.launched(order)
    other = replace(order, token=account.order().token)
    with pytest.raises(DeploymentError, match="name: there is already") as caught:
        account.hook().launch_instance(other)
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS


def test_another_orders_interface_is_not_taken(account: Account) -> None:
    order = account.order()
    account.plant([MachineFault(kind=FaultKind.REFUSE, error=ErrorKind.QUOTA, name=order.name)])
    with pytest.raises(DeploymentError):
        account.hook().launch_instance(order)
    (left,) = account.hook().list_instances({MARK: None})
    assert left.state is InstanceState.INCOMPLETE
    with pytest.raises(DeploymentError) as caught:
        account.hook().launch_instance(replace(order, token=account.order().token))
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS


def test_all_parts_carry_the_labels(account: Account) -> None:
    """The bill names disks and interfaces, too."""
    order = account.order()
    ref = account.launched(order)
    hook = account.hook()
    hook.label_instance(ref, {"slot": "two"})
    group = order.spec.resource_group
    disk = hook._compute.disks.get(group, f"{order.name}-disk")
    nic = hook._network.network_interfaces.get(group, f"{order.name}-nic")
    for part in (disk, nic):
        assert {MARK: "yes", "slot": "two"}.items() <= part.tags.items()


def test_nobody_can_log_in_and_the_script_is_not_shown(account: Account) -> None:
    order = account.order(startup_script="#!/bin/sh\n# c4n4ry\n")
    assert "c4n4ry" not in repr(order)
    account.launched(order)
    vm = account.hook()._compute.virtual_machines.get(order.spec.resource_group, order.name)
    assert vm.properties.os_profile.linux_configuration.disable_password_authentication
    assert "c4n4ry" not in json.dumps(vm.as_dict())
    assert "c4n4ry" not in json.dumps(account.admin.requests())


def test_a_handle_leads_to_resource_manager_only(account: Account) -> None:
    """It may have been anywhere, and the token goes where it leads."""
    hook = account.hook()
    begun = hook.launch_instance(account.order())
    assert begun.handle.startswith(hook._manager.endpoint)
    for handle in ("https://127.0.0.1:1/x", "http://" + begun.handle.partition("//")[2]):
        with pytest.raises(DeploymentError, match="handle: it leads to") as caught:
            hook.describe_operation(replace(begun, handle=handle))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    wait(hook, begun)


def test_an_operation_that_azure_forgot(account: Account) -> None:
    """The machine says how it went."""
    hook = account.hook()
    begun = hook.launch_instance(account.order())
    path, _, query = begun.handle.partition("?")
    forgotten = replace(begun, handle=f"{path[:-4]}0000?{query}")
    assert wait(hook, forgotten).state is OperationState.SUCCEEDED
    body = {"error": {"code": "OperationNotFound", "message": "expired"}}
    account.admin.script("/operations/", [{"status": 404, "body": body}])
    assert wait(hook, begun).state is OperationState.SUCCEEDED


def test_a_handle_has_its_bounds(account: Account) -> None:
    hook = account.hook()
    begun = hook.launch_instance(account.order())
    place = place_of(begun.resource, hook.subscription)
    long = started("launch", place, Begun("https://x/" + "c" * 9000, None))
    assert long.handle == ""
    assert wait(hook, long).state is OperationState.SUCCEEDED


def test_a_launch_that_failed_says_so_again(account: Account) -> None:
    """Also by the machine, when the operation is forgotten."""
    order = account.order()
    account.plant(
        [MachineFault(kind=FaultKind.FAIL_LATER, error=ErrorKind.CAPACITY, name=order.name)]
    )
    hook = account.hook()
    first = wait(hook, hook.launch_instance(order))
    again = wait(hook, hook.launch_instance(order))
    assert first.code == again.code == "ZonalAllocationFailed"
    assert first.error_kind is again.error_kind is ErrorKind.CAPACITY
    (left,) = hook.list_instances({MARK: None})
    assert left.state is InstanceState.FAILED
    assert left.error_kind is ErrorKind.CAPACITY


def test_a_machine_that_stops_by_itself(account: Account) -> None:
    order = account.order()
    account.plant([MachineFault(kind=FaultKind.DIE, name=order.name, seconds=0.0)])
    ref = account.launched(order)
    assert account.hook().describe_instance(ref).state is InstanceState.STOPPED


def test_a_relaunch_while_it_is_being_terminated(account: Account) -> None:
    order = account.order()
    hook = account.hook()
    begun = hook.terminate_instance(account.launched(order))
    with pytest.raises(DeploymentError, match="being terminated") as caught:
        hook.launch_instance(order)
    assert caught.value.kind is ErrorKind.BUSY
    wait(hook, begun)


def test_a_strangers_interface_stays(account: Account) -> None:
    """What has the name of a part, and was not made by this package, is not its to remove."""
    hook = account.hook()
    name = "stranger"
    nics, group = hook._network.network_interfaces, EMPTY_GROUP
    nics.begin_create_or_update(group, f"{name}-nic", interface(), polling=False)
    ref = InstanceRef(Place(hook.subscription, group, name).id, REGION)
    with pytest.raises(DeploymentError) as caught:
        hook.describe_instance(ref)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert wait(hook, hook.terminate_instance(ref)).state is OperationState.SUCCEEDED
    assert nics.get(group, f"{name}-nic").name == f"{name}-nic"
    nics.begin_delete(group, f"{name}-nic", polling_interval=0).result()


def test_parts_that_stay_when_the_machine_goes(account: Account) -> None:
    """Its disk, too, which has no label of its own before the machine is deleted."""
    hook = account.hook()
    name, group = "detached", EMPTY_GROUP
    tags = {ORDER_TAG: "some", MARK: "yes"}
    nic = hook._network.network_interfaces.begin_create_or_update(
        group, f"{name}-nic", interface(tags), polling=False
    ).result()
    wanted = machine(name, nic.id, delete_option="Detach", tags=tags)
    hook._compute.virtual_machines.begin_create_or_update(group, name, wanted, polling=False)
    ref = InstanceRef(Place(hook.subscription, group, name).id, REGION)
    assert wait(hook, hook.terminate_instance(ref)).state is OperationState.SUCCEEDED
    assert account.left() == []

"""Virtual machines: requests and answers; what they do is in :mod:`.life`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from azure.mgmt.compute import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.compute.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.disks import PROVIDER
from airflow_multicloud.testing.local_clouds.azure.compute.life import VM, Life
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    Body,
    Operation,
    World,
    accepted,
    listed,
    resource_id,
    tracked,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.machine_faults import MachineCall, MachineCase

_RETRY_AFTER = {"Retry-After": "1"}
_NOT_ANSWERED = ("customData", "adminPassword")


def routes(world: World) -> list[Route]:
    """The operations served."""
    served = _Served(world)
    vm: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "vm_name": "{name}",
    }
    build = operations
    return [
        _route(world, build.build_virtual_machines_get_request(**vm, expand="any"), served.get),
        _route(
            world,
            build.build_virtual_machines_create_or_update_request(**vm),
            served.put,
            body=models.VirtualMachine,
        ),
        _route(
            world,
            build.build_virtual_machines_update_request(**vm),
            served.patch,
            body=models.VirtualMachineUpdate,
            operation="update",
        ),
        _route(
            world,
            build.build_virtual_machines_delete_request(**vm, force_deletion=True),
            served.delete,
        ),
        _route(
            world,
            build.build_virtual_machines_list_all_request("{subscription}", status_only="any"),
            served.list_all,
            also=frozenset({"$skiptoken"}),
        ),
        _route(world, build.build_virtual_machines_instance_view_request(**vm), served.view),
        _route(world, build.build_virtual_machines_start_request(**vm), served.start),
        _route(
            world,
            build.build_virtual_machines_deallocate_request(**vm, hibernate=False),
            served.deallocate,
        ),
        _route(
            world,
            build.build_virtual_machines_retrieve_boot_diagnostics_data_request(
                **vm, sas_uri_expiration_time_in_minutes=1
            ),
            served.boot_diagnostics,
        ),
    ]


def _route(
    world: World,
    request: Any,
    handle: Callable[[Call], Answer],
    *,
    body: type | None = None,
    operation: str = "create",
    also: frozenset[str] = frozenset(),
) -> Route:
    return sdk_route(request, world.handler(handle), body=body, operation=operation, also=also)


class _Served:
    def __init__(self, world: World) -> None:
        self._world = world
        self._life = Life(world)

    def get(self, call: Call) -> Answer:
        vm = self._world.required(call)
        self._world.faults.check(case_of(MachineCall.DESCRIBE, vm))
        view = call.query.get("$expand")
        body = _answered(vm)
        if view == "instanceView":
            body["properties"]["instanceView"] = self._life.view(vm)
        return conforming(models.VirtualMachine, body)

    def view(self, call: Call) -> Answer:
        vm = self._world.required(call)
        self._world.faults.check(case_of(MachineCall.DESCRIBE, vm))
        return conforming(models.VirtualMachineInstanceView, self._life.view(vm))

    def list_all(self, call: Call) -> Answer:
        self._world.faults.check(MachineCase(call=MachineCall.LIST))
        found = map(_answered, self._world.of_type(VM))
        return listed(call, models.VirtualMachine, found)

    def put(self, call: Call) -> Answer:
        vm = tracked(call, VM, call.json)
        before = self._world.seen(vm["id"])
        if before is not None and call.request.headers.get("If-None-Match") == "*":
            raise Refusal(
                HTTPStatus.PRECONDITION_FAILED,
                "PreconditionFailed",
                f"The resource {vm['id']} exists already.",
            )
        if before is not None:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "PropertyChangeNotAllowed",
                "Changing a machine is not served here; it exists already.",
            )
        case = case_of(MachineCall.LAUNCH, vm)
        self._world.faults.check(case)
        operation = self._life.create(vm, case)
        self._world.faults.lose_answer(case)
        headers = {**accepted(call, PROVIDER, vm["location"], operation), **_RETRY_AFTER}
        del headers["Location"]
        answer = conforming(models.VirtualMachine, _answered(vm))
        return replace(answer, status=HTTPStatus.CREATED, headers=headers)

    def patch(self, call: Call) -> Answer:
        vm = self._world.required(call)
        wanted = call.request.headers.get("If-Match")
        if wanted not in (None, vm["etag"]):
            raise Refusal(
                HTTPStatus.PRECONDITION_FAILED,
                "PreconditionFailed",
                f"The etag {wanted} is not the resource's.",
            )
        given = call.json
        if set(given) - {"tags"}:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "InvalidParameter", "Only tags can be changed here."
            )
        vm["tags"] = given["tags"]
        self._life.touch(vm)
        return conforming(models.VirtualMachine, _answered(vm))

    def delete(self, call: Call) -> Answer:
        vm = self._world.kept.get(resource_id(call).lower())
        if vm is None:
            return Answer(status=HTTPStatus.NO_CONTENT)
        case = case_of(MachineCall.TERMINATE, vm)
        self._world.faults.check(case)
        operation = self._life.delete(vm)
        self._world.faults.lose_answer(case)
        return self._accepted(call, vm, operation)

    def start(self, call: Call) -> Answer:
        return self._power(call, self._life.start)

    def deallocate(self, call: Call) -> Answer:
        return self._power(call, self._life.deallocate)

    def boot_diagnostics(self, call: Call) -> Answer:
        vm = self._world.required(call)
        link = f"{call.origin}/bootdiagnostics/{vm['properties']['vmId']}?sig=local"
        return conforming(
            models.RetrieveBootDiagnosticsDataResult, {"serialConsoleLogBlobUri": link}
        )

    def _power(self, call: Call, act: Callable[[Body], Operation]) -> Answer:
        vm = self._world.required(call)
        case = case_of(MachineCall.POWER, vm)
        self._world.faults.check(case)
        operation = act(vm)
        self._world.faults.lose_answer(case)
        return self._accepted(call, vm, operation)

    def _accepted(self, call: Call, vm: Body, operation: Operation) -> Answer:
        headers = {**accepted(call, PROVIDER, vm["location"], operation), **_RETRY_AFTER}
        return Answer(status=HTTPStatus.ACCEPTED, headers=headers)


def case_of(call: MachineCall, vm: Body) -> MachineCase:
    """What a call about a machine is about."""
    hardware = vm["properties"].get("hardwareProfile") or {}
    zones = vm.get("zones") or [None]
    return MachineCase(
        call=call,
        name=vm["name"],
        region=vm["location"],
        zone=zones[0],
        size=hardware.get("vmSize"),
    )


def _answered(vm: Mapping[str, Any]) -> Body:
    """As it is answered: what only the machine may know is left out."""
    properties = dict(vm["properties"])
    system = {
        key: value
        for key, value in (properties.get("osProfile") or {}).items()
        if key not in _NOT_ANSWERED
    }
    return {**vm, "properties": {**properties, "osProfile": system}}

"""The local Azure's answers beside those that Azure once gave to the same calls.

Not recorded, so not compared: deleting an interface, and errors about these resources.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from azure.mgmt.compute import models
from azure.mgmt.network import models as network

from airflow_multicloud.errors import ProviderNotAvailableError
from airflow_multicloud.testing import offline
from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.azure.arm.strict import violations
from airflow_multicloud.testing.local_clouds.azure.compute import EMPTY_GROUP, REGION, subnet_id
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from tests.integration.compute_azure.conftest import Account
from tests.integration.compute_azure.recordings import (
    HEADERS,
    Exchange,
    lacking,
    recording,
)

NAME = "recorded"
NIC, DISK = f"{NAME}-nic", "myVMosdisk"  # the disk is called so in the recorded request
_VM, _NIC, _DISK = "virtualMachines/[^/]+", "networkInterfaces/[^/]+", "disks/[^/]+"

# Call → recording, method, end of the path.
CALLS = {
    "put_nic": ("compute_vm", "PUT", _NIC),
    "get_nic": ("compute_vm", "GET", _NIC),
    "put_vm": ("compute_vm", "PUT", _VM),
    "get_vm": ("compute_vm", "GET", _VM),
    "view": ("compute_vm", "GET", f"{_VM}/instanceView"),
    "patch_vm": ("compute_vm", "PATCH", _VM),
    "deallocate": ("compute_vm", "POST", f"{_VM}/deallocate"),
    "start": ("compute_vm", "POST", f"{_VM}/start"),
    "delete_vm": ("compute_vm", "DELETE", _VM),
    "get_disk": ("compute_disks", "GET", _DISK),
    "patch_disk": ("compute_disks", "PATCH", _DISK),
    "delete_disk": ("compute_disks", "DELETE", _DISK),
}
MODELS: dict[str, type] = {
    "put_nic": network.NetworkInterface,
    "get_nic": network.NetworkInterface,
    "put_vm": models.VirtualMachine,
    "get_vm": models.VirtualMachine,
    "patch_vm": models.VirtualMachine,
    "view": models.VirtualMachineInstanceView,
    "get_disk": models.Disk,
    "patch_disk": models.Disk,
}
# Beginning of a path that ours may lack → why.
_NOT_IN_MODEL = (
    "the SDK's model has no such member, and the local server answers none that it lacks"
)
_OF_WINDOWS = "the recorded machine is a Windows; ours are Linux"
_OF_AGENT = "told by an agent in the machine; ours have none"
_OF_DATA_DISKS = "our machines have no data disks"
_OF_POLICY = "put there by a policy of the recorded subscription"
MAY_LACK = {
    "put_nic": {
        ".kind": _NOT_IN_MODEL,
        ".properties.allowPort25Out": _NOT_IN_MODEL,
        ".properties.ipConfigurations[].type": _NOT_IN_MODEL,
    },
    "put_vm": {
        ".properties.osProfile.windowsConfiguration": _OF_WINDOWS,
        ".properties.storageProfile.dataDisks[]": _OF_DATA_DISKS,
    },
    "view": {
        ".computerName": _OF_AGENT,
        ".osName": _OF_AGENT,
        ".osVersion": _OF_AGENT,
        ".vmAgent": _OF_AGENT,
        ".extensions": "our machines have no extensions",
    },
}
MAY_LACK["get_nic"] = MAY_LACK["put_nic"]
MAY_LACK["get_vm"] = MAY_LACK["put_vm"]
MAY_LACK["patch_vm"] = {**MAY_LACK["put_vm"], ".identity": _OF_POLICY}


def unexplained(call: str, real: Any, ours: Any) -> list[str]:
    """What ours lacks without a reason."""
    excused = tuple(MAY_LACK.get(call, ()))
    return [told for told in lacking(real, ours) if not told.startswith(excused)]


@pytest.fixture(scope="module")
def real(pytestconfig: pytest.Config) -> dict[str, Exchange]:
    try:
        with offline.lifted(pytestconfig):  # downloads, once
            tests = {name: recording(f"test_{name}") for name in ("compute_vm", "compute_disks")}
    except ProviderNotAvailableError as err:
        pytest.skip(f"The recorded answers of Azure can't be had: {err}")
    return {call: tests[test].exchange(method, end) for call, (test, method, end) in CALLS.items()}


@pytest.fixture(scope="module")
def ours(local_azure: LocalServer, real: dict[str, Exchange]) -> Iterator[dict[str, Exchange]]:
    account = Account(Admin(local_azure.endpoint))
    yield Walk(account, real).all()
    assert account.left() == []


class Walk:
    """The recorded calls, made with today's SDK in an order that lets them all succeed."""

    def __init__(self, account: Account, real: dict[str, Exchange]) -> None:
        hook = account.hook()
        self._compute, self._network = hook._compute, hook._network
        self._real = real

    def all(self) -> dict[str, Exchange]:
        vms, disks = self._compute.virtual_machines, self._compute.disks
        nics = self._network.network_interfaces
        tags = {"a": "b"}
        nic = self._begin(nics.begin_create_or_update, NIC, self._interface())
        vm = self._machine(nic.body["id"])
        done = {
            "put_nic": nic,
            "get_nic": self._ask(nics.get, NIC),
            "put_vm": self._begin(vms.begin_create_or_update, NAME, vm),
            "get_vm": self._ask(vms.get, NAME),
            "view": self._ask(vms.instance_view, NAME),
            "patch_vm": self._begin(vms.begin_update, NAME, {"tags": tags}),
            "deallocate": self._begin(vms.begin_deallocate, NAME),
            "start": self._begin(vms.begin_start, NAME),
            "delete_vm": self._begin(vms.begin_delete, NAME),
            "get_disk": self._ask(disks.get, DISK),
            "patch_disk": self._begin(disks.begin_update, DISK, {"tags": tags}),
            "delete_disk": self._begin(disks.begin_delete, DISK),
        }
        self._begin(nics.begin_delete, NIC)
        return done

    def _interface(self) -> Any:
        body = copy.deepcopy(self._real["put_nic"].asked)
        body["location"] = REGION
        body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = subnet_id()
        return body

    def _machine(self, nic: str) -> Any:
        """The recorded request, of what is offered here."""
        body = copy.deepcopy(self._real["put_vm"].asked)
        body.update(location=REGION, tags={"a": "b"})
        properties = body["properties"]
        properties["hardwareProfile"]["vmSize"] = "Standard_B1ms"
        properties["storageProfile"]["imageReference"] = {
            "publisher": "Canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "version": "latest",
        }
        del (
            properties["storageProfile"]["dataDisks"],
            properties["osProfile"]["windowsConfiguration"],
        )
        properties["networkProfile"]["networkInterfaces"][0]["id"] = nic
        return body

    def _ask(self, call: Callable[..., Any], name: str) -> Exchange:
        return _exchange(call(EMPTY_GROUP, name, cls=_response))

    def _begin(self, call: Callable[..., Any], *given: Any) -> Exchange:
        answer = call(EMPTY_GROUP, *given, polling=False, cls=_response).result()
        link = answer.headers.get("Azure-AsyncOperation")
        looks: list[Any] = []
        while link and (not looks or looks[-1]["status"] == "InProgress"):
            looks.append(self._compute.send_request(HttpRequest("GET", link)).json())
        location = answer.headers.get("Location")
        monitored = (
            self._compute.send_request(HttpRequest("GET", location)).status_code
            if location
            else None
        )
        return _exchange(answer, looks=tuple(looks), monitored=monitored)


def _response(answer: Any, _value: Any, _headers: Any) -> Any:
    return answer.http_response


def _exchange(answer: Any, **more: Any) -> Exchange:
    return Exchange(
        status=answer.status_code,
        headers=frozenset(name for name in HEADERS if name in answer.headers),
        body=answer.json() if answer.text() else None,
        **more,
    )


Answers = dict[str, Exchange]


@pytest.mark.parametrize("call", CALLS)
def test_first_answer(call: str, real: Answers, ours: Answers) -> None:
    assert (ours[call].status, ours[call].headers) == (real[call].status, real[call].headers)
    assert unexplained(call, real[call].body, ours[call].body) == []
    if call in MODELS:  # what ours has besides, today's Azure may have
        assert violations(MODELS[call], ours[call].body, "read") == []
    else:
        assert ours[call].body == real[call].body


@pytest.mark.parametrize("call", CALLS)
def test_operation(call: str, real: Answers, ours: Answers) -> None:
    assert ours[call].states == real[call].states
    for theirs in real[call].looks:
        mine = next(look for look in ours[call].looks if look["status"] == theirs["status"])
        assert lacking(theirs, mine) == []
        assert set(mine) == set(theirs)
    if real[call].monitored is not None:
        assert ours[call].monitored == real[call].monitored


@pytest.mark.parametrize("call", MAY_LACK)
def test_each_reason_is_still_needed(call: str, real: Answers, ours: Answers) -> None:
    told = lacking(real[call].body, ours[call].body)
    needed = [path for path in MAY_LACK[call] if any(one.startswith(path) for one in told)]
    assert needed == list(MAY_LACK[call])


def test_a_changed_shape_is_noticed(real: Answers, ours: Answers) -> None:
    broken = copy.deepcopy(ours["get_vm"].body)
    del broken["properties"]["vmId"]
    broken["properties"]["storageProfile"]["osDisk"]["diskSizeGB"] = "30"
    assert unexplained("get_vm", real["get_vm"].body, broken) == [
        ".properties.storageProfile.osDisk.diskSizeGB: number, not string",
        ".properties.vmId: string, not there",
    ]

"""What the local server refuses, and what its answers have in common with recorded ones.

The facts are those of the recordings that azure-mgmt-compute's own tests hold of a machine
(2022-11-01) and a disk (2022-07-02); nothing here reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.compute import models

from airflow_multicloud.testing.local_clouds.azure.compute import (
    EMPTY_GROUP,
    REGION,
    RESOURCE_GROUP,
    subnet_id,
)
from tests.integration.compute_azure.bodies import interface, machine

if TYPE_CHECKING:
    from tests.integration.compute_azure.conftest import Account

NICS = f"/resourceGroups/{EMPTY_GROUP}/providers/Microsoft.Network/networkInterfaces"
VERSION = "2026-03-01"


class Asking:
    """Requests of any form, as the SDK's client sends them."""

    def __init__(self, account: Account) -> None:
        self.hook = account.hook()
        self.client = self.hook._network
        self.base = f"{self.hook._manager.endpoint}/subscriptions/{self.hook.subscription}"

    def __call__(self, method: str, path: str, body: Any = None, version: str = VERSION) -> Any:
        url = f"{self.base}{path}?api-version={version}"
        return self.client.send_request(HttpRequest(method, url, json=body))


@pytest.fixture
def ask(account: Account) -> Asking:
    return Asking(account)


def body(**changes: Any) -> dict[str, Any]:
    configuration = {"name": "c", "properties": {"subnet": {"id": subnet_id()}}}
    properties = {"ipConfigurations": [configuration], **changes.pop("properties", {})}
    return {"location": REGION, "properties": properties, **changes}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (body(surprise=1), "member 'surprise'"),
        (body(properties={"provisioningState": "Succeeded"}), "read-only"),
        (body(tags={"a": 1}), "Path 'tags.a'"),
        ([], "Expected a JSON object"),
    ],
)
def test_a_body_that_the_sdk_would_not_send(ask: Asking, given: Any, said: str) -> None:
    answer = ask("PUT", f"{NICS}/n1", given)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidRequestContent"
    assert said in answer.json()["error"]["message"]


def test_another_api_version(ask: Asking) -> None:
    answer = ask("GET", f"{NICS}/n1", version="2019-01-01")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidApiVersionParameter"


def test_a_subnet_that_is_not_there(ask: Asking) -> None:
    wanted = body()
    wanted["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] += "-none"
    answer = ask("PUT", f"{NICS}/n1", wanted)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceReference")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{NICS}/n1", "ResourceNotFound"),
        (NICS.replace(EMPTY_GROUP, "nowhere") + "/n1", "ResourceGroupNotFound"),
        ("/providers/Microsoft.Network/surprises", "InvalidResourceType"),
    ],
)
def test_what_is_not_there(ask: Asking, path: str, code: str) -> None:
    answer = ask("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_deleting_what_is_not_there(ask: Asking) -> None:
    assert ask("DELETE", f"{NICS}/n1").status_code == 204


def first_answer(call: Any, *given: Any, **options: Any) -> Any:
    """The raw answer to a request that begins something."""
    return (
        call(*given, polling=False, cls=lambda answer, _value, _headers: answer, **options)
        .result()
        .http_response
    )


def test_answers_are_as_recorded(account: Account) -> None:
    """Status codes, headers and bodies, in the order of a machine's life."""
    hook = account.hook()
    compute, nics = hook._compute, hook._network.network_interfaces
    machines, group, name = compute.virtual_machines, EMPTY_GROUP, "recorded"
    made = first_answer(
        nics.begin_create_or_update,
        group,
        f"{name}-nic",
        interface({"multicloud-token": "x", "azure-test": "yes"}),
    )
    assert made.status_code == 201
    assert "/providers/Microsoft.Network/locations/" in made.headers["Azure-AsyncOperation"]
    assert "Location" not in made.headers
    seen = made.json()
    assert {"name", "id", "type", "location", "properties"} <= set(seen)
    configuration = seen["properties"]["ipConfigurations"][0]["properties"]
    assert configuration["privateIPAllocationMethod"] == "Dynamic"
    assert configuration["provisioningState"] == seen["properties"]["provisioningState"]

    born = first_answer(machines.begin_create_or_update, group, name, machine(name, seen["id"]))
    assert born.status_code == 201
    assert "/providers/Microsoft.Compute/locations/" in born.headers["Azure-AsyncOperation"]
    assert "Location" not in born.headers
    assert int(born.headers["Retry-After"]) > 0
    properties = born.json()["properties"]
    assert properties["provisioningState"] == "Creating"
    assert {"vmId", "hardwareProfile", "storageProfile", "osProfile"} <= set(properties)
    assert "customData" not in properties["osProfile"]

    link = born.headers["Azure-AsyncOperation"]
    looks = [compute.send_request(HttpRequest("GET", link)).json() for _ in range(2)]
    assert [set(look) for look in looks] == [
        {"startTime", "status", "name"},
        {"startTime", "endTime", "status", "name"},
    ]
    assert [look["status"] for look in looks] == ["InProgress", "Succeeded"]
    codes = [status.code for status in machines.instance_view(group, name).statuses]
    assert codes == ["ProvisioningState/succeeded", "PowerState/running"]

    tags = {"multicloud-token": "x", "azure-test": "yes"}
    patched = first_answer(
        compute.disks.begin_update, group, f"{name}-disk", models.DiskUpdate(tags=tags)
    )
    assert patched.status_code == 202
    assert "/DiskOperations/" in patched.headers["Azure-AsyncOperation"]
    assert "monitor=true" in patched.headers["Location"]
    changed = first_answer(
        machines.begin_update, group, name, models.VirtualMachineUpdate(tags=tags)
    )
    assert changed.status_code == 200
    for call in (machines.begin_deallocate, machines.begin_start, machines.begin_delete):
        answer = first_answer(call, group, name)
        assert answer.status_code == 202
        assert not answer.text()
        assert "monitor=true" in answer.headers["Location"]
        link = answer.headers["Azure-AsyncOperation"]
        for _ in range(2):
            told = compute.send_request(HttpRequest("GET", link)).json()
        assert told["status"] == "Succeeded"


def test_a_machine_is_not_made_twice(account: Account) -> None:
    order = account.order()
    account.launched(order)
    hook = account.hook()
    nic = hook._network.network_interfaces.get(EMPTY_GROUP, f"{order.name}-nic")
    with pytest.raises(HttpResponseError) as caught:
        hook._compute.virtual_machines.begin_create_or_update(
            EMPTY_GROUP,
            order.name,
            machine(order.name, nic.id),
            etag="*",
            match_condition=MatchConditions.IfMissing,
        )
    assert caught.value.status_code == 412


def test_an_interface_of_a_machine_stays(account: Account) -> None:
    order = account.order()
    account.launched(order)
    with pytest.raises(HttpResponseError) as caught:
        account.hook()._network.network_interfaces.begin_delete(EMPTY_GROUP, f"{order.name}-nic")
    assert caught.value.error.code == "NicInUse"


def test_the_networks_are_there(account: Account) -> None:
    seen = account.hook()._network.virtual_networks.get(RESOURCE_GROUP, f"net-{REGION}")
    assert [subnet.id for subnet in seen.properties.subnets] == [subnet_id()]

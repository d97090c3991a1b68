"""Network interfaces and public addresses, and the networks that are there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from azure.mgmt.network import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.network.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute import (
    RESOURCE_GROUP,
    security_group_id,
    subnet_id,
)
from airflow_multicloud.testing.local_clouds.azure.compute.catalogue import REGIONS
from airflow_multicloud.testing.local_clouds.azure.compute.defaults import fill_interface
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    Body,
    World,
    accepted,
    invalid_reference,
    listed,
    tracked,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_PROVIDER = "Microsoft.Network"
NIC, IP = f"{_PROVIDER}/networkInterfaces", f"{_PROVIDER}/publicIPAddresses"
_NETWORK, _GROUP = f"{_PROVIDER}/virtualNetworks", f"{_PROVIDER}/networkSecurityGroups"
_SKIP = frozenset({"$skiptoken"})


def set_up(world: World) -> None:
    """The networks that are there from the start."""
    world.groups.add(RESOURCE_GROUP)
    for region in REGIONS:
        subnet, group = subnet_id(region), security_group_id(region)
        network = subnet.partition("/subnets/")[0]
        world.kept[network.lower()] = {
            "id": network,
            "name": network.rpartition("/")[2],
            "type": _NETWORK,
            "location": region,
            "properties": {
                "provisioningState": "Succeeded",
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "id": subnet,
                        "name": subnet.rpartition("/")[2],
                        "properties": {
                            "provisioningState": "Succeeded",
                            "addressPrefix": "10.0.0.0/24",
                        },
                    }
                ],
            },
        }
        world.kept[group.lower()] = {
            "id": group,
            "name": group.rpartition("/")[2],
            "type": _GROUP,
            "location": region,
            "properties": {"provisioningState": "Succeeded", "securityRules": []},
        }


def routes(world: World) -> list[Route]:
    """The operations served."""
    within: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
    }
    nic = {**within, "network_interface_name": "{name}"}
    ip = {**within, "public_ip_address_name": "{name}"}
    locked = world.handler
    get_nic = operations.build_network_interfaces_get_request(**nic, expand="any")
    get_ip = operations.build_public_ip_addresses_get_request(**ip, expand="any")
    return [
        sdk_route(
            operations.build_virtual_networks_get_request(
                **within, virtual_network_name="{name}", expand="any"
            ),
            locked(lambda call: conforming(models.VirtualNetwork, world.required(call))),
        ),
        sdk_route(
            operations.build_network_security_groups_get_request(
                **within, network_security_group_name="{name}", expand="any"
            ),
            locked(lambda call: conforming(models.NetworkSecurityGroup, world.required(call))),
        ),
        sdk_route(
            get_nic, locked(lambda call: conforming(models.NetworkInterface, world.required(call)))
        ),
        sdk_route(
            operations.build_network_interfaces_create_or_update_request(**nic),
            locked(lambda call: _put_nic(world, call)),
            body=models.NetworkInterface,
        ),
        sdk_route(
            operations.build_network_interfaces_update_tags_request(**nic),
            locked(lambda call: _tag(world, call, models.NetworkInterface)),
            body=models.TagsObject,
            operation="update",
        ),
        sdk_route(
            operations.build_network_interfaces_delete_request(**nic),
            locked(lambda call: _delete_nic(world, call)),
        ),
        sdk_route(
            operations.build_network_interfaces_list_request("{group}", "{subscription}"),
            locked(
                lambda call: listed(
                    call, models.NetworkInterface, world.of_type(NIC, call.variables["group"])
                )
            ),
            also=_SKIP,
        ),
        sdk_route(
            operations.build_network_interfaces_list_all_request("{subscription}"),
            locked(lambda call: listed(call, models.NetworkInterface, world.of_type(NIC))),
            also=_SKIP,
        ),
        sdk_route(
            get_ip, locked(lambda call: conforming(models.PublicIPAddress, world.required(call)))
        ),
        sdk_route(
            operations.build_public_ip_addresses_create_or_update_request(**ip),
            locked(lambda call: _put_ip(world, call)),
            body=models.PublicIPAddress,
        ),
        sdk_route(
            operations.build_public_ip_addresses_update_tags_request(**ip),
            locked(lambda call: _tag(world, call, models.PublicIPAddress)),
            body=models.TagsObject,
            operation="update",
        ),
        sdk_route(
            operations.build_public_ip_addresses_delete_request(**ip),
            locked(lambda call: _delete_ip(world, call)),
        ),
        sdk_route(
            operations.build_public_ip_addresses_list_all_request("{subscription}"),
            locked(lambda call: listed(call, models.PublicIPAddress, world.of_type(IP))),
            also=_SKIP,
        ),
    ]


def _put_nic(world: World, call: Call) -> Answer:
    body = tracked(call, NIC, call.json)
    key, properties = body["id"].lower(), body["properties"]
    etag = body["etag"] = f'W/"{uuid.uuid4()}"'
    if (group := properties.get("networkSecurityGroup")) is not None:
        _check_there(world, group["id"], body)
    for configuration in properties["ipConfigurations"]:
        wanted = configuration["properties"]
        _check_subnet(world, wanted["subnet"]["id"], body)
        if (address := wanted.get("publicIPAddress")) is not None:
            _check_there(world, address["id"], body)
            world.kept[address["id"].lower()]["properties"]["deleteOption"] = (
                address.get("properties") or {}
            ).get("deleteOption", "Detach")
            wanted["publicIPAddress"] = {"id": address["id"]}
        wanted.update(
            provisioningState="Succeeded",
            privateIPAddress=world.machines.address(key),
            privateIPAllocationMethod="Dynamic",
            privateIPAddressVersion="IPv4",
            primary=True,
        )
        configuration["id"] = f"{body['id']}/ipConfigurations/{configuration['name']}"
        configuration["etag"] = etag
    before = world.kept.get(key)
    if before is not None:
        kept = ("virtualMachine", "resourceGuid")
        properties.update({k: v for k, v in before["properties"].items() if k in kept})
    fill_interface(properties)
    properties["provisioningState"] = "Succeeded"
    world.kept[key] = body
    operation = world.begin(key, 1, lambda: None)
    headers = accepted(call, _PROVIDER, body["location"], operation)
    del headers["Location"]
    status = HTTPStatus.CREATED if before is None else HTTPStatus.OK
    return replace(conforming(models.NetworkInterface, body), status=status, headers=headers)


def _put_ip(world: World, call: Call) -> Answer:
    body = tracked(call, IP, call.json)
    key = body["id"].lower()
    before = world.kept.get(key)
    address = (
        before["properties"]["ipAddress"] if before else f"192.0.2.{next(world.numbers) % 256}"
    )
    body.setdefault("properties", {}).update(provisioningState="Succeeded", ipAddress=address)
    world.kept[key] = body
    operation = world.begin(key, 1, lambda: None)
    headers = accepted(call, _PROVIDER, body["location"], operation)
    status = HTTPStatus.CREATED if before is None else HTTPStatus.OK
    return replace(conforming(models.PublicIPAddress, body), status=status, headers=headers)


def _tag(world: World, call: Call, model: type) -> Answer:
    body = world.required(call)
    body["tags"] = call.json.get("tags") or {}
    return conforming(model, body)


def _delete_nic(world: World, call: Call) -> Answer:
    body = world.kept.get(call.request.path.lower())
    if body is None:
        return Answer(status=HTTPStatus.NO_CONTENT)
    if (user := body["properties"].get("virtualMachine")) is not None:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "NicInUse",
            f"Network Interface {body['id']} is used by existing resource {user['id']}. In order "
            "to delete the network interface, it must be dissociated from the resource.",
        )
    return _deleted(world, call, body, lambda: remove_nic(world, body))


def _delete_ip(world: World, call: Call) -> Answer:
    body = world.kept.get(call.request.path.lower())
    if body is None:
        return Answer(status=HTTPStatus.NO_CONTENT)
    if any(body["id"].lower() in _addresses(nic) for nic in world.of_type(NIC)):
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "PublicIPAddressCannotBeDeleted",
            f"Public IP address {body['id']} can not be deleted since it is still allocated.",
        )
    return _deleted(world, call, body, lambda: world.remove(body["id"]))


def _deleted(world: World, call: Call, body: Body, gone: Callable[[], None]) -> Answer:
    body["properties"]["provisioningState"] = "Deleting"
    operation = world.begin(body["id"], 2, gone)
    headers = accepted(call, _PROVIDER, body["location"], operation)
    return Answer(status=HTTPStatus.ACCEPTED, headers=headers)


def remove_nic(world: World, body: Body) -> None:
    """Remove an interface, and its machine's address with it."""
    world.machines.remove(body["id"].lower())
    world.remove(body["id"])


def _addresses(nic: Body) -> set[str]:
    """The ids of an interface's public addresses."""
    of_each = [
        c["properties"].get("publicIPAddress") for c in nic["properties"]["ipConfigurations"]
    ]
    return {address["id"].lower() for address in of_each if address}


def addresses_to_delete(world: World, nic: Body) -> list[str]:
    """The public addresses that go with the machine of an interface."""
    return [
        id_
        for id_ in _addresses(nic)
        if world.kept.get(id_, {}).get("properties", {}).get("deleteOption") == "Delete"
    ]


def _check_there(world: World, id_: str, by: Body) -> None:
    found = world.kept.get(id_.lower())
    if found is None or found["location"] != by["location"]:
        raise invalid_reference(id_, by["id"])


def _check_subnet(world: World, id_: str, by: Body) -> None:
    network = re.sub(r"/subnets/[^/]+$", "", id_, flags=re.IGNORECASE)
    _check_there(world, network, by)
    subnets = world.kept[network.lower()]["properties"]["subnets"]
    if id_.lower() not in {subnet["id"].lower() for subnet in subnets}:
        raise invalid_reference(id_, by["id"])

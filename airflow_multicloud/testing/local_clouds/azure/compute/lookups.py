"""What is only asked for: sizes, images, and how operations are."""

from __future__ import annotations

import re
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
from airflow_multicloud.testing.local_clouds.azure.compute.catalogue import IMAGES, REGIONS, skus
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    World,
    check_scope,
    listed,
    resource_id,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_FILTER = re.compile(r"location eq '([\w ]+)'")
_OPERATION = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/providers/Microsoft\.(?P<provider>Compute|Network)"
    r"/locations/(?P<location>[^/]+)/(?:Disk)?operations/(?P<operation>[^/]+)",
    re.IGNORECASE,
)


def routes(world: World) -> list[Route]:
    """The operations served."""
    image: dict[str, Any] = {
        "location": "{location}",
        "publisher_name": "{publisher}",
        "offer": "{offer}",
        "skus": "{sku}",
        "subscription_id": "{subscription}",
    }
    within: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
    }
    return [
        sdk_route(
            operations.build_resource_skus_list_request("{subscription}", filter="any"),
            world.handler(_skus),
            also=frozenset({"$skiptoken"}),
        ),
        sdk_route(
            operations.build_virtual_machine_images_list_request(
                **image, expand="any", top=1, orderby="any"
            ),
            world.handler(_versions),
        ),
        sdk_route(
            operations.build_virtual_machine_images_get_request(**image, version="{version}"),
            world.handler(_image),
        ),
        sdk_route(
            operations.build_images_get_request(**within, image_name="{name}", expand="any"),
            world.handler(lambda call: conforming(models.Image, world.required(call))),
        ),
        Route(
            method="GET",
            path=_OPERATION,
            handler=lambda call: _operation(world, call),
            parameters=frozenset({"monitor"}),
        ),
    ]


def has_image(reference: dict[str, str]) -> bool:
    """Whether a machine can be made of this."""
    key = _key(*(str(reference.get(part, "")) for part in ("publisher", "offer", "sku")))
    versions = IMAGES.get(key, ())
    return bool(versions) and reference.get("version") in {*versions, "latest"}


def newest(reference: dict[str, str]) -> str:
    """The version that ``latest`` stands for."""
    return IMAGES[_key(reference["publisher"], reference["offer"], reference["sku"])][-1]


def _key(publisher: str, offer: str, sku: str) -> tuple[str, str, str]:
    return publisher.lower(), offer.lower(), sku.lower()


def _skus(call: Call) -> Answer:
    found = _FILTER.fullmatch(call.query.get("$filter", ""))
    if found is None:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidFilter",
            "The filter is not supported; expected location eq '…'.",
        )
    return listed(call, models.ResourceSku, skus(found[1].replace(" ", "").lower()))


def _known(call: Call) -> tuple[str, ...]:
    given = call.variables
    versions = IMAGES.get(_key(given["publisher"], given["offer"], given["sku"]))
    if given["location"].lower() not in REGIONS or versions is None:
        raise _no_image()
    return versions


def _no_image() -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, "NotFound", "Artifact: VMImage was not found.")


def _versions(call: Call) -> Answer:
    versions = list(_known(call))
    if (order := call.query.get("$orderby")) is not None:
        versions.sort(reverse=order.endswith(" desc"))
    if (top := call.query.get("$top")) is not None:
        versions = versions[: int(top)]
    base = f"{call.request.path}"
    items = [
        {"id": f"{base}/{version}", "name": version, "location": call.variables["location"]}
        for version in versions
    ]
    for item in items:
        conforming(models.VirtualMachineImageResource, item)
    return Answer(body=items)


def _image(call: Call) -> Answer:
    version = call.variables["version"]
    if version not in _known(call):
        raise _no_image()
    arm = call.variables["sku"].lower().endswith("arm64")
    body = {
        "id": call.request.path,
        "name": version,
        "location": call.variables["location"],
        "properties": {
            "architecture": "Arm64" if arm else "x64",
            "hyperVGeneration": "V2",
            "osDiskImage": {"operatingSystem": "Linux"},
        },
    }
    return conforming(models.VirtualMachineImage, body)


def _operation(world: World, call: Call) -> Answer:
    if "api-version" not in call.query:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    with world.lock:
        check_scope(call, world.groups)
        operation = world.operations.get(call.variables["operation"])
        if operation is None:
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                "NotFound",
                f"The entity {resource_id(call)} was not found.",
            )
        operation.look()
        if "monitor" in call.query:  # what Location leads to
            running = operation.ended is None
            return Answer(status=HTTPStatus.ACCEPTED if running else HTTPStatus.OK)
        told = operation.document()
        if call.variables["provider"].lower() == "network":  # it does not tell times and names
            told = {key: told[key] for key in ("status", "error") if key in told}
        return Answer(body=told)

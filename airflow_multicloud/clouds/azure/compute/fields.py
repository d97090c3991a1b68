"""Names, tags and states: what the port calls things, and what Azure does.

States: "States and billing status"
(https://learn.microsoft.com/azure/virtual-machines/states-billing).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.compute.errors import failure
from airflow_multicloud.clouds.azure.tagging import MOST_TAGS, TAG_RULES
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.compute import InstanceState, LaunchOrder

if TYPE_CHECKING:
    from azure.mgmt.compute.models import InstanceViewStatus

#: The tag that says by which order something was made; it is on everything that this package makes.
ORDER_TAG = "multicloud-token"

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[\w.()-]{0,89}[\w()-])"
    r"/providers/(?P<type>[\w.]+/\w+)/(?P<name>[\w.-]{0,79}\w)",
    re.IGNORECASE,
)
_TYPE = "Microsoft.Compute/virtualMachines"
_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
# "Custom data and cloud-init": 64 KiB after decoding
# (https://learn.microsoft.com/azure/virtual-machines/custom-data).
_LONGEST_SCRIPT = 65535


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance lies, by which it and its parts are named.

    :param group: its resource group, in lower case: Azure takes and gives it in any.
    """

    subscription: str
    group: str
    name: str

    @property
    def id(self) -> str:
        """The ``ref.id``: one form, whatever case Azure answers with."""
        within = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{within}/providers/{_TYPE}/{self.name}"

    @property
    def nic(self) -> str:
        """The name of its network interface."""
        return f"{self.name}-nic"

    @property
    def disk(self) -> str:
        """The name of its boot disk."""
        return f"{self.name}-disk"

    @property
    def public_ip(self) -> str:
        """The name of its public address."""
        return f"{self.name}-ip"


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A resource's id, taken apart; ``type`` in lower case."""

    subscription: str
    group: str
    type: str
    name: str


def parsed(text: str | None) -> ResourceId | None:
    """A resource's id, or ``None`` when it is none of a resource in a group."""
    found = _ID.fullmatch(text or "")
    if found is None:
        return None
    return ResourceId(
        found["subscription"], found["group"].lower(), found["type"].lower(), found["name"]
    )


def place_of(id_: str, subscription: str) -> Place:
    """Where an instance lies.

    :param subscription: the connection's.
    :raises DeploymentError: ``invalid_argument`` when it is not the id of a virtual machine, or
        the machine is in another subscription.
    """
    found = parsed(id_)
    if found is None or found.type != _TYPE.lower():
        raise failure(
            f"ref: {id_!r} given, expected /subscriptions/…/resourceGroups/…/providers/{_TYPE}/…"
        )
    if found.subscription.lower() != subscription.lower():
        raise failure(
            f"ref: {id_!r} is not in the connection's subscription, {subscription}; use a "
            "connection of its own"
        )
    return Place(subscription, found.group, found.name)


def check_order(order: LaunchOrder) -> None:
    """Refuse what can't be launched.

    :raises DeploymentError: ``invalid_argument``, naming the field.
    """
    if not _NAME.fullmatch(order.name):
        raise failure(
            f"name: {order.name!r} given; expected a lower-case letter, then those, digits and "
            "hyphens, at most 63"
        )
    try:
        uuid.UUID(order.token)
    except ValueError:
        raise failure("token: expected a UUID") from None
    size = len(order.startup_script.encode())
    if size > _LONGEST_SCRIPT:
        raise failure(f"startup_script: {size} bytes given, Azure takes at most {_LONGEST_SCRIPT}")
    check_labels(order.labels)


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that the port does not have.

    :raises DeploymentError: ``invalid_argument``.
    """
    for key, value in labels.items():
        if not (_NAME.fullmatch(key.replace("_", "-")) and _LABEL.fullmatch(value)):
            raise failure(
                f"labels: {key!r}={value!r} given; expected lower-case letters, digits, hyphens "
                "and underscores, at most 63 characters"
            )
    if ORDER_TAG in labels:
        raise failure(f"labels: {ORDER_TAG!r} is what instances are known by; choose another key")


def tags_of(order: LaunchOrder) -> dict[str, str]:
    """The tags of all that an order makes.

    :raises DeploymentError: ``invalid_argument`` when Azure has no room for them.
    """
    work = current_work().lasting().labels(TAG_RULES)
    tags = {**work, **order.labels, ORDER_TAG: order.token}
    if len(tags) > MOST_TAGS:
        raise failure(f"labels: {len(tags)} tags would be needed, Azure has {MOST_TAGS} at most")
    return tags


def carries(tags: Mapping[str, str], labels: Mapping[str, str | None]) -> bool:
    """Whether tags have all of these labels; ``None`` stands for any value."""
    return all(key in tags and value in (None, tags[key]) for key, value in labels.items())


def text_of(value: object) -> str:
    """What the service wrote, where the SDK gives a member of an enumeration or a text."""
    return "" if value is None else str(getattr(value, "value", value))


def region_of(location: str | None) -> str:
    """A region as the port writes it: ``West Europe`` is ``westeurope``."""
    return (location or "").replace(" ", "").lower()


def power_of(statuses: Iterable[InstanceViewStatus] | None) -> str:
    """The power state, ``running`` or ``deallocated``, say; empty where it has none yet."""
    codes = [(status.code or "").partition("/") for status in statuses or ()]
    return next((rest.lower() for head, _, rest in codes if head == "PowerState"), "")


def trouble_of(statuses: Iterable[InstanceViewStatus] | None) -> tuple[str | None, str | None]:
    """What a machine failed with, code and message: ``ProvisioningState/failed/<code>``."""
    for status in statuses or ():
        head, *rest = (status.code or "").split("/")
        if head == "ProvisioningState" and rest[:1] == ["failed"]:
            return (rest[1] if len(rest) > 1 else None), status.message or status.display_status
    return None, None


_BY_POWER = {
    "starting": InstanceState.PENDING,
    "running": InstanceState.RUNNING,
    "stopping": InstanceState.STOPPING,
    "deallocating": InstanceState.STOPPING,
    "stopped": InstanceState.STOPPED,
    "deallocated": InstanceState.STOPPED,
}


def state_of(provisioning: str | None, power: str) -> InstanceState:
    """The state of a machine.

    One that failed and runs nevertheless (an extension failed, say) runs.

    :param provisioning: its ``provisioningState``, of the last operation on it.
    """
    match (provisioning or "").lower():
        case "creating":
            return InstanceState.PENDING
        case "deleting":
            return InstanceState.TERMINATING
        case "failed" if power != "running":
            return InstanceState.FAILED
    return _BY_POWER.get(power, InstanceState.PENDING)


def missing(place: Place) -> Exception:
    """The error for an instance that is not there."""
    return failure(f"instance {place.id}: there is none on {NAME}", ErrorKind.NOT_FOUND)

"""EC2's answers as the port's values, and tags as it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from airflow_multicloud.clouds.aws.compute.errors import kind_of_reason
from airflow_multicloud.clouds.aws.consoles import console_page
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState

#: The tag that the console shows as an instance's name.
NAME_TAG = "Name"

#: "Instance lifecycle" of the Amazon EC2 user guide.
STATES: Mapping[str, InstanceState] = {
    "pending": InstanceState.PENDING,
    "running": InstanceState.RUNNING,
    "stopping": InstanceState.STOPPING,
    "stopped": InstanceState.STOPPED,
    "shutting-down": InstanceState.TERMINATING,
    "terminated": InstanceState.TERMINATED,
}
_ENDED = frozenset({InstanceState.STOPPED, InstanceState.TERMINATING, InstanceState.TERMINATED})


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The tags of what EC2 describes; network interfaces have them under another name."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or ()}


def tag_filters(labels: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Filters for what carries these labels; ``None`` stands for any value."""
    return [
        {"Name": "tag-key", "Values": [key]}
        if value is None
        else {"Name": f"tag:{key}", "Values": [_literal(value)]}
        for key, value in labels.items()
    ]


def _literal(value: str) -> str:
    """A value with nothing in it that a filter takes for a pattern."""
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def state_of(item: Mapping[str, Any]) -> InstanceState:
    """How an instance is.

    :raises KeyError: for a state that there is none.
    """
    return STATES[item["State"]["Name"]]


def reason_of(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Code and text of why an instance is as it is."""
    reason = item.get("StateReason") or {}
    return reason.get("Code") or None, reason.get("Message") or None


def instance_of(item: Mapping[str, Any], account_id: str, region: str) -> Instance:
    """An instance as the port has it.

    :param item: of ``DescribeInstances``.
    :param account_id: in which it is, by its reservation.
    :raises LookupError: when it is none.
    """
    state, tags = state_of(item), tags_of(item)
    code, text = reason_of(item)
    kind = kind_of_reason(code) if state in _ENDED else None
    return Instance(
        ref=InstanceRef(item["InstanceId"], region),
        name=tags.get(NAME_TAG, ""),
        state=state,
        account_id=account_id,
        size=item["InstanceType"],
        image=item["ImageId"],
        zone=item["Placement"]["AvailabilityZone"],
        labels=tags,
        address=item.get("PrivateIpAddress") or None,
        public_address=item.get("PublicIpAddress") or None,
        # The launch time is that of the last start; the first interface is there from the first.
        created_at=min(
            [
                item["LaunchTime"],
                *(nic["Attachment"]["AttachTime"] for nic in item.get("NetworkInterfaces", ())),
            ]
        ).astimezone(UTC),
        error_kind=kind,
        error=None if kind is None else text or code,
        console_url=console_page("ec2", region, f"InstanceDetails:instanceId={item['InstanceId']}"),
    )


def part_of(item: Mapping[str, Any], account_id: str, region: str) -> Instance:
    """A volume or a network interface without its machine, as the port has it.

    :param item: of ``DescribeVolumes`` or ``DescribeNetworkInterfaces``.
    :raises LookupError: when it is neither.
    """
    is_volume = "VolumeId" in item
    part_id = item["VolumeId"] if is_volume else item["NetworkInterfaceId"]
    page = "VolumeDetails:volumeId" if is_volume else "NetworkInterface:networkInterfaceId"
    tags = tags_of(item)
    return Instance(
        ref=InstanceRef(part_id, region),
        name=tags.get(NAME_TAG, ""),
        state=InstanceState.INCOMPLETE,
        account_id=account_id,
        size="",
        image="",
        zone=item["AvailabilityZone"],
        labels=tags,
        created_at=item.get("CreateTime"),
        console_url=console_page("ec2", region, f"{page}={part_id}"),
    )


def is_instance(ref: InstanceRef) -> bool:
    """Whether it is a machine, and not a part without one."""
    return ref.id.startswith("i-")


def rows_of(pages: Iterable[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """The entries of all pages."""
    return [row for page in pages for row in page.get(key) or ()]

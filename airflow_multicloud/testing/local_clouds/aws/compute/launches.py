"""``RunInstances``: client tokens, and what must be there.

Tokens: "Ensuring idempotency in Amazon EC2 API requests"
(docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html). A repeated request with the same
parameters gets the instance of the first as it is now; one with others is an
``IdempotentParameterMismatch``. When that instance has been terminated, both are an
``IdempotentInstanceTerminated`` ("Error codes for the Amazon EC2 API"). Tokens are kept for each
zone where the request names a subnet, else for the region.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from werkzeug import Request

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.compute.account import (
    Account,
    state_of,
    tag_interfaces,
)
from airflow_multicloud.testing.local_clouds.aws.compute.answers import (
    Refusal,
    XmlAnswer,
    answer_of,
    named_root,
)
from airflow_multicloud.testing.local_clouds.aws.compute.boots import Boot, Boots
from airflow_multicloud.testing.local_clouds.aws.compute.queries import Call
from airflow_multicloud.testing.local_clouds.aws.compute.words import REASONS, unsupported
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import SeededFaults
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCall,
    MachineCase,
)

_LONGEST_TOKEN = 64
# "Run commands when you launch an EC2 instance with user data input": before it is encoded.
_LONGEST_USER_DATA = 16 * 1024


@dataclass(slots=True)
class Launches:
    """The launches of the account; one at a time."""

    account: Account
    boots: Boots
    faults: SeededFaults
    #: Region, zone and token → the request, and the instance that it made.
    tokens: dict[tuple[str, str, str], tuple[Mapping[str, str], str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, request: Request, call: Call) -> tuple[XmlAnswer, str]:
        """Answer a request; the id of its instance.

        :raises Refusal: what EC2 refuses.
        """
        given, case = call.given, self.case_of(call)
        token = given.get("ClientToken", "")
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise Refusal("InvalidParameterValue", "ClientToken: at most 64 ASCII characters")
        key = (call.region, _zone_of_token(given, case), token)
        with self.lock:
            if token and (known := self.tokens.get(key)) is not None:
                before, instance_id = known
                self._check_alive(call.region, instance_id)
                if before != call.form:
                    raise Refusal(
                        "IdempotentParameterMismatch",
                        "Arguments on this idempotent request are inconsistent with arguments "
                        "used in previous request(s).",
                    )
            else:
                instance_id = self._new(request, call, case)
                if token:
                    self.tokens[key] = (call.form, instance_id)
        return self._reservation(request, instance_id), instance_id

    def _check_alive(self, region: str, instance_id: str) -> None:
        try:
            ended = state_of(self.account.instance(region, instance_id)) == "terminated"
        except Refusal:  # forgotten
            ended = True
        if ended:
            raise Refusal(
                "IdempotentInstanceTerminated",
                "The client token you have provided is associated with a terminated instance. "
                "Please use a different client token.",
            )

    def case_of(self, call: Call) -> MachineCase:
        """What a launch is about.

        :raises Refusal: when its subnet is not there.
        """
        subnet = _subnet_of(call.given)
        zone = call.given.get("Placement", {}).get("AvailabilityZone")
        return MachineCase(
            call=MachineCall.LAUNCH,
            name=_tags(call.given, "instance").get("Name", ""),
            region=call.region,
            zone=zone if subnet is None else self.account.zone_of(call.region, subnet),
            size=call.given.get("InstanceType"),
        )

    def _new(self, request: Request, call: Call, case: MachineCase) -> str:
        self._check(call, case)
        script = _user_data(call.given)
        boot = self._boot(case, script)
        root = self.account.ask(
            request,
            "RunInstances",
            **{k: v for k, v in call.form.items() if k not in ("Action", "Version")},
        )
        instance_id = str(root.findtext(".//instanceId"))
        instance = self.account.instance(call.region, instance_id)
        tag_interfaces(instance, _tags(call.given, "network-interface"))
        # As the API gives it: what moto does not keep, the machine does not run.
        attribute = self.account.ask(
            request, "DescribeInstanceAttribute", InstanceId=instance_id, Attribute="userData"
        )
        kept = attribute.findtext("userData/value") or ""
        if base64.b64decode(kept) != script:
            raise AssertionError("moto gives other user data than it got")
        self.boots.launch(call.region, instance_id, boot)
        return instance_id

    def _boot(self, case: MachineCase, script: bytes) -> Boot:
        """How the machine comes up, with the faults that meet it."""
        later = self.faults.meet(FaultKind.FAIL_LATER, case)
        if later is not None and later.error not in REASONS:
            raise unsupported(case.size, case.zone)
        slow = self.faults.meet(FaultKind.SLOW_BOOT, case)
        dies = self.faults.meet(FaultKind.DIE, case)
        return Boot(
            script=script,
            delay=0.0 if slow is None else slow.seconds,
            runs_script=self.faults.meet(FaultKind.NO_BOOT, case) is None,
            dies_after=None if dies is None else dies.seconds,
            fails=None if later is None else REASONS[ErrorKind(later.error)],
        )

    def _check(self, call: Call, case: MachineCase) -> None:
        given, backend = call.given, self.account.region(call.region)
        if given["MinCount"] != 1 or given["MaxCount"] != 1:
            raise Refusal("InvalidParameterValue", "MinCount: only 1 is simulated here")
        image = given.get("ImageId")
        if image is None:
            raise Refusal("MissingParameter", "The request must contain the parameter ImageId")
        if image not in backend.amis:
            raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
        self._check_size(backend, backend.amis[image], case)
        self._check_groups(call, backend)

    def _check_size(self, backend: Any, image: Any, case: MachineCase) -> None:
        size = next((one for one in backend.instance_types if one.name == case.size), None)
        if size is None:
            raise Refusal("InvalidParameterValue", f"Invalid value '{case.size}' for InstanceType.")
        wanted = {"instance-type": [case.size]} | ({"location": [case.zone]} if case.zone else {})
        if not backend.describe_instance_type_offerings("availability-zone", wanted):
            raise unsupported(case.size, case.zone)
        architectures = size["ProcessorInfo"]["SupportedArchitectures"]
        if image.architecture not in architectures:
            raise Refusal(
                "InvalidParameterValue",
                f"The architecture '{','.join(architectures)}' of the specified instance type "
                f"does not match the architecture '{image.architecture}' of the specified AMI.",
            )

    def _check_groups(self, call: Call, backend: Any) -> None:
        subnet_id = _subnet_of(call.given)
        for group_id in _groups_of(call.given):
            group = backend.get_security_group_from_id(group_id)
            if group is None:
                raise Refusal(
                    "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
                )
            if subnet_id is not None:
                subnet = self.account.subnet(call.region, subnet_id)
                if subnet.vpc_id != group.vpc_id:
                    raise Refusal(
                        "InvalidParameter",
                        f"Security group {group_id} and subnet {subnet_id} belong to different "
                        "networks.",
                    )

    def _reservation(self, request: Request, instance_id: str) -> XmlAnswer:
        found = self.account.ask(
            request, "DescribeInstances", **{"InstanceId.1": instance_id}
        ).find("reservationSet/item")
        root = named_root("RunInstances")
        root.extend(list(ET.Element("none") if found is None else found))
        return answer_of(root)


def _zone_of_token(given: Mapping[str, Any], case: MachineCase) -> str:
    explicit = _subnet_of(given) or given.get("Placement", {}).get("AvailabilityZone")
    return str(case.zone) if explicit else ""


def _subnet_of(given: Mapping[str, Any]) -> str | None:
    if "SubnetId" in given:
        return str(given["SubnetId"])
    return next(
        (str(nic["SubnetId"]) for nic in given.get("NetworkInterfaces", ()) if "SubnetId" in nic),
        None,
    )


def _groups_of(given: Mapping[str, Any]) -> list[str]:
    of_interfaces = [nic.get("Groups", ()) for nic in given.get("NetworkInterfaces", ())]
    return [
        group for groups in (given.get("SecurityGroupIds", ()), *of_interfaces) for group in groups
    ]


def _tags(given: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {
        tag["Key"]: tag.get("Value", "")
        for one in given.get("TagSpecifications", ())
        if one.get("ResourceType") == kind
        for tag in one.get("Tags", ())
    }


def _user_data(given: Mapping[str, Any]) -> bytes:
    try:
        data = base64.b64decode(given.get("UserData", ""), validate=True)
    except (ValueError, binascii.Error):
        raise Refusal(
            "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data."
        ) from None
    if len(data) > _LONGEST_USER_DATA:
        raise Refusal("InvalidParameterValue", "User data is limited to 16384 bytes")
    return data

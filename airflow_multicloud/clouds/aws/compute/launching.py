"""Launching an instance, once for each order."""

from __future__ import annotations

import time
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.compute.fields import (
    NAME_TAG,
    rows_of,
    state_of,
)
from airflow_multicloud.clouds.aws.compute.images import Images
from airflow_multicloud.clouds.aws.compute.operations import (
    UNSEEN,
    Handle,
    RunningOperations,
    told,
)
from airflow_multicloud.clouds.aws.tagging import TAG_RULES, tag_list
from airflow_multicloud.errors import DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.compute import LaunchOrder
from airflow_multicloud.ports.operations import Operation

# Before it is encoded: "Run commands when you launch an EC2 instance with user data input".
_LONGEST_SCRIPT = 16 * 1024
# "Error codes for the Amazon EC2 API"
# (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
_MISMATCH = "IdempotentParameterMismatch"
_TERMINATED = "IdempotentInstanceTerminated"
# The launching client does not try again by itself.
_WAITS = (0.5, 1.0, 2.0)
_AGAIN = (ErrorKind.THROTTLED, ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT)


class Launches(RunningOperations, Images):
    """The port's ``launch_instance``.

    The order's token is EC2's client token. A subnet is always named, so EC2 keeps tokens for each
    zone: "RunInstances idempotency" in "Ensuring idempotency in Amazon EC2 API requests"
    (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html). An order that is tried in
    another zone needs another token.
    """

    def launch_instance(self, order: LaunchOrder) -> Operation:
        """Launch one instance, or find the one of this order; see the port."""
        spec = order.spec
        if spec.account_id != (own := self._own_account()):
            raise failure(
                f"account_id: the order is for {spec.account_id}, connection "
                f"{self.aws_conn_id!r} is of {own}",
                ErrorKind.INVALID_ARGUMENT,
            )
        size = len(order.startup_script.encode())
        if size > _LONGEST_SCRIPT:
            raise failure(
                f"startup_script: it has {size} bytes, expected at most {_LONGEST_SCRIPT}",
                ErrorKind.INVALID_ARGUMENT,
            )
        wanted = self._wanted(order)
        try:
            item = self._run(order, wanted)
        except DeploymentError as err:
            if err.code == _TERMINATED:
                raise _spent(order, "its instance has been terminated", err) from err
            if err.code != _MISMATCH:
                raise
            # A retry's script names another signed URL.
            item = self._of_token(order, err)
        doing = f"launching {order.name}"
        with well_formed(doing, NAME, area=DeploymentError):
            state = state_of(item)
        if not state.is_live:
            raise _spent(order, f"its instance {item['InstanceId']} is {state}")
        return told("launch", item, Handle.new(spec.region))

    def _run(self, order: LaunchOrder, wanted: dict[str, Any]) -> dict[str, Any]:
        spec = order.spec
        doing = f"launching {order.name} as {spec.size.name} in {spec.zone}"
        client = self._launcher_of(spec.region)
        waits = iter(_WAITS)
        while True:
            try:
                with translated(doing):
                    answer = client.run_instances(**wanted)
                break
            except DeploymentError as err:
                wait = next(waits, None)
                if err.kind not in _AGAIN or wait is None:
                    raise
                asked = 0.0 if err.retry_after is None else err.retry_after.total_seconds()
                time.sleep(max(wait, min(asked, _WAITS[-1])))
        with well_formed(doing, NAME, area=DeploymentError):
            (item,) = answer["Instances"]
        found: dict[str, Any] = item
        return found

    def _of_token(self, order: LaunchOrder, mismatch: DeploymentError) -> dict[str, Any]:
        """The instance that the order's token made.

        EC2 knows the token, but may list its instance not yet, or no more: it forgets a terminated
        one after about an hour. Which of them it is, only time tells. What the token made was there
        before the first of these answers that this process saw, and EC2 may lack it for at most
        :data:`~.operations.UNSEEN`; a token that has made something makes nothing else. So
        nothing is left of it when it is not listed for longer than that. A process that asks for a
        shorter time than that goes away with ``busy``, and makes no second instance.

        :raises SpentTokenError: when EC2 has not listed it for that long.
        :raises DeploymentError: ``busy`` before.
        """
        since = self._session.once(("mismatch", order.token, order.spec.zone), time.monotonic)
        spec = order.spec
        filters = [{"Name": "client-token", "Values": [order.token]}]
        client = self._client_of("ec2", spec.region)
        for wait in (*_WAITS, None):
            with translated(f"looking for the instance of {order.name}"):
                pages = client.get_paginator("describe_instances").paginate(Filters=filters)
                reservations = rows_of(pages, "Reservations")
            with well_formed(
                f"looking for the instance of {order.name}", NAME, area=DeploymentError
            ):
                items = [item for one in reservations for item in one["Instances"]]
                # That of this zone, where the token was used in others too.
                items.sort(key=lambda item: item["Placement"]["AvailabilityZone"] != spec.zone)
            if items:
                found: dict[str, Any] = items[0]
                return found
            if wait is not None:
                time.sleep(wait)
        if time.monotonic() - since > UNSEEN.total_seconds():
            raise _spent(order, "EC2 does not list its instance any more", mismatch) from mismatch
        raise failure(
            f"launching {order.name}: its token was used before, and EC2 does not list the "
            "instance yet; try again",
            ErrorKind.BUSY,
        ) from mismatch

    def _wanted(self, order: LaunchOrder) -> dict[str, Any]:
        """The arguments of ``RunInstances``."""
        spec = order.spec
        tags = tag_list(
            {**current_work().lasting().labels(TAG_RULES), **order.labels, NAME_TAG: order.name}
        )
        interface: dict[str, Any] = {
            "DeviceIndex": 0,
            "SubnetId": spec.subnet,
            "AssociatePublicIpAddress": spec.public_address,
            "DeleteOnTermination": True,
        }
        if spec.security_groups:
            interface["Groups"] = list(spec.security_groups)
        wanted: dict[str, Any] = {
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": order.token,
            "ImageId": spec.image.id,
            "InstanceType": spec.size.name,
            "UserData": order.startup_script,
            "NetworkInterfaces": [interface],
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": tags}
                for kind in ("instance", "volume", "network-interface")
            ],
            # The user data is readable for who has a token of the metadata service only.
            "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},
            "InstanceInitiatedShutdownBehavior": "stop",
        }
        if disks := self._disks(spec.image, spec.disk_bytes, spec.region):
            wanted["BlockDeviceMappings"] = disks
        if spec.identity is not None:
            wanted["IamInstanceProfile"] = {"Arn": spec.identity}
        return wanted


def _spent(order: LaunchOrder, why: str, err: DeploymentError | None = None) -> SpentTokenError:
    return SpentTokenError(
        f"token: {order.name} was launched with it before, and {why}; expected a new token",
        cloud=NAME,
        code=None if err is None else err.code,
    )

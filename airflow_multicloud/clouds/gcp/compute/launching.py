"""Launching, once for each order.

An instance's name is unique in its zone, so an order can never have two. The order's token is the
request id, which has Google answer a repeated request with the first one's operation
(https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert; for how long it does is
not said), and stands in the instance's metadata, which tells the order's own instance from
another's for good.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.adapters.answers import moment
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.fields import DISK_NOTE, STATES, TOKEN, Place, token_of
from airflow_multicloud.clouds.gcp.compute.images import GIB
from airflow_multicloud.clouds.gcp.compute.operations import (
    DONE,
    LAUNCH,
    GCPOperations,
    Handle,
    begun,
    failure_in,
    operation_of,
    state_by,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.compute import InstanceState, LaunchOrder
from airflow_multicloud.ports.operations import Operation

#: How old a failed launch may be to be this request's own. Google's time is compared with this
#: machine's here; Google refuses the tokens of a machine whose clock is wrong by minutes.
_FRESH: Final = timedelta(minutes=2)
#: What an instance may do is up to its service account's roles alone:
#: https://cloud.google.com/compute/docs/access/service-accounts#scopes_best_practice
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"


class GCPLaunching(GCPOperations):
    """The port's ``launch_instance``."""

    def launch_instance(self, order: LaunchOrder) -> Operation:
        """Launch one instance, or find the one of this order; see the port.

        A request that failed is answered with its failure again, also when there is room by now:
        one that began longer ago than :data:`_FRESH` is spent. A younger failure is told as it is.

        Google runs the startup script at every start, not only the first. It stays readable in the
        instance's metadata, from within and for who may read instances, as long as the instance is
        there.
        """
        spec = order.spec
        if spec.zone is None:
            raise wrong("zone", "none given; expected the one that resolve_launch names")
        place = Place(spec.account_id, spec.zone, order.name)
        request = compute_v1.InsertInstanceRequest(
            project=place.project,
            zone=place.zone,
            request_id=order.token,
            instance_resource=_resource(order, place),
        )
        try:
            with translated(f"launching {place.id}"):
                told = self._instances.insert_unary(request, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            return self._adopted(order, place, err)
        if told.status == DONE and not told.error.errors:
            return self._of_old(order, place, told)
        if _is_old_failure(told) and self._found_instance(place) is None:
            raise SpentTokenError(
                f"token: the request {order.token} to launch {order.name} failed before, and "
                "Google gives its old answer; expected a new token",
                cloud=NAME,
            )
        return begun(LAUNCH, place, told)

    def _adopted(self, order: LaunchOrder, place: Place, err: DeploymentError) -> Operation:
        """The order's instance, that was made when Google no longer knew the request.

        :raises DeploymentError: ``already_exists``, when it is not the order's.
        """
        instance = self._found_instance(place)
        if instance is None or token_of(instance) != order.token:
            raise DeploymentError(
                f"name: {order.name} is that of something in {place.zone} that was not made by "
                f"this order ({err})",
                kind=ErrorKind.ALREADY_EXISTS,
                cloud=NAME,
                code=err.code,
            ) from err
        state = STATES.get(instance.status, InstanceState.PENDING)
        handle = Handle("", str(instance.id))
        return operation_of(LAUNCH, place, handle, state_by(LAUNCH, state))

    def _of_old(self, order: LaunchOrder, place: Place, told: compute_v1.Operation) -> Operation:
        """The launch of a request that Google has carried out before.

        :raises SpentTokenError: when what it made is gone.
        """
        instance = self._found_instance(place)
        if instance is None or instance.id != told.target_id:
            raise SpentTokenError(
                f"token: the instance {order.name} of {order.token} has been terminated; expected "
                "a new token",
                cloud=NAME,
            )
        state = STATES.get(instance.status, InstanceState.PENDING)
        handle = Handle(told.name, str(told.target_id))
        return operation_of(LAUNCH, place, handle, state_by(LAUNCH, state))


def _is_old_failure(told: compute_v1.Operation) -> bool:
    if failure_in(told) is None:
        return False
    begun_at = moment(told.insert_time) if told.insert_time else None
    return begun_at is not None and datetime.now(UTC) - begun_at > _FRESH


def _resource(order: LaunchOrder, place: Place) -> compute_v1.Instance:
    spec = order.spec
    labels = {**current_work().lasting().labels(LABELS), **order.labels}
    disk = compute_v1.AttachedDiskInitializeParams(
        disk_name=order.name, description=DISK_NOTE, labels=labels, source_image=spec.image.id
    )
    if spec.disk_bytes is not None:
        disk.disk_size_gb = -(-spec.disk_bytes // GIB)
    interface = compute_v1.NetworkInterface(subnetwork=spec.subnet)
    if spec.public_address:
        interface.access_configs = [
            compute_v1.AccessConfig(name="External NAT", type_="ONE_TO_ONE_NAT")
        ]
    resource = compute_v1.Instance(
        name=order.name,
        machine_type=f"zones/{place.zone}/machineTypes/{spec.size.name}",
        labels=labels,
        disks=[compute_v1.AttachedDisk(boot=True, auto_delete=True, initialize_params=disk)],
        network_interfaces=[interface],
        metadata=compute_v1.Metadata(
            items=[
                compute_v1.Items(key="startup-script", value=order.startup_script),
                compute_v1.Items(key=TOKEN, value=order.token),
            ]
        ),
        tags=compute_v1.Tags(items=list(spec.security_groups)),
    )
    if spec.identity is not None:
        account = compute_v1.ServiceAccount(email=spec.identity, scopes=[_SCOPE])
        resource.service_accounts = [account]
    return resource

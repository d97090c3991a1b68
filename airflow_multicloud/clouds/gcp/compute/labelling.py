"""Changing labels: https://cloud.google.com/compute/docs/labeling-resources.

Labels are replaced as a whole, on the condition that nobody changed them since they were read: the
fingerprint tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S
from airflow_multicloud.clouds.gcp.compute.errors import translated
from airflow_multicloud.clouds.gcp.compute.fields import Place, boot_disk_of, is_ours, place_of
from airflow_multicloud.clouds.gcp.compute.operations import DONE, GCPOperations, failure_in
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef

#: Seconds that Google may take to change labels.
_LONGEST_S: Final = 120.0


class GCPLabelling(GCPOperations):
    """The port's ``label_instance``."""

    def label_instance(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Add labels to an instance and its disk, or change them; see the port."""
        place = place_of(ref.id)
        disk = boot_disk_of(self._instance(place))
        if disk is not None:
            # First: an instance that has them all is known to be done.
            _twice(lambda: self._label_disk(disk, labels))
        _twice(lambda: self._label(place, labels))

    def _label(self, place: Place, labels: Mapping[str, str]) -> None:
        instance = self._instance(place)
        request = compute_v1.SetLabelsInstanceRequest(
            project=place.project,
            zone=place.zone,
            instance=place.name,
            instances_set_labels_request_resource=compute_v1.InstancesSetLabelsRequest(
                labels={**instance.labels, **labels}, label_fingerprint=instance.label_fingerprint
            ),
        )
        with translated(f"labelling {place.id}"):
            told = self._instances.set_labels_unary(request, timeout=REQUEST_S)
        self._wait(place, told)

    def _label_disk(self, place: Place, labels: Mapping[str, str]) -> None:
        disk = self._found_disk(place)
        if disk is None or not is_ours(disk):
            return
        request = compute_v1.SetLabelsDiskRequest(
            project=place.project,
            zone=place.zone,
            resource=place.name,
            zone_set_labels_request_resource=compute_v1.ZoneSetLabelsRequest(
                labels={**disk.labels, **labels}, label_fingerprint=disk.label_fingerprint
            ),
        )
        with translated(f"labelling the disk {place.name}"):
            told = self._disks.set_labels_unary(request, timeout=REQUEST_S)
        self._wait(place, told)

    def _wait(self, place: Place, told: compute_v1.Operation) -> None:
        """Until it is done: Google answers then, or after two minutes at most.

        :raises DeploymentError: what it failed with; ``timeout``.
        """
        doing = f"labelling {place.name} in {place.zone}"
        end = time.monotonic() + _LONGEST_S
        while told.status != DONE:
            left = end - time.monotonic()
            if left <= 0:
                raise DeploymentError(
                    f"{doing}: it goes on after {_LONGEST_S:.0f} s",
                    kind=ErrorKind.TIMEOUT,
                    cloud=NAME,
                )
            request = compute_v1.WaitZoneOperationRequest(
                project=place.project, zone=place.zone, operation=told.name
            )
            with translated(doing):
                told = self._operations.wait(request, timeout=left)
        if (failure := failure_in(told)) is not None:
            raise DeploymentError(
                f"{doing}: {failure.text}", kind=failure.kind, cloud=NAME, code=failure.code
            )


def _twice(change: Callable[[], None]) -> None:
    """Change it, and once more when somebody else did in between.

    :raises DeploymentError: ``busy`` when somebody did so again.
    """
    try:
        change()
    except DeploymentError as err:
        if err.kind is not ErrorKind.PRECONDITION_FAILED:
            raise
    else:
        return
    try:
        change()
    except DeploymentError as err:
        if err.kind is not ErrorKind.PRECONDITION_FAILED:
            raise
        raise DeploymentError(
            f"{err}; somebody else changes the labels at the same time",
            kind=ErrorKind.BUSY,
            cloud=NAME,
            code=err.code,
        ) from err

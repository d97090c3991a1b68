"""What Azure's compute and network services say, of an answer and of an operation."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.compute import models

from airflow_multicloud.clouds.azure.compute.errors import if_there, kind_of, translated
from airflow_multicloud.clouds.azure.compute.fields import (
    check_labels,
    parsed,
    place_of,
    state_of,
)
from airflow_multicloud.clouds.azure.compute.images import check_disk
from airflow_multicloud.clouds.azure.compute.sizes import Offer
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, InstanceState, Size

QUOTA = "Operation could not be completed as it results in exceeding approved Cores quota."
#: Status, code, message, kind.
ANSWERS = [
    (409, "AllocationFailed", "We do not have sufficient capacity", ErrorKind.CAPACITY),
    (409, "ZonalAllocationFailed", "We do not have sufficient capacity", ErrorKind.CAPACITY),
    (409, "OverconstrainedAllocationRequest", "Constraints", ErrorKind.CAPACITY),
    (409, "OverconstrainedZonalAllocationRequest", "Constraints", ErrorKind.CAPACITY),
    (409, "SkuNotAvailable", "failed for Capacity Restrictions: X", ErrorKind.CAPACITY),
    (409, "SkuNotAvailable", "not available for the subscription", ErrorKind.UNSUPPORTED),
    (409, "OperationNotAllowed", QUOTA, ErrorKind.QUOTA),
    (409, "OperationNotAllowed", "Disk d is attached to VM v.", ErrorKind.BUSY),
    (409, "OperationNotAllowed", "It is not allowed.", ErrorKind.PRECONDITION_FAILED),
    (409, "AttachDiskWhileBeingDetached", "Detaching", ErrorKind.BUSY),
    (409, "CanceledAndSupersededDueToAnotherOperation", "Another", ErrorKind.BUSY),
    (429, "RetryableErrorDueToAnotherOperation", "Another", ErrorKind.BUSY),
    (409, "AnotherOperationInProgress", "Another", ErrorKind.BUSY),
    (400, "SubnetIsFull", "Full", ErrorKind.CAPACITY),
    (400, "IPv4StandardSkuPublicIpCountLimitReached", "Limit", ErrorKind.QUOTA),
    (429, "OperationNotAllowed", "too many requests have been received", ErrorKind.THROTTLED),
    (409, "QuotaExceeded", "Quota", ErrorKind.QUOTA),
    (400, "PublicIPCountLimitReached", "Limit", ErrorKind.QUOTA),
    (400, "NicInUse", "Used", ErrorKind.BUSY),
    (400, "NicReservedForAnotherVm", "Reserved for 180 seconds", ErrorKind.BUSY),
    (409, "Conflict", "Busy", ErrorKind.BUSY),
    (404, "PlatformImageNotFound", "None", ErrorKind.NOT_FOUND),
    (400, "InvalidParameter", "Wrong", ErrorKind.INVALID_ARGUMENT),
    (400, "InvalidResourceReference", "Wrong", ErrorKind.INVALID_ARGUMENT),
    (412, "PreconditionFailed", "There already", ErrorKind.PRECONDITION_FAILED),
    (403, "ScopeLocked", "Locked", ErrorKind.PERMISSION_DENIED),
    (409, "SomethingNew", "New", ErrorKind.PRECONDITION_FAILED),
    (503, "SomethingNew", "New", ErrorKind.UNAVAILABLE),
]


class _Answer:
    """As much of an answer as the SDK's error reads."""

    reason = "Refused"
    request = HttpRequest("GET", "https://management.azure.com/")

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status_code = status
        self.headers: dict[str, str] = {}
        self._body = json.dumps({"error": {"code": code, "message": message}})

    def text(self, encoding: str | None = None) -> str:
        return self._body

    def body(self) -> bytes:
        return self._body.encode()


def refused(status: int, code: str, message: str = "No") -> HttpResponseError:
    return HttpResponseError(response=_Answer(status, code, message))  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "code", "message", "kind"), ANSWERS)
def test_an_answer(status: int, code: str, message: str, kind: ErrorKind) -> None:
    with (
        pytest.raises(DeploymentError, match=r"^launching x: ") as caught,
        translated("launching x"),
    ):
        raise refused(status, code, message)
    assert caught.value.kind is kind
    assert caught.value.code == code
    assert caught.value.cloud == "azure"


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("AllocationFailed", "No room", ErrorKind.CAPACITY),
        ("OperationNotAllowed", QUOTA, ErrorKind.QUOTA),
        ("SkuNotAvailable", "Capacity Restrictions", ErrorKind.CAPACITY),
        ("SkuNotAvailable", None, ErrorKind.UNSUPPORTED),
        ("OperationPreempted", "Preempted", ErrorKind.BUSY),
        ("OSProvisioningTimedOut", "Slow", ErrorKind.TIMEOUT),
        ("SomethingNew", "New", ErrorKind.UNAVAILABLE),
        (None, None, ErrorKind.UNAVAILABLE),
    ],
)
def test_an_operation(code: str | None, message: str | None, kind: ErrorKind) -> None:
    assert kind_of(code, message) is kind


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound", "NotFound"])
def test_what_is_not_there(code: str) -> None:
    def read() -> None:
        raise refused(404, code)

    assert if_there("reading x", read) is None


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "ParentResourceNotFound"])
def test_what_could_not_be_asked_is_not_gone(code: str) -> None:
    """Else a wrong subscription would be taken for a terminated instance."""

    def read() -> None:
        raise refused(404, code)

    with pytest.raises(DeploymentError) as caught:
        if_there("reading x", read)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("provisioning", "power", "state"),
    [
        ("Creating", "", InstanceState.PENDING),
        ("Creating", "starting", InstanceState.PENDING),
        ("Succeeded", "running", InstanceState.RUNNING),
        ("Updating", "running", InstanceState.RUNNING),
        ("Updating", "deallocating", InstanceState.STOPPING),
        ("Succeeded", "deallocated", InstanceState.STOPPED),
        ("Succeeded", "stopped", InstanceState.STOPPED),
        ("Succeeded", "", InstanceState.PENDING),
        ("Deleting", "running", InstanceState.TERMINATING),
        ("Failed", "", InstanceState.FAILED),
        ("Failed", "deallocated", InstanceState.FAILED),
        ("Failed", "running", InstanceState.RUNNING),
    ],
)
def test_states(provisioning: str, power: str, state: InstanceState) -> None:
    assert state_of(provisioning, power) is state


def test_an_id_has_one_form() -> None:
    """Azure gives a group's name in any case."""
    ids = [
        "/subscriptions/S/resourceGroups/My-Group/providers/Microsoft.Compute/virtualMachines/m1",
        "/subscriptions/s/resourcegroups/MY-GROUP/providers/microsoft.compute/virtualmachines/m1",
    ]
    assert len({place_of(id_, "s") for id_ in ids}) == 1
    place = place_of(ids[0], "s")
    assert place_of(place.id, "s") == place


@pytest.mark.parametrize(
    "id_",
    [
        "i-0123",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d",
        "/subscriptions/other/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m",
        "/subscriptions/s/resourceGroups/../providers/Microsoft.Compute/virtualMachines/m",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/..",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m?x=1",
    ],
)
def test_an_id_that_is_no_machines(id_: str) -> None:
    with pytest.raises(DeploymentError, match=r"^ref: ") as caught:
        place_of(id_, "s")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_no_id() -> None:
    assert parsed(None) is None


@pytest.mark.parametrize(
    "labels", [{"Capital": "x"}, {"key": "Capital"}, {"multicloud-token": "x"}]
)
def test_labels_that_nobody_may_set(labels: dict[str, str]) -> None:
    with pytest.raises(DeploymentError, match=r"^labels: "):
        check_labels(labels)


def test_a_zone_that_is_closed() -> None:
    size = Size(name="s", vcpus=1, memory_bytes=1, architecture=Architecture.X86_64)
    offer = Offer(
        size=size,
        zones=frozenset({"1", "2"}),
        generations=frozenset({"V2"}),
        closed=None,
        closed_zones={"1": "NotAvailableForSubscription"},
    )
    assert offer.why_not("1") == "NotAvailableForSubscription"
    assert offer.why_not("2") is None
    assert offer.why_not(None) is None


def test_a_disk_that_is_too_small_for_the_image() -> None:
    image = models.Image(
        {
            "location": "westeurope",
            "name": "golden",
            "properties": {"storageProfile": {"osDisk": {"diskSizeGB": 30}}},
        }
    )
    check_disk(None, image)
    check_disk(30 * 2**30, image)
    check_disk(1, models.Image({"location": "westeurope"}))
    with pytest.raises(DeploymentError, match=r"disk_bytes: 1 given; the image golden needs"):
        check_disk(1, image)

"""EC2's error codes and state reasons, each by the kind it becomes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from airflow_multicloud.clouds.aws.compute.errors import kind_of_reason, translated
from airflow_multicloud.errors import CredentialsError, DeploymentError, ErrorKind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InsufficientInstanceCapacity", 500, "capacity"),
        ("InsufficientHostCapacity", 500, "capacity"),
        ("InsufficientFreeAddressesInSubnet", 400, "capacity"),
        ("InsufficientReservedInstancesCapacity", 400, "capacity"),
        ("UnfulfillableCapacity", 500, "capacity"),
        ("VolumeTypeNotAvailableInZone", 400, "unsupported"),
        ("VcpuLimitExceeded", 400, "quota"),
        ("InstanceLimitExceeded", 400, "quota"),
        ("MaxSpotInstanceCountExceeded", 400, "quota"),
        ("NetworkInterfaceLimitExceeded", 400, "quota"),
        ("Unsupported", 400, "unsupported"),
        ("UnsupportedOperation", 400, "unsupported"),
        ("RequestLimitExceeded", 503, "throttled"),
        ("InternalError", 500, "unavailable"),
        ("Unavailable", 503, "unavailable"),
        ("BrandNewError", 500, "unavailable"),
        ("InvalidAMIID.NotFound", 400, "not_found"),
        ("InvalidAMIID.Unavailable", 400, "not_found"),
        ("InvalidSubnetID.NotFound", 400, "not_found"),
        ("InvalidGroup.NotFound", 400, "not_found"),
        ("InvalidInstanceType", 400, "not_found"),
        ("NoSuchEntity", 404, "not_found"),
        ("ParameterNotFound", 400, "not_found"),
        ("InvalidAMIID.Malformed", 400, "invalid_argument"),
        ("UnknownParameter", 400, "invalid_argument"),
        ("IdempotentParameterMismatch", 400, "invalid_argument"),
        ("TagLimitExceeded", 400, "invalid_argument"),
        ("IncorrectInstanceState", 400, "busy"),
        ("VolumeInUse", 400, "busy"),
        ("InvalidNetworkInterface.InUse", 400, "busy"),
        ("UnauthorizedOperation", 403, "permission_denied"),
        ("OperationNotPermitted", 400, "permission_denied"),
        ("AuthFailure", 401, "unauthenticated"),
    ],
)
def test_codes(code: str, status: int, kind: str) -> None:
    expected = CredentialsError if kind == "unauthenticated" else DeploymentError
    answer = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with pytest.raises(expected, match="launching vm-1: ") as caught, translated("launching vm-1"):
        raise ClientError(answer, "RunInstances")
    assert (caught.value.kind, caught.value.code, caught.value.cloud) == (kind, code, "aws")


def test_an_image_that_is_not_shared() -> None:
    said = {"Code": "AuthFailure", "Message": "Not authorized for images: [ami-0123]"}
    with pytest.raises(DeploymentError, match="ami-0123") as caught, translated("image"):
        raise ClientError({"Error": said}, "DescribeImages")
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Server.InsufficientInstanceCapacity", ErrorKind.CAPACITY),
        ("Server.SpotInstanceTermination", ErrorKind.CAPACITY),
        ("Server.InternalError", ErrorKind.UNAVAILABLE),
        ("Client.VolumeLimitExceeded", ErrorKind.QUOTA),
        ("Client.InvalidSnapshot.NotFound", ErrorKind.NOT_FOUND),
        ("Client.InternalError", ErrorKind.INVALID_ARGUMENT),
        ("Client.InstanceInitiatedShutdown", ErrorKind.UNAVAILABLE),
        ("Server.VcpuLimitExceeded", ErrorKind.QUOTA),
        ("Server.BrandNew", ErrorKind.UNAVAILABLE),
        ("Client.UserInitiatedShutdown", None),
        ("Client.UserInitiatedHibernate", None),
        ("", None),
        (None, None),
    ],
)
def test_reasons(code: str | None, kind: ErrorKind | None) -> None:
    assert kind_of_reason(code) is kind

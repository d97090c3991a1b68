"""What EC2's errors mean, and the reasons that it gives for an instance's state.

Codes: "Error codes for the Amazon EC2 API"
(docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html); those of IAM and the SSM
Parameter Store, which resolving asks, are here too.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE, Meaning, code_of
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

TABLE: Final = BASE.overlay(
    by_code(
        {
            # Of these the service says itself that they pass, or are another zone's or size's not.
            ErrorKind.CAPACITY: (
                "InsufficientAddressCapacity InsufficientCapacity InsufficientCapacityOnHost "
                "InsufficientFreeAddressesInSubnet InsufficientHostCapacity "
                "InsufficientInstanceCapacity InsufficientReservedInstanceCapacity "
                "InsufficientReservedInstancesCapacity InsufficientVolumeCapacity "
                "UnfulfillableCapacity"
            ),
            ErrorKind.QUOTA: (
                "InstanceLimitExceeded MaxIOPSLimitExceeded MaxSpotInstanceCountExceeded "
                "NetworkInterfaceLimitExceeded VcpuLimitExceeded VolumeLimitExceeded"
            ),
            # Unsupported: "Your requested instance type is not supported in your requested
            # Availability Zone".
            ErrorKind.UNSUPPORTED: (
                "Unsupported UnsupportedInstanceAttribute VolumeTypeNotAvailableInZone"
            ),
            ErrorKind.NOT_FOUND: (
                "InvalidAMIID.Unavailable InvalidID InvalidInstanceType ParameterNotFound "
                "ParameterVersionNotFound"
            ),
            ErrorKind.PERMISSION_DENIED: (
                "Blocked OperationNotPermitted PendingVerification Unauthorized"
            ),
            ErrorKind.BUSY: (
                "ConcurrentTagAccess DependencyViolation IncorrectInstanceState IncorrectState "
                "InvalidNetworkInterface.InUse InvalidParameterValue.InUse ResourceInUse "
                "VolumeInUse"
            ),
            ErrorKind.UNAVAILABLE: "ServiceFailure Unavailable",
            # A request's own limit, which no other zone has higher.
            ErrorKind.INVALID_ARGUMENT: (
                "IdempotentInstanceTerminated IdempotentParameterMismatch InvalidAvailabilityZone "
                "InvalidBlockDeviceMapping "
                "InvalidInput InvalidInstanceAttributeValue InvalidKeyId TagLimitExceeded "
                "UnknownParameter UnknownVolumeType.Unsupported VPCIdNotSpecified "
                "VPCResourceNotSpecified"
            ),
        }
    )
)

#: StateReason.Code → kind, of an instance that stopped or was terminated. "StateReason" in the
#: Amazon EC2 API reference (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html).
_REASONS = {
    "Server.InsufficientInstanceCapacity": ErrorKind.CAPACITY,
    "Server.SpotInstanceShutdown": ErrorKind.CAPACITY,
    "Server.SpotInstanceTermination": ErrorKind.CAPACITY,
    "Server.InternalError": ErrorKind.UNAVAILABLE,
    "Server.ScheduledStop": ErrorKind.UNAVAILABLE,
    "Client.VolumeLimitExceeded": ErrorKind.QUOTA,
    "Client.InvalidSnapshot.NotFound": ErrorKind.NOT_FOUND,
    "Client.InternalError": ErrorKind.INVALID_ARGUMENT,
    "Client.InstanceInitiatedShutdown": ErrorKind.UNAVAILABLE,
    "Client.InstanceTerminated": ErrorKind.UNAVAILABLE,
}
_ASKED_FOR = frozenset({"Client.UserInitiatedShutdown", "Client.UserInitiatedHibernate"})


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as EC2 means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=DeploymentError, refined=_refined)


def _refined(error: ClientError, meaning: Meaning) -> Meaning:
    """Tell a resource that others do not share from credentials that are refused.

    "AuthFailure: Not authorized for images: [ami-…]" is said of a private image.
    """
    if code_of(error) == "AuthFailure" and "Not authorized for" in str(error):
        return replace(meaning, kind=ErrorKind.PERMISSION_DENIED)
    return meaning


def failure(message: str, kind: ErrorKind) -> DeploymentError:
    """An error that this package found itself."""
    return DeploymentError(message, kind=kind, cloud=NAME)


def kind_of_reason(code: str | None) -> ErrorKind | None:
    """Why an instance is stopped or terminated; ``None`` where somebody asked for it.

    :param code: of its ``StateReason``.
    """
    if not code or code in _ASKED_FOR:
        return None
    known = _REASONS.get(code) or TABLE.kind_of_code(code.partition(".")[2])
    return known or ErrorKind.UNAVAILABLE

"""What RDS's errors mean, and the states of an instance that has failed.

Codes: the errors of each operation in the Amazon RDS API Reference, as botocore's service model has
them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import DatabaseError, ErrorKind

TABLE: Final = BASE.overlay(
    by_code(
        {
            ErrorKind.NOT_FOUND: (
                "BackupPolicyNotFoundFault CertificateNotFound DBCapacityReservationNotFound "
                "DBClusterNotFoundFault DBClusterSnapshotNotFoundFault "
                "DBInstanceAutomatedBackupNotFound DBInstanceNotFound DBInstanceNotFoundFault "
                "DBParameterGroupNotFound "
                "DBSecurityGroupNotFound DBSnapshotNotFound DBSnapshotNotFoundFault "
                "DBSubnetGroupNotFoundFault DomainNotFoundFault OptionGroupNotFoundFault"
            ),
            ErrorKind.ALREADY_EXISTS: "DBInstanceAlreadyExists DBSnapshotAlreadyExists",
            # Whether it passes is told by the instance's state: see Descriptions._by_state.
            ErrorKind.BUSY: (
                "InvalidDBClusterStateFault InvalidDBInstanceState InvalidDBSnapshotState"
            ),
            ErrorKind.CAPACITY: (
                "InsufficientDBInstanceCapacity InsufficientDBInstanceCapacityFault "
                "ProvisionedIopsNotAvailableInAZFault"
            ),
            ErrorKind.QUOTA: (
                "DBInstanceAutomatedBackupQuotaExceeded InstanceQuotaExceeded "
                "SnapshotQuotaExceeded StorageQuotaExceeded TenantDatabaseQuotaExceeded"
            ),
            ErrorKind.PRECONDITION_FAILED: (
                "InvalidDBCapacityReservationState InvalidRestoreFault InvalidVPCNetworkStateFault "
                "PointInTimeRestoreNotEnabled VpcEncryptionControlViolationException"
            ),
            ErrorKind.PERMISSION_DENIED: "AuthorizationNotFound KMSKeyNotAccessibleFault",
            ErrorKind.INVALID_ARGUMENT: (
                "DBSubnetGroupDoesNotCoverEnoughAZs InvalidSubnet NetworkTypeNotSupported "
                "StorageTypeNotSupported"
            ),
            # CloudWatch's, where a replica's lag is read: begin at the first page.
            ErrorKind.SOURCE_CHANGED: "InvalidNextToken",
        }
    )
)

#: Status of an instance that does not work → why. "Viewing Amazon RDS DB instance status"
#: (docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html).
FAILURES: Final = {
    "failed": ErrorKind.UNAVAILABLE,
    "inaccessible-encryption-credentials": ErrorKind.PERMISSION_DENIED,
    "inaccessible-encryption-credentials-recoverable": ErrorKind.PERMISSION_DENIED,
    "incompatible-create": ErrorKind.PRECONDITION_FAILED,
    "incompatible-network": ErrorKind.PRECONDITION_FAILED,
    "incompatible-option-group": ErrorKind.PRECONDITION_FAILED,
    "incompatible-parameters": ErrorKind.PRECONDITION_FAILED,
    "incompatible-restore": ErrorKind.PRECONDITION_FAILED,
    "insufficient-capacity": ErrorKind.CAPACITY,
    "restore-error": ErrorKind.UNAVAILABLE,
    "storage-full": ErrorKind.QUOTA,
}


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as RDS means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=DatabaseError)


def failure(message: str, kind: ErrorKind) -> DatabaseError:
    """An error that this package found itself."""
    return DatabaseError(message, kind=kind, cloud=NAME)

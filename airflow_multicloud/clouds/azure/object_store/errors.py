"""What Blob Storage's errors mean, whichever client met them: the SDK or obstore.

"Blob service error codes"
(https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import obstore.exceptions as obs

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.clouds.azure.errors import STORAGE, coded_kind, error_of
from airflow_multicloud.errors import ErrorKind, RetentionError, StorageError

#: What the codes of Blob Storage mean.
TABLE = STORAGE.overlay(
    by_code(
        {
            ErrorKind.NOT_FOUND: "BlobNotFound ContainerNotFound PathNotFound",
            ErrorKind.ALREADY_EXISTS: "BlobAlreadyExists ContainerAlreadyExists PathAlreadyExists",
            ErrorKind.SOURCE_CHANGED: "BlobOverwritten",
            # InvalidBlobType: a blob of another type is there, another writer's, for what comes
            # here looked before. InvalidBlockList: somebody else's commit on this key discarded
            # the blocks that were named. InvalidBlobOrBlock: somebody else's uncommitted blocks
            # on this key have ids of another length.
            ErrorKind.PRECONDITION_FAILED: (
                "DirectoryNotEmpty InvalidBlobOrBlock InvalidBlobType InvalidBlockList "
                "LeaseIdMismatchWithBlobOperation LeaseIdMismatchWithContainerOperation "
                "LeaseIdMissing LeaseLost LeaseNotPresentWithBlobOperation "
                "LeaseNotPresentWithContainerOperation PathConflict SnapshotsPresent "
                "SourceConditionNotMet TargetConditionNotMet"
            ),
            # A blob under an immutability policy, or one the credentials may only create.
            ErrorKind.PERMISSION_DENIED: (
                "BlobImmutableDueToLegalHold BlobImmutableDueToPolicy CannotVerifyCopySource "
                "ContainerDisabled UnauthorizedBlobOverwrite"
            ),
            ErrorKind.THROTTLED: "SnapshotOperationRateExceeded",
            ErrorKind.BUSY: (
                "ContainerBeingDeleted DestinationPathIsBeingDeleted PendingCopyOperation "
                "SourcePathIsBeingDeleted SystemInUse"
            ),
            ErrorKind.QUOTA: "BlockCountExceedsLimit SnapshotCountExceeded",
            # An archived object can't be read before it is rehydrated: the same kind on every
            # cloud.
            ErrorKind.UNSUPPORTED: (
                "BlobAccessTierNotSupportedForAccountType BlobArchived BlobBeingRehydrated "
                "BlobOperationNotSupported CopyAcrossAccountsNotSupported"
            ),
            ErrorKind.INVALID_ARGUMENT: (
                "BlockListTooLong CannotDeleteFileOrDirectory InvalidBlobTier InvalidBlockId "
                "InvalidMarker InvalidOperation InvalidSourceBlobType InvalidSourceBlobUrl "
                "InvalidSourceUri"
            ),
        }
    )
)

# The same of a write that was to happen only where there is no object: the service answers with
# 412 as well as with 409.
_CREATING = TABLE.overlay(by_code({ErrorKind.ALREADY_EXISTS: "ConditionNotMet"}))

_THERE = "there is an object already"
_KEPT = (
    "an immutability policy or a legal hold keeps the blob; it can be neither replaced nor "
    "deleted before that ends"
)
_RETAINED: Mapping[str, type[StorageError]] = {
    "BlobImmutableDueToLegalHold": RetentionError,
    "BlobImmutableDueToPolicy": RetentionError,
}
_HINTS = {
    "BlobArchived": (
        "the object is archived (access tier Archive); rehydrate it first (az storage blob "
        "set-tier --tier Hot), which takes up to 15 hours, then try again"
    ),
    "BlobBeingRehydrated": (
        "the object is archived and being rehydrated already, which takes up to 15 hours; try "
        "again when that is done (the property archiveStatus goes then)"
    ),
    "BlobAlreadyExists": _THERE,
    "ConditionNotMet": "the object is not the one that was expected: it was replaced or deleted",
    "InvalidBlockList": "another writer's commit on this key discarded the blocks sent",
    "InvalidBlobOrBlock": (
        "another tool's uncommitted blocks on this key have ids of another length; they expire "
        "after a week, or when the key is written in one request"
    ),
    "SnapshotsPresent": "the blob has snapshots; delete those first",
    "LeaseIdMissing": "the blob has a lease; break it (az storage blob lease break) or wait",
    "LeaseIdMismatchWithBlobOperation": "the blob has another lease than the one named",
    **dict.fromkeys(_RETAINED, _KEPT),
}
_CREATING_HINTS = {
    **_HINTS,
    **{code: _THERE for code, kind in _CREATING.codes.items() if kind is ErrorKind.ALREADY_EXISTS},
}

_CODE_IN_BODY = re.compile(r"<Code>(\w+)</Code>")
# Both are texts of errors that have no class of their own.
_RANGE_OUTSIDE = "Wanted range starting at"
_CREDENTIAL_FAILED = re.compile(r"\b(?:CredentialUnavailable|ClientAuthentication)Error\b")


@contextmanager
def translated(doing: str, *, creating: bool = False) -> Iterator[None]:
    """Turn the SDK's and obstore's exceptions into this package's.

    :param doing: the call and what it is about, for the message.
    :param creating: the write was to happen only where there is no object; a condition that
        fails then means ``already_exists``.
    :raises StorageError: the service or the way to it failed.
    :raises RetentionError: a policy or a legal hold keeps the blob.
    :raises CredentialsError: there are no usable credentials, or they were refused as such.
    """
    table, hints = (_CREATING, _CREATING_HINTS) if creating else (TABLE, _HINTS)
    try:
        with errors.translated(
            doing, table=table, area=StorageError, hints=hints, classes=_RETAINED
        ):
            yield
    except (obs.BaseError, FileNotFoundError, TimeoutError) as err:
        found = _CODE_IN_BODY.search(str(err))
        code = found[1] if found else None
        kind = coded_kind(err, code, table) or _client_kind(str(err))
        if kind is None:
            with _obstore.translated(NAME, doing):
                raise
        area = _RETAINED.get(code or "", StorageError)
        raise error_of(err, doing, kind=kind, code=code, area=area, hints=hints) from None


def _client_kind(text: str) -> ErrorKind | None:
    """What obstore, or the callback that gives it tokens, found wrong without the service."""
    if _CREDENTIAL_FAILED.search(text):
        return ErrorKind.UNAUTHENTICATED
    return ErrorKind.INVALID_ARGUMENT if _RANGE_OUTSIDE in text else None

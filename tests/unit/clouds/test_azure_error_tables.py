"""Every error code that Azure's SDKs name is decided, and what an answer asks to wait is kept."""

from __future__ import annotations

import enum
from datetime import timedelta
from types import ModuleType

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.advisor import models as advisor
from azure.mgmt.costmanagement import models as cost_management
from azure.storage.blob import StorageErrorCode

from airflow_multicloud.clouds.azure import errors
from airflow_multicloud.clouds.azure.cost import errors as cost
from airflow_multicloud.clouds.azure.identity import errors as identity
from airflow_multicloud.clouds.azure.object_store import errors as object_store
from airflow_multicloud.errors import (
    CloudError,
    CostAnalysisError,
    ErrorKind,
    RetentionError,
    StorageError,
)

#: Codes that the SDK names in one list for all its services, and that no request made here gets;
#: their HTTP status decides. Why, and which.
BY_STATUS = {
    "another service's: Queue Storage": (
        "MessageNotFound MessageTooLarge PopReceiptMismatch QueueAlreadyExists QueueBeingDeleted "
        "QueueDisabled QueueNotEmpty QueueNotFound"
    ),
    "another service's: Azure Files": (
        "ClientCacheFlushDelay ContainerQuotaDowngradeNotAllowed DeletePending FileLockConflict "
        "FileShareProvisionedBandwidthDowngradeNotAllowed FileShareProvisionedBandwidthInvalid "
        "FileShareProvisionedIopsDowngradeNotAllowed FileShareProvisionedIopsInvalid "
        "FileShareProvisionedStorageInvalid InvalidFileOrDirectoryPathName ParentNotFound "
        "ReadOnlyAttribute ShareAlreadyExists ShareBeingDeleted ShareDisabled ShareHasSnapshots "
        "ShareNotFound ShareSnapshotCountExceeded ShareSnapshotInProgress ShareSnapshotNotFound "
        "ShareSnapshotOperationNotSupported SharingViolation TotalSharesCountExceedsAccountLimit "
        "TotalSharesProvisionedBandwidthExceedsAccountLimit "
        "TotalSharesProvisionedCapacityExceedsAccountLimit "
        "TotalSharesProvisionedIopsExceedsAccountLimit"
    ),
    "another service's: Data Lake's own endpoint (renaming, flushing, file systems)": (
        "FilesystemAlreadyExists FilesystemBeingDeleted FilesystemNotFound "
        "InvalidDestinationPath InvalidFlushPosition InvalidPropertyName InvalidRenameSourcePath "
        "InvalidSourceOrDestinationResourceType RenameDestinationParentPathNotFound "
        "SourcePathNotFound"
    ),
    "creating an account, which is Resource Manager's": "AccountAlreadyExists",
    "leases are neither taken nor changed": (
        "InfiniteLeaseDurationRequired LeaseAlreadyBroken LeaseAlreadyPresent "
        "LeaseIdMismatchWithLeaseOperation LeaseIsAlreadyBroken "
        "LeaseIsBreakingAndCannotBeAcquired LeaseIsBreakingAndCannotBeChanged "
        "LeaseIsBrokenAndCannotBeRenewed LeaseNameMismatch LeaseNotPresentWithLeaseOperation"
    ),
    "append and page blobs are not written": (
        "AppendPositionConditionNotMet BlobTierInadequateForContentLength "
        "ContentLengthLargerThanTierLimit InvalidPageRange InvalidVersionForPageBlobOperation "
        "MaxBlobSizeConditionNotMet PreviousSnapshotCannotBeNewer PreviousSnapshotNotFound "
        "PreviousSnapshotOperationNotSupported SequenceNumberConditionNotMet "
        "SequenceNumberIncrementTooLarge"
    ),
    "copies are neither asynchronous nor incremental": (
        "CopyIdMismatch IncrementalCopyBlobMismatch IncrementalCopyOfEarlierSnapshotNotAllowed "
        "IncrementalCopyOfEarlierVersionSnapshotNotAllowed IncrementalCopySourceMustBeSnapshot "
        "NoPendingCopyOperation OperationNotAllowedOnIncrementalCopyBlob"
    ),
    "tiers are not changed, nor is anything sent that has to be empty": (
        "BlobNotArchived CannotChangeToLowerTier ContentLengthMustBeZero"
    ),
}
PASSED = {code for codes in BY_STATUS.values() for code in codes.split()}


def test_every_code_of_the_storage_sdk_is_decided() -> None:
    named = {code.value for code in StorageErrorCode}
    assert named - set(object_store.TABLE.codes) - PASSED == set()


def test_no_code_is_decided_twice() -> None:
    assert PASSED & set(object_store.TABLE.codes) == set()
    listed = [code for codes in BY_STATUS.values() for code in codes.split()]
    assert len(listed) == len(PASSED)


def test_the_list_names_the_sdks_codes_only() -> None:
    """One that the SDK no longer names goes from the list too."""
    assert PASSED - {code.value for code in StorageErrorCode} == set()


@pytest.mark.parametrize("models", [advisor, cost_management])
def test_the_management_sdks_name_no_codes(models: ModuleType) -> None:
    """Their errors' code is any text: once they list codes, these are to be decided here."""
    lists = {
        name
        for name, value in vars(models).items()
        if isinstance(value, type) and issubclass(value, enum.Enum) and "error" in name.lower()
    }
    assert lists == set()


def test_blobs_codes_are_not_every_services() -> None:
    shared = {code for code in errors.BASE.codes if "Blob" in code or "Container" in code}
    assert shared == set()
    assert identity.TABLE.kind_of_code("ConditionNotMet") is ErrorKind.PRECONDITION_FAILED
    assert cost.TABLE.kind_of_code("BlobNotFound") is None


class _Response:
    """As much of an answer as azure-core's error reads."""

    def __init__(self, status: int, code: str, headers: dict[str, str]) -> None:
        self.status_code = status
        self.reason = "any"
        self.headers = {"x-ms-error-code": code, **headers}
        self.request = HttpRequest("GET", "https://azure.example/")

    def text(self, encoding: str | None = None) -> str:
        return ""


def answer(status: int, code: str, **headers: str) -> HttpResponseError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponseError(response=_Response(status, code, named))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "ContainerBeingDeleted"),
        (409, "PendingCopyOperation"),
        (409, "SystemInUse"),
        (409, "AnotherOperationInProgress"),
    ],
)
def test_a_conflicting_operation_is_busy(status: int, code: str) -> None:
    with pytest.raises(StorageError) as caught, object_store.translated("write a/b"):
        raise answer(status, code)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.BUSY, code)
    assert caught.value.retryable


@pytest.mark.parametrize("code", ["BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"])
def test_what_keeps_a_blob_is_retention(code: str) -> None:
    with pytest.raises(RetentionError) as caught, object_store.translated("delete a/b"):
        raise answer(409, code)
    assert "legal hold keeps the blob" in str(caught.value)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_the_wait_that_an_answer_asks_for_is_kept() -> None:
    with pytest.raises(StorageError) as caught, object_store.translated("read a/b"):
        raise answer(503, "ServerBusy", retry_after="7")
    assert caught.value.retry_after == timedelta(seconds=7)


def test_the_longest_of_a_quotas_waits_is_kept() -> None:
    quota = "x_ms_ratelimit_microsoft.costmanagement_{}_retry_after"
    asked = {quota.format("qpu"): "30", quota.format("entity"): "90", "Retry_After": "5"}
    with pytest.raises(CostAnalysisError) as caught, cost.translated("query costs"):
        raise answer(429, "TooManyRequests", **asked)
    assert (caught.value.kind, caught.value.retry_after) == (
        ErrorKind.THROTTLED,
        timedelta(seconds=90),
    )


@pytest.mark.parametrize("asked", ["soon", "", "-3"])
def test_a_wait_that_is_none(asked: str) -> None:
    with pytest.raises(CloudError) as caught, cost.translated("query costs"):
        raise answer(429, "429", retry_after=asked)
    assert caught.value.retry_after in (None, timedelta())

"""Append and page blobs where blocks are to go, which they don't take: they are deleted first.

As late as can be: when the service has refused the first block for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.blocks import replaces
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.writing import condition_headers
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfUnchanged, ObjectRef, PartUpload

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.storage_account import StorageAccount

#: What the service answers to a request about blocks where a blob of another type is.
OTHER_TYPE = "InvalidBlobType"
_BLOCK_BLOB = "BlockBlob"
# The sender of another part of the upload has deleted it, or another writer has replaced it.
_GONE = frozenset({"BlobNotFound", "ConditionNotMet"})


def etag_of_another_type(
    account: StorageAccount, ref: ObjectRef, condition: IfUnchanged | None, doing: str
) -> str | None:
    """The ETag of an append or page blob that has the key, if there is one.

    :raises StorageError: kind ``precondition_failed`` when it is not the one to be replaced.
    """
    try:
        with translated(doing):
            url = account.service.get_blob_client(ref.bucket, ref.key).url
            found = account.send("HEAD", url).headers
    except StorageError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return None
    if found.get("x-ms-blob-type", _BLOCK_BLOB) == _BLOCK_BLOB:
        return None
    with well_formed(doing, NAME):
        etag: str = found["ETag"].strip('"')
    if condition is not None and condition.etag != etag:
        raise StorageError(
            f"{doing}: another object has the key than the one to be replaced",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=NAME,
        )
    return etag


def send_block(
    account: StorageAccount,
    upload: PartUpload,
    doing: str,
    params: Mapping[str, str],
    headers: Mapping[str, str],
    data: bytes | memoryview,
) -> Mapping[str, str]:
    """Send a block, in place of the blob of another type that the upload replaces.

    :param params: as Put Block has them.
    :return: the answer's headers.
    """
    url = account.url(upload.ref)

    def send() -> Mapping[str, str]:
        with translated(doing):
            return account.send("PUT", url, params=params, headers=headers, body=data).headers

    there = replaces(upload.upload_id)
    try:
        return send()
    except StorageError as err:
        if there is None or err.code != OTHER_TYPE:
            raise
    try:
        with translated(f"{doing}: deleting the blob of another type that is there"):
            account.send("DELETE", url, headers=condition_headers(IfUnchanged(there)))
    except StorageError as err:
        if err.code not in _GONE:
            raise
    return send()  # Refused again where the blob that is there is another one.

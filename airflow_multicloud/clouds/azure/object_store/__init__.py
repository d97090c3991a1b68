"""Azure Blob Storage as the port's object store.

Small reads and writes of plain keys go through obstore; everything else through the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.object_store.buckets import BlobContainers
from airflow_multicloud.clouds.azure.object_store.copying import BlobCopies
from airflow_multicloud.clouds.azure.object_store.keys import BlobKeys
from airflow_multicloud.clouds.azure.object_store.listing import BlobListings
from airflow_multicloud.clouds.azure.object_store.parts import BlobPartUploads
from airflow_multicloud.clouds.azure.object_store.plain import BlobPlainObjects
from airflow_multicloud.clouds.azure.object_store.reading import BlobReads
from airflow_multicloud.clouds.azure.object_store.tags import BlobTags
from airflow_multicloud.clouds.azure.object_store.writing import BlobWrites
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    CheckedReads,
    ConditionalWrites,
    KeyRules,
    MetadataRules,
    ObjectStore,
    ObjectTags,
    ObjectVersions,
    PagedListings,
    PartUploads,
    PlainObjects,
    ServerSideCopy,
    SignedUrls,
    StoreName,
    TagRules,
    UploadResumption,
)


class BlobObjectStoreHook(
    BlobListings,
    BlobReads,
    BlobWrites,
    BlobPartUploads,
    BlobPlainObjects,
    BlobCopies,
    BlobContainers,
    BlobTags,
    BlobKeys,
):
    """Containers and block blobs, with every credential that ``WasbHook`` takes.

    The connection is read by the constructor, which must run on the task's own thread; every call
    may come from any.

    :param wasb_conn_id: the connection (type ``wasb``).
    :param public_read: read anonymously, without credentials.
    :param session: the connection, where another hook has read it already.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[ObjectStore] = BlobObjectStoreHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[
        type[ConditionalWrites],
        type[CheckedReads],
        type[PartUploads],
        type[PagedListings],
        type[PlainObjects],
        type[UploadResumption],
        type[ObjectVersions],
        type[ObjectTags],
        type[TagRules],
        type[ServerSideCopy],
        type[SignedUrls],
        type[BucketCreation],
        type[BucketListing],
        type[KeyRules],
        type[MetadataRules],
        type[AttributeRules],
        type[StoreName],
    ] = (BlobObjectStoreHook,) * 17

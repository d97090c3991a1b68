"""Amazon S3 as an object store.

Plain keys are read and written through obstore (Rust), everything it can't name or say
through boto3; which of the two it was shows nowhere. boto3 does all listings: obstore drops
trailing slashes and refuses ``..`` and ``//``, which are ordinary in S3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.aws.object_store.buckets import S3Buckets
from airflow_multicloud.clouds.aws.object_store.copying import S3Copies
from airflow_multicloud.clouds.aws.object_store.parts import S3PartUploads
from airflow_multicloud.clouds.aws.object_store.reading import S3Reads
from airflow_multicloud.clouds.aws.object_store.writing import S3Writes
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    ConditionalWrites,
    KeyRules,
    MetadataRules,
    ObjectStore,
    ObjectTags,
    ObjectVersions,
    PartUploads,
    ServerSideCopy,
    SignedUrls,
    TagRules,
    UploadResumption,
)


class S3ObjectStoreHook(S3Reads, S3Writes, S3PartUploads, S3Copies, S3Buckets):
    """Amazon S3, and stores that speak its protocol, on an Airflow connection of type ``aws``.

    The first call reads the connection and must come from the task's own thread; the others
    may come from any.
    """


Hook: type[ObjectStore] = S3ObjectStoreHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _POWERS: tuple[
        type[ConditionalWrites],
        type[PartUploads],
        type[ObjectVersions],
        type[ObjectTags],
        type[ServerSideCopy],
        type[SignedUrls],
        type[BucketCreation],
        type[BucketListing],
        type[KeyRules],
        type[MetadataRules],
        type[AttributeRules],
        type[TagRules],
        type[UploadResumption],
    ] = (
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
        S3ObjectStoreHook,
    )

"""Amazon S3 as an object store.

Plain keys are read and written through obstore (Rust), everything it can't name or say
through boto3; which of the two it was shows nowhere. boto3 does all listings: obstore drops
trailing slashes and refuses ``..`` and ``//``, which are ordinary in S3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.clouds.aws.object_store.buckets import S3Buckets
from airflow_multicloud.clouds.aws.object_store.copying import S3Copies
from airflow_multicloud.clouds.aws.object_store.keys import S3Keys
from airflow_multicloud.clouds.aws.object_store.listing import S3Listings
from airflow_multicloud.clouds.aws.object_store.parts import S3PartUploads
from airflow_multicloud.clouds.aws.object_store.plain import S3PlainObjects
from airflow_multicloud.clouds.aws.object_store.reading import S3Reads
from airflow_multicloud.clouds.aws.object_store.signing import S3SignedUrls
from airflow_multicloud.clouds.aws.object_store.tags import S3Tags
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
    PagedListings,
    PartUploads,
    PlainObjects,
    ServerSideCopy,
    SignedUrls,
    StoreName,
    TagRules,
    UploadResumption,
)


class S3ObjectStoreHook(
    S3Listings,
    S3PartUploads,
    S3PlainObjects,
    S3Copies,
    S3Writes,
    S3Keys,
    S3Reads,
    S3Tags,
    S3Buckets,
    S3SignedUrls,
):
    """Amazon S3, and stores that speak its protocol, on an Airflow connection of type ``aws``.

    Making one reads the connection and must happen on the task's own thread; all else may come
    from any.
    """


Hook: type[ObjectStore] = S3ObjectStoreHook

if TYPE_CHECKING:

    class _Capabilities(
        ConditionalWrites,
        PagedListings,
        PartUploads,
        PlainObjects,
        ObjectVersions,
        ObjectTags,
        ServerSideCopy,
        SignedUrls,
        BucketCreation,
        BucketListing,
        KeyRules,
        MetadataRules,
        AttributeRules,
        TagRules,
        UploadResumption,
        StoreName,
        Protocol,
    ):
        """Every optional capability that S3 has; the type checker proves them, too."""

    _CAPABILITIES: type[_Capabilities] = S3ObjectStoreHook

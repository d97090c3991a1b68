"""Object storage: the port every cloud's store fits, and the optional capabilities it may have.

Keys are exact Unicode strings: nothing is normalised, stripped or re-encoded. Digests are
lower-case hexadecimal. Sizes and offsets are bytes. Every remote failure, also one inside a
lazy iterator or while a body is read, is a :class:`~airflow_multicloud.errors.StorageError`
(or :class:`~airflow_multicloud.errors.CredentialsError`) whose ``kind`` says the cause.

Hooks must allow calls from several threads at once on one instance, and must not touch
Airflow (connections, variables, XCom) after their constructor: Airflow's task API only
answers on the main thread.
"""

from airflow_multicloud.ports.object_store.capabilities import (
    BucketCreation,
    BucketListing,
    CheckedReads,
    ConditionalWrites,
    ObjectTags,
    ObjectVersions,
    ServerSideCopy,
    SignedUrl,
    SignedUrls,
    StoreName,
)
from airflow_multicloud.ports.object_store.options import (
    ConditionKind,
    IfAbsent,
    IfUnchanged,
    WriteCondition,
    WriteOptions,
)
from airflow_multicloud.ports.object_store.pages import ListedPage, PagedListings
from airflow_multicloud.ports.object_store.parts import (
    RUN_LENGTH,
    LeftUpload,
    Part,
    PartLimits,
    PartUpload,
    PartUploads,
    UploadResumption,
)
from airflow_multicloud.ports.object_store.plain import (
    PlainAsked,
    PlainBucket,
    PlainObjects,
    PlainRead,
    PlainWrite,
    PlainWritten,
)
from airflow_multicloud.ports.object_store.rules import (
    AttributeRules,
    FittedAttributes,
    KeyRules,
    MetadataRules,
    TagRules,
)
from airflow_multicloud.ports.object_store.store import ObjectBody, ObjectStore
from airflow_multicloud.ports.object_store.values import (
    BucketMeta,
    Digests,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
)

__all__ = [
    "RUN_LENGTH",
    "AttributeRules",
    "BucketCreation",
    "BucketListing",
    "BucketMeta",
    "CheckedReads",
    "ConditionKind",
    "ConditionalWrites",
    "Digests",
    "FittedAttributes",
    "IfAbsent",
    "IfUnchanged",
    "KeyRules",
    "LeftUpload",
    "ListedPage",
    "MetadataRules",
    "ObjectAttributes",
    "ObjectBody",
    "ObjectMeta",
    "ObjectRef",
    "ObjectStore",
    "ObjectTags",
    "ObjectVersions",
    "PagedListings",
    "Part",
    "PartLimits",
    "PartUpload",
    "PartUploads",
    "PlainAsked",
    "PlainBucket",
    "PlainObjects",
    "PlainRead",
    "PlainWrite",
    "PlainWritten",
    "ServerSideCopy",
    "SignedUrl",
    "SignedUrls",
    "StoreName",
    "TagRules",
    "UploadResumption",
    "WriteCondition",
    "WriteOptions",
]

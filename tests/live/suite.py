"""The shipped contracts on real clouds.

``pytest tests/live/suite.py --live aws=my_aws --live-max-requests 20000``. Not collected
otherwise. Nobody has run it on real clouds yet.
"""

from __future__ import annotations

from airflow_multicloud.testing.contracts import object_store
from airflow_multicloud.testing.contracts.identity import IdentityContract
from airflow_multicloud.testing.live.costs import LiveCostQueriesContract


class TestIdentity(IdentityContract):
    pass


class TestCostQueries(LiveCostQueriesContract):
    pass


class TestAttributeReads(object_store.AttributeReadsContract):
    pass


class TestAttributeRules(object_store.AttributeRulesContract):
    pass


class TestAwkwardKeys(object_store.AwkwardKeysContract):
    pass


class TestBucketCreation(object_store.BucketCreationContract):
    pass


class TestBucketListing(object_store.BucketListingContract):
    pass


class TestCheckedReads(object_store.CheckedReadsContract):
    pass


class TestConditionalCopy(object_store.ConditionalCopyContract):
    pass


class TestConditionalParts(object_store.ConditionalPartsContract):
    pass


class TestConditionalWrites(object_store.ConditionalWritesContract):
    pass


class TestCopyVersion(object_store.CopyVersionContract):
    pass


class TestKeyRules(object_store.KeyRulesContract):
    pass


class TestMetadataRules(object_store.MetadataRulesContract):
    pass


class TestObjectStore(object_store.ObjectStoreContract):
    pass


class TestObjectTags(object_store.ObjectTagsContract):
    pass


class TestObjectVersions(object_store.ObjectVersionsContract):
    pass


class TestPartUploads(object_store.PartUploadsContract):
    pass


class TestServerSideCopy(object_store.ServerSideCopyContract):
    pass


class TestSignedUrls(object_store.SignedUrlsContract):
    pass


class TestStoreName(object_store.StoreNameContract):
    pass


class TestTagRules(object_store.TagRulesContract):
    pass


class TestUploadResumption(object_store.UploadResumptionContract):
    pass

"""The shipped contracts, run on the cloud outside the package."""

from __future__ import annotations

from airflow_multicloud.testing.contracts.identity import IdentityContract
from airflow_multicloud.testing.contracts.object_store import (
    AwkwardKeysContract,
    BucketCreationContract,
    ConditionalWritesContract,
    KeyRulesContract,
    ObjectStoreContract,
    StoreNameContract,
)


class TestIdentity(IdentityContract):
    pass


class TestObjectStore(ObjectStoreContract):
    pass


class TestAwkwardKeys(AwkwardKeysContract):
    pass


class TestKeyRules(KeyRulesContract):
    pass


class TestConditionalWrites(ConditionalWritesContract):
    pass


class TestBucketCreation(BucketCreationContract):
    pass


class TestStoreName(StoreNameContract):
    pass

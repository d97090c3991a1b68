"""The shipped contract, run on the cloud outside the package."""

from __future__ import annotations

from airflow_multicloud.testing.contracts.object_store.awkward_keys import (
    AwkwardKeysContract,
    KeyRulesContract,
)
from airflow_multicloud.testing.contracts.object_store.capabilities import BucketCreationContract
from airflow_multicloud.testing.contracts.object_store.conditions import ConditionalWritesContract
from airflow_multicloud.testing.contracts.object_store.objects import ObjectStoreContract


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

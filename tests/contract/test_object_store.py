"""Every object store against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.object_store import ObjectStore
from airflow_multicloud.testing.contracts.object_store import (
    AttributeReadsContract,
    AttributeRulesContract,
    AwkwardKeysContract,
    BucketCreationContract,
    BucketListingContract,
    CheckedReadsContract,
    ConditionalCopyContract,
    ConditionalPartsContract,
    ConditionalWritesContract,
    CopyVersionContract,
    KeyRulesContract,
    MetadataRulesContract,
    ObjectStoreContract,
    ObjectTagsContract,
    ObjectVersionsContract,
    PagedListingsContract,
    PartUploadsContract,
    PlainObjectsContract,
    ServerSideCopyContract,
    SignedUrlsContract,
    StoreNameContract,
    TagRulesContract,
    UploadResumptionContract,
)
from airflow_multicloud.testing.contracts.object_store.rigs import (
    OPTIONAL_CAPABILITIES,
    capabilities_of,
)
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import RigSpec


class TestObjectStore(ObjectStoreContract):
    pass


class TestAwkwardKeys(AwkwardKeysContract):
    pass


class TestKeyRules(KeyRulesContract):
    pass


class TestCheckedReads(CheckedReadsContract):
    pass


class TestMetadataRules(MetadataRulesContract):
    pass


class TestAttributeReads(AttributeReadsContract):
    pass


class TestAttributeRules(AttributeRulesContract):
    pass


class TestTagRules(TagRulesContract):
    pass


class TestUploadResumption(UploadResumptionContract):
    pass


class TestPartUploads(PartUploadsContract):
    pass


class TestPagedListings(PagedListingsContract):
    pass


class TestPlainObjects(PlainObjectsContract):
    pass


class TestConditionalWrites(ConditionalWritesContract):
    pass


class TestConditionalParts(ConditionalPartsContract):
    pass


class TestObjectVersions(ObjectVersionsContract):
    pass


class TestObjectTags(ObjectTagsContract):
    pass


class TestServerSideCopy(ServerSideCopyContract):
    pass


class TestCopyVersion(CopyVersionContract):
    pass


class TestConditionalCopy(ConditionalCopyContract):
    pass


class TestSignedUrls(SignedUrlsContract):
    pass


class TestBucketCreation(BucketCreationContract):
    pass


class TestBucketListing(BucketListingContract):
    pass


class TestStoreName(StoreNameContract):
    pass


_CONTRACTS = (
    ObjectStoreContract,
    AwkwardKeysContract,
    KeyRulesContract,
    MetadataRulesContract,
    AttributeReadsContract,
    AttributeRulesContract,
    TagRulesContract,
    UploadResumptionContract,
    PartUploadsContract,
    ConditionalWritesContract,
    ConditionalPartsContract,
    ObjectVersionsContract,
    ObjectTagsContract,
    ServerSideCopyContract,
    CopyVersionContract,
    ConditionalCopyContract,
    SignedUrlsContract,
    BucketCreationContract,
    BucketListingContract,
    StoreNameContract,
    CheckedReadsContract,
    PlainObjectsContract,
    PagedListingsContract,
)


def test_every_hook_is_an_object_store(rig_specs: tuple[RigSpec, ...]) -> None:
    assert [spec.name for spec in rig_specs if not has_capability(spec.hook, ObjectStore)] == []


def test_capabilities(rig_specs: tuple[RigSpec, ...]) -> None:
    """What runs where (shown with ``-s``); the reference has every capability."""
    capabilities = {spec.name: capabilities_of(spec.hook) for spec in rig_specs}
    for name, held in capabilities.items():
        print(f"{name}: {', '.join(capability.__name__ for capability in held)}")  # noqa: T201 - on purpose
    assert capabilities["memory"] == OPTIONAL_CAPABILITIES


def test_every_capability_has_a_contract() -> None:
    covered = {capability for contract in _CONTRACTS for capability in contract.needs}
    assert covered == set(OPTIONAL_CAPABILITIES)


def test_gaps_name_tests(rig_specs: tuple[RigSpec, ...]) -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in rig_specs}
    assert not any(unknown.values()), unknown

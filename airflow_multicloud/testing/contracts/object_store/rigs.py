"""Rigs: the stores that the contract classes run against, and what each is known to lack."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import pytest

from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    CheckedReads,
    ConditionalWrites,
    KeyRules,
    MetadataRules,
    ObjectRef,
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
from airflow_multicloud.testing.contracts.rigs import (
    apply_gaps,
    as_capable,
    has_capability,
    parametrize,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from airflow_multicloud.ports.object_store import ObjectStore

P = TypeVar("P")

#: Every optional capability of an object store.
OPTIONAL_CAPABILITIES: tuple[type, ...] = (
    ConditionalWrites,
    PartUploads,
    ObjectVersions,
    ObjectTags,
    ServerSideCopy,
    SignedUrls,
    BucketCreation,
    BucketListing,
    StoreName,
    CheckedReads,
    KeyRules,
    MetadataRules,
    AttributeRules,
    TagRules,
    UploadResumption,
    PlainObjects,
    PagedListings,
)

# One instance a store and session, shared by the tests: opening a client costs more than most
# tests do.
_OPENED = pytest.StashKey[dict[str, "ObjectStore"]]()


def capabilities_of(hook: type) -> tuple[type, ...]:
    """The optional capabilities of an object store's hook."""
    return tuple(
        capability for capability in OPTIONAL_CAPABILITIES if has_capability(hook, capability)
    )


def make_bucket(store: ObjectStore, bucket: str) -> None:
    """Make a bucket with the store itself."""
    if not isinstance(store, BucketCreation):
        raise TypeError(f"{type(store)} can't make buckets: give its RigSpec a make_bucket")
    store.ensure_bucket(bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class RigSpec:
    """How to get at one store.

    :param name: shown in the tests' ids; no hyphen.
    :param hook: the store's class; which capabilities it has decides what runs.
    :param open: gives a new instance, starting what it needs.
    :param open_signer: the same with credentials that can sign URLs, where those of ``open``
        can't.
    :param make_bucket: makes an empty bucket.
    :param make_versioned_bucket: makes an empty bucket that keeps versions.
    :param bucket_labels: reads a bucket's labels as a bill shows them; left out where buckets
        have none.
    :param gaps: a test's name (``test_x``, or ``test_x[id]`` for one of its parameters) → why
        it must fail here; it is a strict xfail.
    :param signed_put_headers: what a PUT to a signed URL must send.
    :param bucket: an empty bucket that all tests use, one after another; without it each test
        gets one of its own.
    :param without: capabilities that are not tried on this rig, though its hook has them.
    :param finish: runs after each test, on its store.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], ObjectStore]
    open_signer: Callable[[pytest.FixtureRequest], ObjectStore] | None = None
    make_bucket: Callable[[ObjectStore, str], None] = make_bucket
    make_versioned_bucket: Callable[[ObjectStore, str], None] = make_bucket
    bucket_labels: Callable[[ObjectStore, str], Mapping[str, str]] | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    signed_put_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    bucket: str | None = None
    without: Collection[type] = ()
    finish: Callable[[ObjectStore], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRig:
    """One store and an empty bucket in it, for one test.

    :param store: the session's instance.
    :param reopen: gives another instance of the same store, as another process would have.
    :param signer: gives the instance that signs URLs.
    :param versioned_bucket: makes an empty bucket that keeps versions.
    :param bucket_labels: a bucket's labels; ``None`` where buckets have none.
    """

    name: str
    cloud: str
    store: ObjectStore
    bucket: str
    reopen: Callable[[], ObjectStore]
    signer: Callable[[], SignedUrls]
    versioned_bucket: Callable[[], str]
    bucket_labels: Callable[[str], Mapping[str, str] | None]
    gaps: Mapping[str, str]
    signed_put_headers: Mapping[str, str]

    def capability(self, capability: type[P]) -> P:
        """The store, as one with this capability."""
        return as_capable(self.store, capability)

    def ref(self, key: str) -> ObjectRef:
        """An object of the bucket."""
        return ObjectRef(self.bucket, key)


def parametrize_rigs(metafunc: pytest.Metafunc, specs: Sequence[RigSpec]) -> None:
    """Run a test that takes ``rig`` on every rig whose hook has what its class ``needs``."""
    parametrize(metafunc, "rig", specs, able=_has_all)


def _has_all(spec: RigSpec, needs: Sequence[type]) -> bool:
    return all(
        has_capability(spec.hook, capability) and capability not in spec.without
        for capability in needs
    )


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> StoreRig:
    """One store and a fresh bucket in it; import it into your ``conftest.py``."""
    return open_rig(request)


def open_rig(request: pytest.FixtureRequest) -> StoreRig:
    """What the ``rig`` fixture returns: the rig that the test was parametrised with."""
    spec: RigSpec = request.param
    apply_gaps(request, spec)
    opened = request.config.stash.setdefault(_OPENED, {})
    if spec.name not in opened:
        opened[spec.name] = spec.open(request)
    store = opened[spec.name]
    open_signer = spec.open_signer
    read_labels = spec.bucket_labels
    if (finish := spec.finish) is not None:
        request.addfinalizer(lambda: finish(store))
    bucket = spec.bucket or _new_name()
    if spec.bucket is None:
        spec.make_bucket(store, bucket)

    def versioned_bucket() -> str:
        name = _new_name()
        spec.make_versioned_bucket(store, name)
        return name

    return StoreRig(
        name=spec.name,
        cloud=spec.cloud,
        store=store,
        bucket=bucket,
        reopen=lambda: spec.open(request),
        signer=lambda: as_capable(open_signer(request) if open_signer else store, SignedUrls),
        versioned_bucket=versioned_bucket,
        bucket_labels=lambda bucket: read_labels(store, bucket) if read_labels else None,
        gaps=spec.gaps,
        signed_put_headers=spec.signed_put_headers,
    )


def _new_name() -> str:
    # Valid on every cloud: lower case, digits and hyphens, 3 to 63 characters.
    return f"contract-{uuid.uuid4().hex[:20]}"

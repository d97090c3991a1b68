"""Replicas that are not what they should be, on this side of the wire: for negative controls.

As with :mod:`~airflow_multicloud.core.drill.faults`, nothing is changed at the cloud. Each offer is
sound in itself: a stale object has its own digests, an older ledger is one that was written. Only
what is known from elsewhere shows that there is something newer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from airflow_multicloud.adapters.digests import SHA256_METADATA, digests_of
from airflow_multicloud.core.drill.canary import Canary, canary_content
from airflow_multicloud.core.drill.passing import PassingStore
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.names import number_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: How much older the canary of a stale replica is.
_OLDER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Offer(PassingStore):
    """It lacks the optional capabilities, too.

    So no version of an object is read that such a replica would not have.
    """

    cloud: str

    def _missing(self, key: str) -> NoReturn:
        raise StorageError(
            f"drill: {key} is hidden on purpose", kind=ErrorKind.NOT_FOUND, cloud=self.cloud
        )


@dataclass(frozen=True, slots=True)
class _Stale(_Offer):
    """One object is an older one."""

    meta: ObjectMeta
    content: bytes

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """As the port's."""
        for meta in self.inner.list_objects(bucket, prefix):
            yield replace(self.meta, attributes=None) if meta.key == self.meta.key else meta

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """As the port's."""
        if ref.key != self.meta.key:
            return self.inner.stat_object(ref)
        return self._meta_of(ref)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """As the port's."""
        if ref.key != self.meta.key:
            return self.inner.get_object(ref, start=start, end=end, if_etag=if_etag)
        return _Held(self._meta_of(ref), self.content[start:end])

    def _meta_of(self, ref: ObjectRef) -> ObjectMeta:
        if ref.version not in (None, self.meta.version):
            self._missing(f"version {ref.version} of {ref.key}")
        return self.meta


@dataclass(frozen=True, slots=True)
class _RolledBack(_Offer):
    """The ledger ends with an older commit."""

    number: int

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """As the port's."""
        return (m for m in self.inner.list_objects(bucket, prefix) if not self._hides(m.key))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """As the port's."""
        self._check(ref.key)
        return self.inner.stat_object(ref)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """As the port's."""
        self._check(ref.key)
        return self.inner.get_object(ref, start=start, end=end, if_etag=if_etag)

    def _hides(self, key: str) -> bool:
        return (number_of(key) or 0) > self.number

    def _check(self, key: str) -> None:
        if self._hides(key):
            self._missing(key)


@dataclass(frozen=True, slots=True)
class _Held:
    meta: ObjectMeta
    content: bytes

    def read(self) -> Buffer:
        return self.content

    def __iter__(self) -> Iterator[Buffer]:
        yield self.content


def stale(replica: Endpoint, key: str, canary: Canary) -> Endpoint:
    """The replica, with the canary that a drill one day earlier would have left there.

    It is told of as the store tells of the one that is there: with digests of the same kinds.

    :param key: of the canary.
    :raises CloudError: when the store does not tell of the canary.
    """
    there = replica.store.stat_object(replica.ref(key))
    content = canary_content(canary.drill_id, canary.written_at - _OLDER)
    own = digests_of(content)
    attributes = there.attributes
    if attributes is not None and SHA256_METADATA in attributes.metadata:
        named = {**attributes.metadata, SHA256_METADATA: own.sha256 or ""}
        attributes = replace(attributes, metadata=named)
    meta = replace(
        there,
        size=len(content),
        etag=f"older-{own.md5}" if there.etag else "",
        version=there.version and f"older-{there.version}",
        last_modified=there.last_modified - _OLDER,
        digests=_alike(own, there.digests),
        declared=_alike(own, there.declared),
        attributes=attributes,
    )
    return _with(replica, _Stale(replica.store, replica.cloud, meta, content))


def rolled_back(replica: Endpoint, number: int) -> Endpoint:
    """The replica, with a ledger that ends with this commit."""
    return _with(replica, _RolledBack(replica.store, replica.cloud, number))


def _alike(own: Digests, there: Digests) -> Digests:
    """Of one's own digests those that are known of another object."""
    return Digests(
        crc32c=own.crc32c if there.crc32c else None,
        md5=own.md5 if there.md5 else None,
        sha256=own.sha256 if there.sha256 else None,
    )


def _with(replica: Endpoint, store: ObjectStore) -> Endpoint:
    return replace(replica, store=store, alias=replica.store_name)

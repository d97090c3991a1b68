"""Which bytes of a copy are read: those that lie there, or the version that was proven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.failover.choosing import choose
from airflow_multicloud.core.failover.references import Reference, reference_of
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import proven
from tests.unit.failover.stores import CONTENT, Body, named, put
from tests.unit.ledger.made import NOON
from tests.unit.replication.memory import Bare

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.choosing import Chosen
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

EVIL = b"evil bytes!"
assert len(EVIL) == len(CONTENT)


class Store(object_store.Hook):
    """Refuses versions, or what is current, with an error; tells digests only where it may."""

    no_version: ErrorKind | None = None
    down = False
    tells_when_read = True
    changed_meanwhile = False

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        if self.down and ref.version is None:
            raise StorageError("down", kind=ErrorKind.UNAVAILABLE)
        if ref.version is not None and self.no_version is not None:
            raise StorageError("this version can't be had", kind=self.no_version)
        body = super().get_object(ref, **limits)
        if self.tells_when_read:
            return body
        return Body(replace(body.meta, digests=Digests()), [bytes(body.read())])

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        meta = super().stat_object(ref)
        return replace(meta, etag="another") if self.changed_meanwhile else meta


@pytest.fixture
def place() -> Endpoint:
    """An object that will be proven."""
    return named("r", Store)


@pytest.fixture
def known(place: Endpoint) -> Reference:
    return known_of(place)


def known_of(place: Endpoint, *, gone: bool = False, **facts: Any) -> Reference:
    entry = proven(place, "a", "mem://source/data/a", **facts)
    return reference_of(changed(entry, gone=NOON if gone else None), (), "uri")


def chosen(place: Endpoint, known: Reference, **behaviour: Any) -> Chosen:
    for name, value in behaviour.items():
        setattr(place.store, name, value)
    return choose(place.below("a"), known)


def what(found: Chosen) -> tuple[bytes, bool]:
    """The bytes, and whether they are not the current ones, which is a finding."""
    assert bool(found.findings) is found.old
    return bytes(found.body.read()), found.old


def test_what_was_proven_lies_there(place: Endpoint, known: Reference) -> None:
    assert what(chosen(place, known)) == (CONTENT, False)
    assert what(chosen(place, Reference())) == (CONTENT, False)


class TestItWasChanged:
    def test_the_proven_version_is_read(self, place: Endpoint, known: Reference) -> None:
        put(place, "a", EVIL)
        found = chosen(place, known)
        assert what(found) == (CONTENT, True)
        assert found.findings == (
            f"{place.location}a was changed since it was proven at 2026-01-01T12:00:00+00:00; "
            "the version that was proven was served",
        )

    def test_without_a_proof_it_is_what_it_is(self, place: Endpoint) -> None:
        put(place, "a", EVIL)
        assert what(chosen(place, Reference())) == (EVIL, False)

    @pytest.mark.parametrize("tells_when_read", [True, False])
    def test_the_same_content_again_is_no_change(
        self, place: Endpoint, known: Reference, *, tells_when_read: bool
    ) -> None:
        """By the store's digests, which some tell only when they are asked."""
        put(place, "a")
        found = chosen(place, known, tells_when_read=tells_when_read)
        assert what(found) == (CONTENT, False)

    def test_digests_of_what_came_in_between_are_none(
        self, place: Endpoint, known: Reference
    ) -> None:
        put(place, "a")
        found = chosen(place, known, tells_when_read=False, changed_meanwhile=True)
        assert what(found) == (CONTENT, True)

    def test_the_same_crc32c_is_not_the_same_content(self, place: Endpoint) -> None:
        weak = Digests(crc32c=put_and_stat(place).digests.crc32c)
        known = known_of(place, digests=weak)
        put(place, "a")
        assert what(chosen(place, known))[1]

    def test_nor_are_digests_of_another_size(self, place: Endpoint) -> None:
        known = known_of(place, size=len(CONTENT) + 1)
        put(place, "a")
        assert what(chosen(place, known))[1]

    @pytest.mark.parametrize(
        "kind",
        [
            ErrorKind.NOT_FOUND,
            ErrorKind.UNSUPPORTED,
            ErrorKind.INVALID_ARGUMENT,
            ErrorKind.PERMISSION_DENIED,
        ],
    )
    def test_a_version_that_can_not_be_had_leaves_what_lies_there(
        self, place: Endpoint, known: Reference, kind: ErrorKind
    ) -> None:
        """Which must turn out to have the proven digests."""
        put(place, "a", EVIL)
        assert what(chosen(place, known, no_version=kind)) == (EVIL, False)

    def test_so_it_is_in_a_store_without_versions(self, place: Endpoint, known: Reference) -> None:
        put(place, "a", EVIL)
        bare = replace(place, store=Bare(place.location.conn_id or ""))
        assert what(choose(bare.below("a"), known)) == (EVIL, False)

    def test_and_where_none_is_recorded(self, place: Endpoint) -> None:
        known = known_of(place, version=None, etag="before")
        put(place, "a", EVIL)
        assert what(chosen(place, known)) == (EVIL, False)

    @pytest.mark.parametrize("digests", [Digests(), Digests(crc32c="AAAAAA==")])
    def test_where_no_digest_would_tell_it_is_refused(
        self, place: Endpoint, digests: Digests
    ) -> None:
        known = known_of(place, digests=digests)
        put(place, "a", EVIL)
        with pytest.raises(StorageError, match="knows no digest to tell its content by") as caught:
            chosen(place, known, no_version=ErrorKind.NOT_FOUND)
        assert caught.value.kind is ErrorKind.INTEGRITY
        assert known.proof is not None
        assert f"instead of {known.proof.etag!r}" in str(caught.value)

    def test_an_outage_is_the_copys(self, place: Endpoint, known: Reference) -> None:
        put(place, "a", EVIL)
        with pytest.raises(StorageError) as caught:
            chosen(place, known, no_version=ErrorKind.UNAVAILABLE)
        assert caught.value.kind is ErrorKind.UNAVAILABLE


class TestItWasDeleted:
    def delete(self, place: Endpoint) -> None:
        place.store.delete_object(place.ref(place.key_of("a")))

    def test_the_proven_version_is_read(self, place: Endpoint, known: Reference) -> None:
        self.delete(place)
        found = chosen(place, known)
        assert what(found) == (CONTENT, True)
        assert "was deleted since it was proven at" in found.findings[0]

    def test_what_the_source_does_not_have_either_is_not_there(self, place: Endpoint) -> None:
        known = known_of(place, gone=True)
        self.delete(place)
        self.not_found(place, known)

    def test_nor_is_what_nobody_knows(self, place: Endpoint, known: Reference) -> None:
        self.delete(place)
        self.not_found(place, Reference())

    def test_nor_is_a_version_that_is_gone(self, place: Endpoint, known: Reference) -> None:
        self.delete(place)
        self.not_found(place, known, no_version=ErrorKind.NOT_FOUND)

    def not_found(self, place: Endpoint, known: Reference, **behaviour: Any) -> None:
        with pytest.raises(CloudError) as caught:
            chosen(place, known, **behaviour)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_an_outage_is_no_deletion(self, place: Endpoint, known: Reference) -> None:
        with pytest.raises(StorageError, match="down"):
            chosen(place, known, down=True)


def put_and_stat(place: Endpoint) -> ObjectMeta:
    put(place, "a")
    return place.store.stat_object(place.ref(place.key_of("a")))

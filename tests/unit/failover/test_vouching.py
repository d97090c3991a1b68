"""Who vouches for what is served, and who can not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from airflow_multicloud.adapters.digests import SHA256_METADATA, digests_of, sha256_of
from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.fetch import serve
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, Provenance
from airflow_multicloud.core.failover.references import Contract, Reference
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import candidates
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

CONTENT, EVIL = b"the content", b"evil bytes!"
KNOWN = digests_of(CONTENT)
STRICT = FailoverPolicy(require_digest=True)


class Telling(object_store.Hook):
    """Tells only these digests of what it holds, and lists only where it may."""

    names: tuple[str, ...] = ()
    lists = True

    def _told(self, meta: ObjectMeta) -> ObjectMeta:
        told = {name: getattr(meta.digests, name) for name in self.names}
        return replace(meta, digests=Digests(**told))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self._told(super().stat_object(ref))

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        if not self.lists:
            raise StorageError("listing: may not", kind=ErrorKind.PERMISSION_DENIED)
        return map(self._told, super().list_objects(bucket, prefix))

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        body = super().get_object(ref, **limits)
        body._meta = self._told(body.meta)  # type: ignore[attr-defined]
        return body


class Unlisted(Telling):
    lists = False


class Crc32cOnly(Telling):
    names = ("crc32c",)


def holding(content: bytes, hook: type[object_store.Hook] = Telling, **attributes: Any) -> Endpoint:
    place = endpoint(hook=hook)
    place = replace(place, location=place.location.with_key(place.location.key + "a"))
    options = WriteOptions(attributes=ObjectAttributes(**attributes))
    place.store.put_object(place.location.ref, content, options)
    return place


def record(known: Digests) -> Reference:
    """What a replica's ledger says; its run began after the object was written."""
    as_of = datetime.now(UTC) + timedelta(minutes=1)
    return Reference(as_of=as_of, contract=Contract(known, None, "ledger"))


def served(
    tmp_path: Path,
    *ends: Endpoint,
    policy: FailoverPolicy = FailoverPolicy(),
    records: tuple[Reference | None, ...] = (),
) -> Provenance:
    copies = Copies(candidates(*ends), policy).all
    for copy, known in zip(copies, records, strict=False):
        if known is not None:
            copy.reference = lambda _name, known=known: known  # type: ignore[method-assign,misc]
    return serve(copies, "", FileTarget(tmp_path / "a"), policy)


class TestMetadata:
    CLAIM: ClassVar = {SHA256_METADATA: sha256_of(CONTENT)}

    def test_it_vouches_for_nothing(self, tmp_path: Path) -> None:
        found = served(tmp_path, holding(CONTENT, metadata=self.CLAIM))
        assert found.verified_by is None

    def test_nor_where_something_must(self, tmp_path: Path) -> None:
        with pytest.raises(FailoverError, match="nothing vouches for the content") as caught:
            served(tmp_path, holding(CONTENT, metadata=self.CLAIM), policy=STRICT)
        assert caught.value.attempts[0].kind is ErrorKind.INTEGRITY
        assert not (tmp_path / "a").exists()

    def test_it_shows_damage(self, tmp_path: Path) -> None:
        damaged, good = holding(EVIL, metadata=self.CLAIM), holding(CONTENT)
        found = served(tmp_path, damaged, good)
        assert found.attempts[0].kind is ErrorKind.INTEGRITY
        assert "sha256 is not what is said of it" in (found.attempts[0].reason or "")
        assert (tmp_path / "a").read_bytes() == CONTENT

    def test_the_stores_own_digest_comes_first(self, tmp_path: Path) -> None:
        found = served(tmp_path, holding(CONTENT, object_store.Hook, metadata=self.CLAIM))
        assert found.verified_by == "store"


class TestRecords:
    def test_a_crc32c_alone_vouches_for_nothing(self, tmp_path: Path) -> None:
        ours = record(Digests(crc32c=KNOWN.crc32c))
        end = holding(CONTENT)
        assert served(tmp_path, end, records=(ours,)).verified_by is None
        with pytest.raises(FailoverError, match="nothing vouches"):
            served(tmp_path, end, records=(ours,), policy=STRICT)

    def test_it_refutes(self, tmp_path: Path) -> None:
        ours = record(Digests(crc32c=KNOWN.crc32c))
        with pytest.raises(FailoverError, match="crc32c is not what is said of it"):
            served(tmp_path, holding(EVIL), records=(ours,))

    def test_every_digest_must_agree(self, tmp_path: Path) -> None:
        """An MD5 is computed where no SHA-256 is recorded, though there is a CRC32C."""
        odd = digests_of(EVIL)
        for known in (
            replace(KNOWN, crc32c=odd.crc32c),
            replace(KNOWN, sha256=odd.sha256),
            replace(KNOWN, sha256=None, md5=odd.md5),
            Digests(md5=odd.md5),
        ):
            with pytest.raises(FailoverError, match="is not the one of ledger"):
                served(tmp_path, holding(CONTENT), records=(record(known),))
        for known in (KNOWN, replace(KNOWN, sha256=None), Digests(md5=KNOWN.md5)):
            assert served(tmp_path, holding(CONTENT), records=(record(known),)).verified_by == (
                "ledger"
            )


class TestOtherCandidates:
    """The primary has no record; a replica has one, which its writer can make up."""

    def test_they_can_vouch(self, tmp_path: Path) -> None:
        for policy in (FailoverPolicy(), STRICT):
            found = served(
                tmp_path, holding(CONTENT), holding(CONTENT), records=(None, record(KNOWN)),
                policy=policy,
            )  # fmt: skip
            assert (found.failed_over, found.verified_by) == (False, "ledger")

    @pytest.mark.parametrize("content_type", ["text/plain", "text/html"])
    @pytest.mark.parametrize("hook", [Telling, Crc32cOnly])
    def test_they_cant_refute_what_the_listing_shows(
        self, tmp_path: Path, hook: type[Telling], content_type: str
    ) -> None:
        primary = holding(CONTENT, hook, content_type=content_type)
        records = (None, record(digests_of(EVIL)))
        found = served(tmp_path, primary, holding(EVIL), records=records)
        assert not found.failed_over
        assert found.verified_by == ("store" if hook is Crc32cOnly else None)
        assert (tmp_path / "a").read_bytes() == CONTENT

    def test_one_of_them_must_know_what_can_not_be_listed(self, tmp_path: Path) -> None:
        primary, replica = holding(EVIL, Unlisted), holding(CONTENT)
        found = served(tmp_path, primary, replica, records=(None, record(KNOWN)))
        assert "know the object with another content" in (found.attempts[0].reason or "")
        assert (tmp_path / "a").read_bytes() == CONTENT

    def test_one_that_knows_it_outweighs_one_that_does_not(self, tmp_path: Path) -> None:
        ends = holding(CONTENT, Unlisted), holding(EVIL), holding(CONTENT)
        records = (None, record(digests_of(EVIL)), record(KNOWN))
        found = served(tmp_path, *ends, records=records)
        assert (found.failed_over, found.verified_by) == (False, "ledger")

    def test_a_crc32c_of_theirs_is_not_asked_for(self, tmp_path: Path) -> None:
        other = record(Digests(crc32c=KNOWN.crc32c))
        ends = holding(CONTENT, Unlisted), holding(CONTENT)
        assert served(tmp_path, *ends, records=(None, other)).verified_by is None
        with pytest.raises(FailoverError, match="nothing vouches"):
            served(tmp_path, ends[0], ends[0], records=(None, other), policy=STRICT)

    def test_what_nobody_knows_is_refused_where_somebody_must(self, tmp_path: Path) -> None:
        with pytest.raises(FailoverError, match="nothing vouches"):
            served(
                tmp_path, holding(CONTENT), holding(EVIL, Unlisted),
                records=(None, record(digests_of(CONTENT + b"x"))), policy=STRICT,
            )  # fmt: skip
        assert not (tmp_path / "a").exists()

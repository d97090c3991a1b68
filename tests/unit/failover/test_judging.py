"""What makes a copy fit to be served, and what the refusal of another says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import SHA256_METADATA
from airflow_multicloud.core.failover.corroboration import Asked, corroborated, may_be_page
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import OUTAGES, REJECTIONS, FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.references import Contract, Reference
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectMeta
from tests.unit.failover.stores import CONTENT, Changed, Corrupt, Silent, candidates, put
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.testing.memory_cloud import object_store

SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()


def holding(
    hook: type[object_store.Hook], content: bytes = CONTENT, **attributes: object
) -> Endpoint:
    """A primary with one object."""
    place = endpoint(hook=hook)
    put(place, "a", **attributes)
    return place.below("a")


class TestWhatVouches:
    def test_nothing(self, tmp_path: Path) -> None:
        """Then it is served, and said, but for those who want a digest."""
        primary = candidates(holding(Silent))
        served = fetch(primary, FileTarget(tmp_path / "a"))
        assert served.verified_by is None
        assert served.size == len(CONTENT)
        assert served.sha256 == SHA256
        with pytest.raises(FailoverError, match="nothing vouches for the content") as caught:
            fetch(primary, FileTarget(tmp_path / "b"), FailoverPolicy(require_digest=True))
        assert [one.kind for one in caught.value.attempts] == [ErrorKind.INTEGRITY]
        assert not (tmp_path / "b").exists()

    def test_a_digest_is_enough_for_those_who_want_one(self, tmp_path: Path) -> None:
        policy = FailoverPolicy(require_digest=True)
        served = fetch(candidates(holding(Changed)), FileTarget(tmp_path / "a"), policy)
        assert served.verified_by == "store"

    def test_the_digest_among_the_metadata(self, tmp_path: Path) -> None:
        good = holding(Silent, metadata={SHA256_METADATA: SHA256})
        assert fetch(candidates(good), FileTarget(tmp_path / "a")).verified_by is None
        bad = holding(Silent, metadata={SHA256_METADATA: OTHER})
        with pytest.raises(FailoverError, match="content's sha256 is not what is said of it"):
            fetch(candidates(bad), FileTarget(tmp_path / "b"))

    @pytest.mark.parametrize("expected", [SHA256, SHA256.upper()])
    def test_what_the_caller_expects(self, tmp_path: Path, expected: str) -> None:
        policy = FailoverPolicy(expected_sha256=expected)
        served = fetch(candidates(holding(Silent)), FileTarget(tmp_path / "a"), policy)
        assert served.verified_by == "expected_sha256"

    def test_what_the_caller_does_not_expect(self, tmp_path: Path) -> None:
        """Though the store's own digest agrees."""
        policy = FailoverPolicy(expected_sha256=OTHER)
        with pytest.raises(FailoverError, match="sha256 is not the one of expected_sha256"):
            fetch(candidates(holding(Changed)), FileTarget(tmp_path / "a"), policy)

    @pytest.mark.parametrize("name", ["sha256", "crc32c", "md5"])
    def test_one_digest_of_the_store_is_enough(self, tmp_path: Path, name: str) -> None:
        class One(Corrupt):
            def said(self, meta: ObjectMeta) -> ObjectMeta:
                return replace(meta, digests=Digests(**{name: getattr(every, name)}))

        every = Digests(sha256=SHA256, crc32c="BTqYKw==", md5=hashlib.md5(CONTENT).hexdigest())
        with pytest.raises(FailoverError, match=f"the content's {name} is not the one of store"):
            fetch(candidates(holding(One)), FileTarget(tmp_path / "a"))

    def test_a_size_that_is_not_the_objects(self, tmp_path: Path) -> None:
        class Short(Changed):
            def answered(self, content: bytes) -> bytes:
                return content[:-1]

        said = f"has {len(CONTENT) - 1} bytes, {len(CONTENT)} are expected"
        with pytest.raises(FailoverError, match=said):
            fetch(candidates(holding(Short)), FileTarget(tmp_path / "a"))
        assert not (tmp_path / "a").exists()


class TestPages:
    @pytest.mark.parametrize(
        ("content_type", "page"),
        [
            ("text/html", True),
            ("Text/HTML; charset=utf-8", True),
            ("application/xhtml+xml", True),
            ("text/plain", False),
            (None, False),
        ],
    )
    def test_by_the_content_type(self, content_type: str | None, *, page: bool) -> None:
        place = holding(Changed)
        meta = place.store.stat_object(place.location.ref)
        attributes = ObjectAttributes(content_type=content_type)
        assert may_be_page(replace(meta, attributes=attributes)) is page
        assert not may_be_page(replace(meta, attributes=None))

    def test_what_another_ledger_says_holds_up_to_when_it_was_looked_at(self) -> None:
        place = holding(Silent)
        meta = place.store.stat_object(place.location.ref)
        nothing = Contract(Digests(), meta.size, None)
        known = Contract(Digests(sha256=SHA256), meta.size, "ledger")

        def told(as_of: datetime | None, said: Contract | None = known) -> Asked:
            reference = Reference(as_of=as_of, contract=said)
            return corroborated(place, meta, nothing, lambda: [reference])

        moment = timedelta(microseconds=1)
        assert told(meta.last_modified) == Asked(nothing, (known,))
        assert told(meta.last_modified + moment) == Asked(nothing, (known,))
        assert told(meta.last_modified - moment) == Asked(nothing)
        assert told(None) == Asked(nothing)
        assert told(meta.last_modified, None) == Asked(nothing)

    def test_what_a_store_vouches_for_needs_no_other_ledger(self) -> None:
        """As the listing shows this very object; its size counts."""
        place = holding(Changed)
        meta = place.store.stat_object(place.location.ref)

        def nobody() -> tuple[Reference, ...]:
            raise AssertionError("another ledger was asked")

        told = Contract(meta.digests, None, "store")
        asked = corroborated(place, meta, told, nobody)
        assert asked == Asked(replace(told, size=meta.size))
        with pytest.raises(StorageError, match="instead of") as caught:
            corroborated(place, replace(meta, etag="other"), told, nobody)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_an_object_that_the_listing_lacks(self) -> None:
        place = holding(Silent)
        meta = place.store.stat_object(place.location.ref)
        # Its key begins like the one that was answered.
        put(place, "b")
        place.store.delete_object(place.location.ref)
        with pytest.raises(StorageError, match="the listing has none of this key") as caught:
            corroborated(place, meta, Contract(Digests(), meta.size, None), tuple)
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.UNSUPPORTED])
    def test_a_listing_that_is_closed_says_nothing(self, kind: ErrorKind) -> None:
        place = holding(Silent)
        meta = place.store.stat_object(place.location.ref)
        contract = Contract(Digests(), meta.size, None)
        asked = corroborated(replace(place, store=Closed(kind)), meta, contract, tuple)
        assert asked == Asked(contract, needed=True)

    def test_a_listing_that_fails_is_the_copys_failure(self) -> None:
        place = holding(Silent)
        meta = place.store.stat_object(place.location.ref)
        closed = replace(place, store=Closed(ErrorKind.UNAVAILABLE))
        with pytest.raises(StorageError, match="no listing today"):
            corroborated(closed, meta, Contract(Digests(), meta.size, None), tuple)


class Closed(Changed):
    """Can't be listed."""

    def __init__(self, kind: ErrorKind) -> None:
        super().__init__("closed")
        self._kind = kind

    def list_objects(self, bucket: str, prefix: str = ""):
        raise StorageError("no listing today", kind=self._kind)


class TestAge:
    """Of copies without a ledger, by their last modification."""

    def fetched(self, place: Endpoint, to: Path, *, primary: bool, days: int) -> None:
        (one,) = candidates(place)
        policy = FailoverPolicy(max_staleness=timedelta(days=days))
        fetch([replace(one, primary=primary)], FileTarget(to), policy)

    def of(self, modified: datetime) -> Endpoint:
        class Dated(Changed):
            def said(self, meta: ObjectMeta) -> ObjectMeta:
                return replace(meta, last_modified=modified)

        return holding(Dated)

    def test_a_stale_copy(self, tmp_path: Path) -> None:
        place = self.of(datetime.now(UTC) - timedelta(days=2))
        self.fetched(place, tmp_path / "a", primary=False, days=3)
        said = r"is stale: as of .*, 17280\d s ago; max_staleness is 86400 s"
        with pytest.raises(FailoverError, match=said):
            self.fetched(place, tmp_path / "b", primary=False, days=1)

    def test_the_primary_is_never_stale(self, tmp_path: Path) -> None:
        self.fetched(
            self.of(datetime(2020, 1, 1, tzinfo=UTC)), tmp_path / "a", primary=True, days=1
        )

    def test_a_clock_that_is_ahead(self, tmp_path: Path) -> None:
        place = self.of(datetime.now(UTC) + timedelta(days=400))
        said = r"can't be called fresh.*max_staleness is 86400 s"
        with pytest.raises(FailoverError, match=said):
            self.fetched(place, tmp_path / "a", primary=False, days=1)


class TestPolicy:
    @pytest.mark.parametrize(
        "name", ["attempt_timeout", "deadline", "max_staleness", "hedge_after"]
    )
    def test_a_duration_is_positive(self, name: str) -> None:
        for given in (timedelta(0), timedelta(microseconds=-1), timedelta(hours=-1)):
            with pytest.raises(StorageError, match=rf"^{name}: .* a positive duration"):
                FailoverPolicy(**{name: given})
        FailoverPolicy(**{name: timedelta(microseconds=1)})

    @pytest.mark.parametrize("given", ["", "0" * 63, "0" * 65, "g" * 64])
    def test_a_digest_has_64_digits(self, given: str) -> None:
        with pytest.raises(StorageError, match=r"expected_sha256: .* 64 hexadecimal digits"):
            FailoverPolicy(expected_sha256=given)

    def test_a_kind_is_one_that_exists(self) -> None:
        with pytest.raises(StorageError, match="fail_over_on: 'no such' given, expected one of"):
            FailoverPolicy(fail_over_on=frozenset({"no such"}))
        assert FailoverPolicy(fail_over_on=["busy"]).fail_over_on == {ErrorKind.BUSY}

    def test_a_copy_that_is_wanting_never_ends_a_fetch(self) -> None:
        policy = FailoverPolicy(fail_over_on=frozenset({ErrorKind.BUSY}))
        goes_on = {kind for kind in ErrorKind if policy.goes_on(kind)}
        assert goes_on == REJECTIONS | {ErrorKind.BUSY}
        assert ErrorKind.PERMISSION_DENIED not in OUTAGES

    def test_what_is_meant_when_nothing_is_said(self) -> None:
        """As the documentation says."""
        policy = FailoverPolicy()
        assert policy.attempt_timeout == timedelta(minutes=15)
        assert policy.deadline == timedelta(hours=1)
        assert policy.fail_over_on == OUTAGES
        assert not policy.require_digest


def test_a_copy_in_a_store_keeps_its_attributes() -> None:
    """Whether or not the read tells them."""

    class Curt(Changed):
        def get_object(self, *args, **options):
            body = super().get_object(*args, **options)
            body.meta = replace(body.meta, attributes=None)
            return body

    for hook in (Changed, Curt):
        place = holding(hook, content_type="text/csv", metadata={"owner": "lab"})
        there = endpoint("there/").below("a")
        fetch(candidates(place), ObjectTarget(there))
        kept = there.store.stat_object(there.location.ref).attributes
        assert kept is not None
        assert kept.content_type == "text/csv"
        assert kept.metadata["owner"] == "lab"

"""What is decided of one object at one destination, and in which order objects are met."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from airflow_multicloud.core.apart import check_overlap
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger.entries import Origin, Proof
from airflow_multicloud.core.replication.buckets import check_buckets
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.deciding import decide
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, StorageError
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.object_store import BucketMeta, Digests, IfUnchanged
from airflow_multicloud.testing.memory_cloud.object_store import Hook

from . import memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTED = Listed("a", 5, "e1", None, NOW, Digests())
THERE = Listed("a", 5, "r1", "7", NOW, Digests())
ORIGIN = "s3://lake/a"
PROOF = Proof(
    size=5,
    etag="r1",
    digests=Digests(sha256="aa", md5="bb"),
    origin=Origin(ORIGIN, "e1"),
    outcome=Outcome.COPIED,
    run_id="run",
    at=NOW,
    as_of=NOW,
    confirmed="sha256",
    not_kept=("tags",),
)
PRIOR = Replica(prior=IfUnchanged("r1", "7"))


@pytest.mark.parametrize("immutable", [False, True])
class TestDecide:
    def test_a_free_key_is_to_be_written(self, immutable: bool) -> None:
        assert decide(LISTED, ORIGIN, None, None, immutable=immutable) == Replica()
        assert decide(LISTED, ORIGIN, None, PROOF, immutable=immutable) == Replica()

    def test_what_is_proven_is_unchanged(self, immutable: bool) -> None:
        state = decide(LISTED, ORIGIN, THERE, PROOF, immutable=immutable)
        assert state == replace(
            PRIOR,
            outcome=Outcome.UNCHANGED,
            etag="r1",
            version="7",
            confirmed="sha256",
            not_kept=("tags",),
        )

    @pytest.mark.parametrize(
        "proof",
        [
            None,
            replace(PROOF, origin=Origin(ORIGIN, "e0")),
            # The same ETag of another source says nothing: an MD5, say, or a counter.
            replace(PROOF, origin=Origin("s3://moved/a", "e1")),
            replace(PROOF, size=4),
            replace(PROOF, etag="r0"),
            replace(PROOF, version="6"),
            replace(PROOF, outcome=Outcome.UNVERIFIABLE),
        ],
    )
    def test_the_same_size_without_proof_is_doubtful(
        self, proof: Proof | None, immutable: bool
    ) -> None:
        state = decide(LISTED, ORIGIN, THERE, proof, immutable=immutable)
        assert state == replace(PRIOR, doubtful=True)

    @pytest.mark.parametrize(
        "shown", [Digests(sha256="ab"), Digests(md5="bc"), Digests(sha256="aa", md5="bc")]
    )
    def test_a_digest_that_the_listing_shows_refutes_it(
        self, shown: Digests, immutable: bool
    ) -> None:
        state = decide(LISTED, ORIGIN, replace(THERE, digests=shown), PROOF, immutable=immutable)
        assert state == replace(PRIOR, doubtful=True)
        agreeing = replace(THERE, digests=Digests(md5="bb"))
        state = decide(LISTED, ORIGIN, agreeing, PROOF, immutable=immutable)
        assert state.outcome is Outcome.UNCHANGED

    def test_another_size_is_replaced_unless_immutable(self, immutable: bool) -> None:
        state = decide(LISTED, ORIGIN, replace(THERE, size=4), PROOF, immutable=immutable)
        if immutable:
            assert (state.outcome, state.kind) == (Outcome.CONFLICT, ErrorKind.ALREADY_EXISTS)
            assert "4 bytes" in (state.reason or "")
        else:
            assert state == PRIOR


# By code point and by UTF-8 the emoji comes last, by UTF-16 (Azure, some tools) before U+FFFD.
AWKWARD = ["\U0001f600", "�", "é", "z", "a/b", "a", "a b", "a%2Fb", "A", "", "~", "a\n"]


def _item(name: str) -> Item:
    return Item(name, 1, "e", None, NOW, (Replica(),))


def test_names_come_in_the_order_of_their_utf8_bytes() -> None:
    with Catalog() as catalog:
        catalog.add_listing(SOURCE, (replace(LISTED, name=n) for n in AWKWARD))
        catalog.put_items(map(_item, reversed(AWKWARD)))
        ordered = sorted(AWKWARD, key=str.encode)
        assert [o.name for o in catalog.listing(SOURCE)] == ordered
        assert [i.name for i in catalog.items()] == ordered
        assert [i.name for i in catalog.open_items()] == ordered


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@settings(max_examples=50)
@given(st.sets(_NAMES), st.sets(_NAMES))
def test_following_finds_exactly_what_is_there(held: set[str], asked: set[str]) -> None:
    follow = Follow((name, name) for name in sorted(held, key=str.encode))
    for name in sorted(asked, key=str.encode):
        assert follow.at(name) == (name if name in held else None)


def test_items_may_be_ended_while_the_open_ones_are_read() -> None:
    names = [f"{n:05d}" for n in range(1500)]
    with Catalog() as catalog:
        catalog.put_items(map(_item, names))
        seen = []
        for item in catalog.open_items():
            seen.append(item.name)
            catalog.put_items([item.end_open(Outcome.FAILED, ErrorKind.TIMEOUT, "late")])
        assert seen == names
        assert list(catalog.open_items()) == []
        assert catalog.totals() == (1500, 1500)


def test_size_bounds_split_the_items_without_loss() -> None:
    with Catalog() as catalog:
        catalog.put_items(replace(_item(str(n)), size=n) for n in range(10))
        small = [i.size for i in catalog.open_items(up_to=4)]
        large = [i.size for i in catalog.open_items(larger_than=4)]
        assert (small, large) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])


class _Refusing(memory.object_store.Hook):
    """A store whose buckets may not be looked at, and not be created."""

    error: CloudError

    def stat_bucket(self, bucket: str) -> BucketMeta:
        raise self.error

    def ensure_bucket(self, bucket: str) -> None:
        raise StorageError("no, really", kind=ErrorKind.PERMISSION_DENIED, cloud="memory")


@pytest.mark.parametrize(
    ("error", "create", "kind"),
    [
        (
            StorageError("no", kind=ErrorKind.PERMISSION_DENIED, code="c"),
            False,
            "permission_denied",
        ),
        (CredentialsError("no", kind=ErrorKind.UNAUTHENTICATED, code="c"), True, "unauthenticated"),
        (StorageError("no", kind=ErrorKind.QUOTA, code="c"), False, "quota"),
        (StorageError("no", kind=ErrorKind.NOT_FOUND, code="c"), False, "not_found"),
        (StorageError("no", kind=ErrorKind.NOT_FOUND), True, "permission_denied"),
    ],
)
@pytest.mark.parametrize("parameter", ["source", "destinations[0]", "destinations[1]"])
def test_whatever_a_bucket_check_raises_names_the_parameter(
    error: CloudError, create: bool, kind: str, parameter: str
) -> None:
    ends = {name: memory.endpoint() for name in ("source", "destinations[0]", "destinations[1]")}
    refusing = _Refusing(memory.conn_of(ends[parameter]))
    refusing.error = error
    ends[parameter] = dataclasses.replace(ends[parameter], store=refusing)
    source, *destinations = ends.values()
    with pytest.raises(type(error)) as caught:
        check_buckets(source, destinations, create=create)
    expected = "not_found" if parameter == "source" and error.kind == "not_found" else kind
    assert caught.value.kind == expected
    assert str(caught.value).startswith(f"{parameter}: ")
    assert str(caught.value).count(f"{parameter}: ") == 1
    assert caught.value.code == error.code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("abfs://conn@c/a/", "abfss://conn@c/a/", True),
        ("abfs://c/a/", "abfss://wasb_default@c/a/b/", True),
        ("abfss://c/a/", "abfs://c/", True),
        ("s3://c/a/", "s3://aws_default@c/a/", True),
        ("abfs://conn@c/a/", "abfss://other@c/a/", False),
        ("abfs://c/a/", "abfss://c/b/", False),
        ("abfs://c/a/", "abfss://d/a/", False),
    ],
)
def test_a_place_is_the_same_however_it_is_spelt(one: str, other: str, same: bool) -> None:
    places = [parse_location(uri, parameter="x") for uri in (one, other)]
    # Each connection reaches an account of its own.
    ends = [Endpoint("azure", Hook(place.conn_id or "default"), place) for place in places]
    elsewhere = memory.endpoint()
    for check in (
        lambda: check_overlap(ends[0], ends[1:]),
        lambda: check_overlap(ends[1], ends[:1]),
        lambda: check_overlap(elsewhere, ends),
    ):
        if not same:
            check()
            continue
        with pytest.raises(StorageError, match=" overlaps ") as caught:
            check()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("one", "other", "name", "same"),
    [
        ("s3://a@lake/x/", "s3://b@lake/x/", "", True),
        ("s3://a@lake/x/", "s3://b@lake/x/y/", "minio:9000", True),
        ("abfs://a@lake/", "abfss://b@lake/x/", "one.blob.core.windows.net", True),
        ("s3://a@lake/x/", "s3://b@lake/y/", "", False),
        ("s3://a@lake/x/", "s3://b@other/x/", "", False),
        ("s3://a@lake/x/", "s3://b@lake/x/", None, False),
    ],
)
def test_two_connections_to_one_bucket_reach_the_same_place(
    one: str, other: str, name: str | None, same: bool
) -> None:
    """``None``: each connection reaches an account of its own."""
    ends = []
    for uri in (one, other):
        place = parse_location(uri, parameter="x")
        ends.append(Endpoint("aws", Hook(place.conn_id or ""), place, alias=name))
    for destinations, message in (
        ((ends[1],), rf"^destinations\[0\]: {other} overlaps source {one}: both connections "),
        ((memory.endpoint(), *ends), rf"^destinations\[2\]: {other} overlaps destinations\[1\]"),
    ):
        source = ends[0] if len(destinations) == 1 else memory.endpoint()
        if same:
            with pytest.raises(StorageError, match=message) as caught:
                Replication(source, destinations)
            assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        else:
            Replication(source, destinations)


@pytest.mark.parametrize("immutable", [False, True])
@pytest.mark.parametrize(
    ("at_source", "there"),
    [
        (Digests(md5="cc"), Digests()),
        (Digests(sha256="cc"), Digests()),
        (Digests(crc32c="1"), Digests(crc32c="2")),
        (Digests(md5="bb", crc32c="1"), Digests(crc32c="2")),
    ],
)
def test_a_source_that_shows_another_content_is_asked(
    at_source: Digests, there: Digests, immutable: bool
) -> None:
    """A ledger may say anything of what lies beside it; the source is not its to write."""
    listed, prior = replace(LISTED, digests=at_source), replace(THERE, digests=there)
    state = decide(listed, ORIGIN, prior, PROOF, immutable=immutable)
    assert (state.outcome, state.inspect) == (None, True)
    agreeing = replace(LISTED, digests=Digests(md5="bb", crc32c="2"))
    state = decide(agreeing, ORIGIN, prior, PROOF, immutable=immutable)
    assert state.outcome is Outcome.UNCHANGED


class TestDecideByAttributes:
    """Content is proven; what becomes of an object whose attributes may have changed."""

    PROOF = replace(PROOF, attributes="f1", tags="t1", seen=NOW)

    def _outcome(
        self,
        compare: CompareAttributes,
        *,
        tags: bool = False,
        proof: Proof | None = None,
        **listed: object,
    ) -> Outcome | None:
        state = decide(
            replace(LISTED, **listed),
            ORIGIN,
            THERE,
            proof or self.PROOF,
            immutable=False,
            attributes=compare,
            tags=tags,
        )
        assert state.inspect is (state.outcome is None)
        assert (state.etag, state.confirmed, state.attributes) == (
            "r1",
            "sha256",
            (proof or self.PROOF).attributes,
        )
        return state.outcome

    def test_a_listing_that_tells_decides(self) -> None:
        auto = CompareAttributes.AUTO
        assert self._outcome(auto, attributes="f1") is Outcome.UNCHANGED
        later = NOW + timedelta(days=1)
        assert self._outcome(auto, attributes="f1", modified=later) is Outcome.UNCHANGED
        assert self._outcome(auto, attributes="f2") is None

    def test_else_the_time_does(self) -> None:
        auto = CompareAttributes.AUTO
        assert self._outcome(auto) is Outcome.UNCHANGED
        assert self._outcome(auto, modified=NOW + timedelta(seconds=1)) is None
        assert self._outcome(auto, proof=replace(self.PROOF, seen=None)) is None
        assert self._outcome(auto, proof=replace(self.PROOF, attributes=None)) is None

    def test_always_looks_where_nothing_tells(self) -> None:
        always = CompareAttributes.ALWAYS
        assert self._outcome(always) is None
        assert self._outcome(always, attributes="f1") is Outcome.UNCHANGED
        assert self._outcome(always, attributes="f1", tags=True) is None

    def test_never_looks(self) -> None:
        changed = {"attributes": "f2", "modified": NOW + timedelta(days=1)}
        assert self._outcome(CompareAttributes.NEVER, **changed) is Outcome.UNCHANGED

    def test_an_unknown_etag_proves_nothing(self) -> None:
        proof = replace(PROOF, origin=Origin(ORIGIN), etag="")
        nameless = replace(THERE, etag="")
        state = decide(replace(LISTED, etag=""), ORIGIN, nameless, proof, immutable=False)
        assert state.outcome is None
        assert state.doubtful

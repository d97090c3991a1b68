"""Whether ledgers prove the same content of one version of an object at the source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import SEGMENTS
from airflow_multicloud.core.ledger.trust import Contradiction, Corroboration
from airflow_multicloud.core.replication.agreeing import compare
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from tests.unit.ledger.made import commit, draft, proof

from .memory import endpoint, ledger, own

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.entries import Proof


def known(name: str, content: bytes = b"1", **changes: Any) -> tuple[str, Proof]:
    """What a ledger proves of an object."""
    found = proof(content, source=name)
    origin = changed(found.origin, **changes.pop("origin", {}))
    return name, changed(found, origin=origin, **changes)


def replica(*proven: tuple[str, Proof | None], prefix: str = "copy/") -> Endpoint:
    end = endpoint(prefix)
    entries = [Entry(prefix + name, found) for name, found in proven]
    commit(end, entries, this=draft(step=Step.END, prefix=prefix))
    return end


def compared(one: Endpoint, *others: Endpoint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The contradictions that are found, and what could not be compared."""
    heads = tuple(replace(ledger(other), end=other) for other in others)
    said = Corroboration((), (), heads)
    found = compare(one, ledger(one), said)
    assert found.heads == heads
    return tuple(map(str, found.contradictions)), found.unknown


def test_the_same_content_is_no_contradiction() -> None:
    one = replica(known("a"), known("b", b"22"))
    other = replica(known("a"), known("b", b"22"), known("c"), prefix="elsewhere/")
    assert compared(one, other) == ((), ())


@pytest.mark.parametrize("prefix", ["copy/", "elsewhere/"])
def test_each_object_that_differs_is_counted_and_the_first_are_named(prefix: str) -> None:
    names = "abcdefg"
    one = replica(*(known(name) for name in names))
    others = [known(name, b"2" if name in "bcdefg" else b"1") for name in names]
    other = replica(*others, prefix=prefix)
    (said,), unknown = compared(one, other)
    assert (
        f"the ledgers of {one.location} and {other.location} prove different contents of the same "
        "object at the source, for 6 of 7 objects ('b', 'c', 'd', 'e', 'f'); which is right"
    ) in said
    assert unknown == ()


@pytest.mark.parametrize("name", ["sha256", "md5", "crc32c"])
def test_one_digest_that_differs_is_enough(name: str) -> None:
    digests = replace(digests_of(b"1"), **{name: getattr(digests_of(b"2"), name)})
    (said,), _ = compared(replica(known("a")), replica(known("a", digests=digests)))
    assert "for 1 of 1 objects ('a')" in said


def test_another_size_is_enough_where_no_digest_is_known_of_both() -> None:
    here = known("a", digests=Digests(sha256=digests_of(b"1").sha256))
    there = known("a", b"22", digests=Digests(md5=digests_of(b"22").md5))
    (said,), _ = compared(replica(here), replica(there))
    assert "for 1 of 1 objects ('a')" in said
    same = known("a", b"2", digests=Digests(md5=digests_of(b"2").md5))
    assert compared(replica(here), replica(same)) == ((), ())


@pytest.mark.parametrize(
    "origin", [{"uri": "mem://lab/moved"}, {"etag": "later"}, {"version": "later"}]
)
def test_other_versions_of_an_object_are_not_compared(origin: dict[str, str]) -> None:
    one, other = replica(known("a")), replica(known("a", b"2", origin=origin))
    nothing = f"{other.location} has no object of the same version of the same source"
    assert compared(one, other) == ((), (nothing,))


def test_an_etag_that_is_not_known_names_no_version() -> None:
    one = replica(known("a", origin={"etag": ""}))
    other = replica(known("a", b"2", origin={"etag": ""}))
    assert compared(one, other)[0] == ()


def test_what_only_one_of_them_proves_is_not_compared() -> None:
    one = replica(known("a"), ("b", None), known("c"), known("d"))
    other = replica(known("b", b"2"), ("c", None), known("d", b"2"))
    (said,), unknown = compared(one, other)
    assert "for 1 of 1 objects ('d')" in said
    assert unknown == ()


def test_each_other_ledger_is_compared_and_what_was_said_before_stays() -> None:
    one, same, other = replica(known("a")), replica(known("a")), replica(known("a", b"2"))
    heads = tuple(replace(ledger(end), end=end) for end in (other, same))
    before = Contradiction("mem://lab/", "said before")
    said = compare(one, ledger(one), Corroboration((before,), ("not known",), heads))
    assert said.contradictions[0] == before
    assert len(said.contradictions) == 2
    assert said.unknown == ("not known",)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> tuple[Endpoint, Endpoint]:
    """Two replicas whose ledgers have segments."""
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    return replica(known("a"), known("b")), replica(known("a"), known("b"))


def damage(end: Endpoint) -> None:
    for key in own(end, SEGMENTS.partition("/")[2]):
        end.store.put_object(end.ref(key), b"?")


def test_another_ledger_that_is_damaged_costs_itself(many: tuple[Endpoint, Endpoint]) -> None:
    one, other = many
    damage(other)
    contradictions, (unknown, *more) = compared(one, other, replica(known("a", b"2")))
    assert unknown.startswith(f"what the ledger of {other.location} proves can't be read: integr")
    assert (len(contradictions), more) == (1, [])


def test_this_ledger_must_be_sound(many: tuple[Endpoint, Endpoint]) -> None:
    one, other = many
    damage(one)
    with pytest.raises(StorageError) as raised:
        compared(one, other)
    assert raised.value.kind is ErrorKind.INTEGRITY

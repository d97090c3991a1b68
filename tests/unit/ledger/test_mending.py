"""A ledger of which some segments can't be read: what else it says still counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger import commits, reading, segments
from airflow_multicloud.core.ledger.base import Base, base_of
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import SEGMENTS, commit_key, segment_key
from airflow_multicloud.core.ledger.segments import Keys
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.replication.memory import endpoint

from .made import commit, draft, entry, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.reading import Head
    from airflow_multicloud.core.ledger.refs import SegmentRef

OLD = [f"{place}/{n}" for place in "abc" for n in range(8)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    monkeypatch.setattr(segments, "ENTRIES", 4)


@pytest.fixture
def end() -> Endpoint:
    """Twenty-four old entries in six segments, three newer ones in one, and one in the commit."""
    made = endpoint("")
    commit(made, [entry(key) for key in OLD])
    commit(made, [entry(key, etag="new") for key in ("b/1", "b/4", "b/5")])
    commit(made, [entry("b/2", etag="newest")])
    for place in ("", "a/", "b/", "c/"):
        found = look(place, 5 if place else 3)
        commit(made, [], this=draft(f"of {place}", Step.END, prefix=place, found=found))
    old, new = newest(made).commit.segments
    assert (len(old), len(new), len(newest(made).commit.recent)) == (6, 1, 1)
    return made


def newest(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def etags(entries: Iterable[Entry]) -> dict[str, str]:
    return {one.key: one.proof.etag for one in entries if one.proof is not None}


def lose(end: Endpoint, ref: SegmentRef, *, damaged: bool = False) -> None:
    place = end.ref(segment_key(ref.sha256))
    if damaged:
        end.store.put_object(place, b"other bytes")
    else:
        end.store.delete_object(place)


def mended(end: Endpoint, prefix: str) -> Base:
    """What a run goes by once it could not read what the ledger says below a prefix."""
    base = base_of(end)
    with pytest.raises(StorageError) as raised:
        [*base.entries(prefix)]
    assert raised.value.kind is ErrorKind.INTEGRITY
    return base.without_unreadable(prefix, str(raised.value))


@pytest.mark.parametrize("damaged", [False, True])
def test_only_what_the_segment_had_is_lost(end: Endpoint, damaged: bool) -> None:
    before, (old, _) = etags(newest(end).entries()), newest(end).commit.segments
    lose(end, old[0], damaged=damaged)
    base = mended(end, "a/")
    assert base.damaged is None
    lost = {key for key in OLD if "a/0" <= key <= "a/3"}
    made = commit(end, [entry("a/9", etag="ours")], base)
    kept = {key: etag for key, etag in before.items() if key not in lost} | {"a/9": "ours"}
    assert etags(newest(end).entries()) == kept
    head = newest(end)
    assert head == made.head
    assert head.commit.previous == base_of(end).head.commit.previous  # type: ignore[union-attr]
    assert head.commit.restarted is None
    assert "what it said of keys from 'a/0' to 'a/3' is lost: " in (head.commit.why or "")
    assert segment_key(old[0].sha256) in (head.commit.why or "")
    # It is said once, and the chain is whole.
    assert commit(end, [entry("z")]).head.commit.why is None  # type: ignore[union-attr]
    assert len([*reading.back_to(newest(end), 1)]) == newest(end).commit.number - 1


def test_looks_that_were_at_what_is_lost_vouch_for_nothing_any_more(end: Endpoint) -> None:
    (old, _) = newest(end).commit.segments
    lose(end, old[0])
    commit(end, [], mended(end, "a/"))
    assert [one.prefix for one in newest(end).commit.looks] == ["b/", "c/"]


def test_nothing_older_takes_the_place_of_what_is_lost(end: Endpoint) -> None:
    """An older entry may be of an object that was replaced, is behind or was deleted since."""
    (_, new) = newest(end).commit.segments
    lose(end, new[0])
    commit(end, [], mended(end, "b/"))
    kept = etags(newest(end).entries())
    assert set(OLD) - set(kept) == {f"b/{n}" for n in (1, 3, 4, 5)}
    assert kept["b/2"] == "newest"  # Known by what is newer.
    assert (kept["b/0"], kept["b/6"]) == ("e", "e")
    assert [one.prefix for one in newest(end).commit.looks] == ["a/", "c/"]
    for run in newest(end).commit.segments:
        for ref in run:
            assert [*segments.read(end, ref)]


def test_only_who_commits_writes(end: Endpoint) -> None:
    """Who only reads, or may only read, goes by what need not be written anew."""
    (_, new) = newest(end).commit.segments
    lose(end, new[0])
    before = [meta.key for meta in end.store.list_objects(end.bucket, SEGMENTS)]
    base = mended(end, "b/")
    assert {one.key for one in base.entries("b/")} < {f"b/{n}" for n in range(8)}
    assert [meta.key for meta in end.store.list_objects(end.bucket, SEGMENTS)] == before


def test_what_can_not_be_cut_is_lost_as_well(end: Endpoint) -> None:
    (old, new) = newest(end).commit.segments
    lose(end, new[0])
    base = mended(end, "b/")
    lose(end, old[2])  # b/0 to b/3: it would have to be written anew.
    with pytest.raises(StorageError):
        [*base_of(end).entries("b/")]
    again = base_of(end).without_unreadable("b/", "why")
    commit(end, [], again)
    assert {key for key in etags(newest(end).entries()) if key.startswith("b/")} == {
        "b/2",
        "b/6",
        "b/7",
    }
    assert base.partly is not None


def test_what_others_commit_meanwhile_stays_and_what_is_lost_does_not_come_back(
    end: Endpoint,
) -> None:
    (old, _) = newest(end).commit.segments
    lose(end, old[0])
    base = mended(end, "a/")
    commit(end, [entry("c/1", etag="theirs")], this=draft("other", prefix="c/"))
    assert old[0] in newest(end).commit.segments[0]
    made = commit(end, [entry("a/1", etag="ours")], base)
    kept = etags(newest(end).entries())
    assert (kept["c/1"], kept["a/1"], "a/0" in kept) == ("theirs", "ours", False)
    assert "a/0" in (newest(end).commit.why or "")
    assert not made.alone
    assert not any(Keys("a/0").may_have(ref) for ref in newest(end).commit.segments[0][:1])


def test_other_places_go_on_with_a_damaged_ledger(end: Endpoint) -> None:
    """Also when another run has committed, and there are many changes to be merged."""
    (old, _) = newest(end).commit.segments
    lose(end, old[0])
    base = base_of(end)
    commit(end, [entry("b/9")], this=draft("other"))
    many = [entry(f"c/{n:03}", etag="ours") for n in range(100)]
    commit(end, many, base, this=draft("ours", prefix="c/"))
    assert len([*newest(end).entries("c/")]) == 108
    with pytest.raises(StorageError):
        [*newest(end).entries("a/")]


def test_a_ledger_that_can_be_read_and_is_none_counts_for_nothing(end: Endpoint) -> None:
    base = base_of(end).without_unreadable("", "it has too many entries")
    assert base.damaged == "it has too many entries"
    assert [*base.entries("")] == []


def restart(end: Endpoint) -> None:
    """The newest commit is damaged, and another run starts the ledger over."""
    damage(end)
    commit(end, [entry("b/1", etag="theirs")], this=draft("restarts", prefix="b/"))


def damage(end: Endpoint) -> None:
    place = end.ref(commit_key(newest(end).commit.number + 1))
    end.store.put_object(place, b"garbage")


def mend(end: Endpoint) -> None:
    (old, _) = newest(end).commit.segments
    lose(end, old[0])
    commit(end, [], mended(end, "a/"), this=draft("mends", prefix="a/"))


@pytest.mark.parametrize("step", [Step.PROGRESS, Step.END])
@pytest.mark.parametrize("what", [restart, damage, mend])
def test_a_look_does_not_vouch_for_what_was_lost_while_its_run_went_on(
    end: Endpoint, what: Callable[[Endpoint], None], step: Step
) -> None:
    """The run had found it there, and does not record it again."""
    base = base_of(end)
    what(end)
    ours = draft("ours", Step.END, found=look("", 90, objects=24))
    if step is Step.PROGRESS:
        base = commit(end, [entry("a/9")], base, this=draft("ours"))
        base = commit(end, [entry("a/99")], base, this=draft("ours"))
    commit(end, [], base, this=ours)
    (found,) = [one for one in newest(end).commit.looks if one.prefix == ""]
    assert (found.displaced, found.holds) == (1, None)
    # The next one sees for itself.
    commit(end, [], this=draft("next", Step.END, found=look("", 120, objects=24)))
    (found,) = newest(end).commit.looks
    assert found.displaced == 0


@pytest.mark.parametrize("what", [restart, damage, mend])
def test_a_run_that_has_gone_without_it_vouches_for_what_it_found(
    end: Endpoint, what: Callable[[Endpoint], None]
) -> None:
    (old, _) = newest(end).commit.segments
    if what is mend:
        lose(end, old[0])
        bases = [mended(end, "a/"), mended(end, "a/")]
    else:
        damage(end)
        bases = [base_of(end), base_of(end)]
    for token, base in zip("xy", bases, strict=True):  # Both began before either had written.
        made = commit(end, [], base, this=draft(token, Step.BEGIN))
        assert made.head is not None
        commit(end, [], made, this=draft(token, Step.END, found=look("", 90, objects=24)))
        (found,) = [one for one in newest(end).commit.looks if one.prefix == ""]
        assert found.displaced == 0


def test_a_run_that_begins_after_the_loss_is_not_told_of_it(end: Endpoint) -> None:
    restart(end)
    number = newest(end).commit.number
    commit(end, [], this=draft("ours", Step.END, found=look("", 90)))
    assert [one.displaced for one in newest(end).commit.looks] == [0]
    assert newest(end).commit.mended == number

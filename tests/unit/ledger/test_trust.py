"""Who wrote a ledger anew is found out by whoever knew it before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import reading, trust, writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Mark, Sibling, Step, read, root_of, write
from airflow_multicloud.core.ledger.names import COMMITS, commit_key, place_of
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from tests.unit.replication.memory import endpoint

from .made import commit, draft, entry

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.reading import Head

SIGNED = b'{"envelope":1}'


def ledger(commits: int = 3, *, place: str = "lab") -> Endpoint:
    made = endpoint()
    if place != "lab":
        made.store.ensure_bucket(place)  # type: ignore[attr-defined]
        made = replace(made, location=replace(made.location, bucket=place))
    for number in range(commits):
        commit(made, [entry(f"k{number}")])
    return made


def newest(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def saw(end: Endpoint, other: Endpoint, mark: Mark, *, ago: timedelta = timedelta(0)) -> None:
    """Let one ledger say what it has seen of another."""
    seen = Sibling(place_of(other), mark.number, mark.root, datetime.now(UTC) - ago)
    commit(end, [], this=replace(draft(), siblings=(seen,)))


def rewrite(end: Endpoint, number: int, **changes: object) -> str:
    """Write a commit anew, well-formed; returns its root."""
    line = write(changed(reading.at(end, number).commit, **changes))
    read(line)
    end.store.put_object(end.ref(commit_key(number)), line + b"\n")
    return root_of(line)


def refused(head: Head, root: str | None, at_least: int | None) -> str:
    with pytest.raises(StorageError) as raised:
        trust.check_expected(head, root, at_least)
    assert raised.value.kind is ErrorKind.INTEGRITY
    return str(raised.value)


class TestWhatACallerRemembers:
    def test_what_is_there(self) -> None:
        end = ledger(3)
        head, first = newest(end), reading.at(end, 1)
        trust.check_expected(head, None, None)
        trust.check_expected(head, head.root, None)
        trust.check_expected(head, None, 1)
        trust.check_expected(head, None, 3)
        trust.check_expected(head, head.root, 3)
        trust.check_expected(head, first.root, 1)

    def test_a_root_alone_is_the_newest_commits(self) -> None:
        end = ledger(3)
        head, first = newest(end), reading.at(end, 1)
        said = refused(head, first.root, None)
        assert f"the newest commit is commit 3 of root {head.root}" in said
        assert f"one of root {first.root} was expected" in said
        assert "rolled back, written anew or restarted" in said
        assert "give its number as at_least_commit as well" in said
        assert place_of(end) in said

    def test_a_ledger_that_was_rolled_back(self) -> None:
        end = ledger(3)
        before = newest(end)
        end.store.delete_object(end.ref(commit_key(3)))
        assert "commit 3 was expected" in refused(newest(end), None, 3)
        wanted = f"commit 3 of root {before.root} was expected"
        assert wanted in refused(newest(end), before.root, 3)

    def test_a_commit_that_was_written_anew(self) -> None:
        end = ledger(2)
        before = newest(end)
        after = rewrite(end, 2, why="anew")
        commit(end, [entry("later")])
        said = refused(newest(end), before.root, 2)
        assert f"commit 2 of root {before.root} was expected among the commits up to" in said
        assert f"but commit 2 has the root {after}" in said

    def test_one_that_is_not_there_any_more_is_not_taken_for_granted(self) -> None:
        end = ledger(4)
        second = reading.at(end, 2)
        end.store.delete_object(end.ref(commit_key(2)))
        said = refused(newest(end), second.root, 2)
        assert "commit 2 and those before it are not there" in said

    def test_a_ledger_that_begins_later(self) -> None:
        end = ledger(3)
        second = reading.at(end, 2)
        rewrite(end, 3, previous=None)
        assert "begins with commit 3" in refused(newest(end), second.root, 2)
        rewrite(end, 3, previous=reading.at(end, 1).mark)
        assert "commit 3 there follows on commit 1" in refused(newest(end), second.root, 2)

    def test_no_ledger(self) -> None:
        end = endpoint()
        trust.check_none_expected(end, None, None)
        for root, at_least in ((None, 1), ("a" * 64, None), ("a" * 64, 4)):
            with pytest.raises(StorageError, match="there is no ledger in this bucket, but ") as no:
                trust.check_none_expected(end, root, at_least)
            assert no.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        ("root", "at_least", "named"),
        [("abc", None, "expected_root: 'abc'"), ("A" * 64, 1, "expected_root"), (None, 0, "at_le")],
    )
    def test_what_names_no_commit(self, root: str | None, at_least: int | None, named: str) -> None:
        with pytest.raises(StorageError, match=named) as raised:
            trust.check_expected(newest(ledger(1)), root, at_least)
        assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


class TestOtherLedgers:
    def test_that_agree(self) -> None:
        one, other = ledger(3), ledger(2, place="other")
        saw(other, one, reading.at(one, 2).mark)
        saw(one, other, newest(other).mark)
        assert trust.corroborate(newest(one), [newest(other)]) == trust.Corroboration()

    def test_that_have_never_met(self) -> None:
        one, other = ledger(1), ledger(1, place="other")
        found = trust.corroborate(newest(one), [newest(other)])
        assert found.contradictions == ()
        assert found.unknown == (
            f"the ledgers of {place_of(one)} and {place_of(other)} say nothing of each other",
        )

    @pytest.mark.parametrize("reverse", [False, True])
    def test_one_that_was_rolled_back(self, reverse: bool) -> None:
        one, other = ledger(3), ledger(1, place="other")
        saw(other, one, newest(one).mark)
        one.store.delete_object(one.ref(commit_key(3)))
        pair = (one, other) if not reverse else (other, one)
        (found,) = trust.corroborate(newest(pair[0]), [newest(pair[1])]).contradictions
        assert found.other == place_of(pair[1])
        assert f"the ledger of {place_of(other)} has seen commit 3 of root" in str(found)
        assert f"of the ledger of {place_of(one)} at " in str(found)
        assert "which now ends with commit 2" in str(found)
        assert "can't be told from them alone, but only by a third ledger" in str(found)

    @pytest.mark.parametrize("later", [0, 2])
    def test_one_that_was_written_anew(self, later: int) -> None:
        one, other = ledger(2), ledger(1, place="other")
        saw(other, one, newest(one).mark)
        root = rewrite(one, 2, why="anew")
        for number in range(later):
            commit(one, [entry(f"later{number}")])
        (found,) = trust.corroborate(newest(one), [newest(other)]).contradictions
        assert f"commit 2 has the root {root} there" in str(found)

    @pytest.mark.parametrize("how", ["begins", "skips", "hides"])
    def test_one_that_hides_what_was_seen(self, how: str) -> None:
        """A forger may leave out what he can't forge."""
        one, other = ledger(3), ledger(1, place="other")
        saw(other, one, reading.at(one, 2).mark)
        if how == "begins":
            rewrite(one, 3, previous=None)
        elif how == "skips":
            rewrite(one, 3, previous=reading.at(one, 1).mark)
        else:
            one.store.delete_object(one.ref(commit_key(2)))
        (found,) = trust.corroborate(newest(one), [newest(other)]).contradictions
        assert "has seen commit 2" in str(found)

    def test_old_commits_may_be_deleted_later(self) -> None:
        one, other = ledger(3), ledger(1, place="other")
        saw(other, one, reading.at(one, 1).mark, ago=timedelta(days=31))
        one.store.delete_object(one.ref(commit_key(1)))
        found = trust.corroborate(newest(one), [newest(other)])
        assert found.contradictions == ()
        assert "can't be told, as commit 1 and those before it are not there" in found.unknown[0]

    @pytest.mark.parametrize("reverse", [False, True])
    def test_but_not_so_soon(self, reverse: bool) -> None:
        one, other = ledger(3), ledger(1, place="other")
        saw(other, one, reading.at(one, 1).mark, ago=timedelta(days=29, hours=23))
        one.store.delete_object(one.ref(commit_key(1)))
        pair = (one, other) if not reverse else (other, one)
        (found,) = trust.corroborate(newest(pair[0]), [newest(pair[1])]).contradictions
        assert "commit 1 and those before it are not there" in str(found)

    def test_two_thousand_commits_are_looked_through(self) -> None:
        one, other = ledger(2), ledger(1, place="other")
        marks = [reading.at(one, 1).mark, reading.at(one, 2).mark]
        last = reading.at(one, 2).commit
        for number in range(3, 2003):
            last = changed(last, number=number, previous=marks[-1])
            line = write(last)
            one.store.put_object(one.ref(commit_key(number)), line + b"\n")
            marks.append(Mark(number, root_of(line)))
        saw(other, one, marks[1])
        assert trust.corroborate(newest(one), [newest(other)]) == trust.Corroboration()
        commit(one, [])
        found = trust.corroborate(newest(one), [newest(other)])
        assert "looked for as far back as commit 3 only" in found.unknown[0]

    def test_each_ledger_costs_no_judgement_of_the_others(self) -> None:
        one, broken = ledger(2), ledger(3, place="broken")
        stranger, wrong = ledger(1, place="stranger"), ledger(1, place="wrong")
        saw(one, broken, reading.at(broken, 1).mark)
        rewrite(broken, 2, why="anew")
        saw(wrong, one, Mark(1, "0" * 64))
        heads = [newest(end) for end in (broken, stranger, wrong)]
        for order in (heads, heads[::-1]):
            found = trust.corroborate(newest(one), order)
            assert [one.other for one in found.contradictions] == [place_of(wrong)]
            assert len(found.unknown) == 2

    def test_how_far_was_looked_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trust, "FURTHEST", 2)
        one, other = ledger(5), ledger(1, place="other")
        saw(other, one, reading.at(one, 3).mark)
        assert trust.corroborate(newest(one), [newest(other)]) == trust.Corroboration()
        commit(one, [])
        found = trust.corroborate(newest(one), [newest(other)])
        assert found.contradictions == ()
        assert "looked for as far back as commit 4 only" in found.unknown[0]

    def test_what_was_committed_since_is_no_contradiction(self) -> None:
        one, other = ledger(1), ledger(1, place="other")
        before = newest(one)
        commit(one, [entry("later")])
        saw(other, one, newest(one).mark)
        assert trust.corroborate(before, [newest(other)]) == trust.Corroboration()

    def test_another_ones_broken_chain_costs_no_judgement_of_this_one(self) -> None:
        one, other = ledger(1), ledger(3, place="other")
        saw(one, other, reading.at(other, 1).mark)
        rewrite(other, 2, why="anew")
        found = trust.corroborate(newest(one), [newest(other)])
        assert found.contradictions == ()
        assert f"the ledger of {place_of(other)} can't be followed back" in found.unknown[0]
        with pytest.raises(StorageError) as raised:
            trust.corroborate(newest(other), [newest(one)])
        assert raised.value.kind is ErrorKind.INTEGRITY


class TestAskingOtherLedgers:
    def test_what_can_not_be_asked_is_said(self) -> None:
        one, none = ledger(2), endpoint()
        same = replace(one, location=one.location.with_key("elsewhere/"))
        none.store.ensure_bucket("none")  # type: ignore[attr-defined]
        none = replace(none, location=replace(none.location, bucket="none"))
        broken = ledger(1, place="broken")
        broken.store.put_object(broken.ref(commit_key(2)), b"{")
        met = ledger(1, place="met")
        saw(met, one, newest(one).mark)
        found = trust.ask(newest(one), [broken, none, same, met])
        assert found.contradictions == ()
        assert found.heads == (newest(met),)
        assert len(found.unknown) == 3
        said = "; ".join(found.unknown)
        assert "@none/data/ has no ledger" in said
        assert "@lab/elsewhere/ has the same ledger" in said
        assert f"the ledger of {place_of(broken)} can't be read: integrity" in said

    def test_a_ledger_that_was_seen_and_is_gone(self) -> None:
        one, other = ledger(1), ledger(1, place="other")
        saw(one, other, newest(other).mark)
        for meta in list(other.store.list_objects("other", COMMITS)):
            other.store.delete_object(other.ref(meta.key))
        never = ledger(0, place="never")
        found = trust.ask(newest(one), [never, other])
        (contradiction,) = found.contradictions
        assert contradiction.other == place_of(other)
        assert "and there is none now" in str(contradiction)
        assert len(found.unknown) == 1

    def test_a_bucket_that_is_not_there_is_named(self) -> None:
        one = ledger(1)
        nowhere = replace(one, location=replace(one.location, bucket="nowhere"))
        with pytest.raises(CloudError, match=r"^siblings: ") as raised:
            trust.ask(newest(one), [nowhere])
        assert raised.value.kind is ErrorKind.NOT_FOUND


@dataclass
class Keys:
    """Public keys; the signature says what it is about."""

    sha256: str
    wrong: bool = False

    def signers(self, envelope: bytes) -> tuple[str, ...]:
        assert envelope == SIGNED
        return ("k1",)

    def verify(self, envelope: bytes) -> SimpleNamespace:
        assert envelope == SIGNED
        if self.wrong:
            raise StorageError("no allowed key has made it", kind=ErrorKind.INTEGRITY)
        return SimpleNamespace(sha256=self.sha256)


class TestSignatures:
    @pytest.fixture
    def end(self) -> Endpoint:
        end = endpoint()
        made = draft(step=Step.END)
        writing.commit(
            end,
            made,
            lambda: iter([entry("a")]),
            base=base_of(end),
            known=lambda _: None,
            sign=lambda _commit, _root: SIGNED,
        )
        return end

    def test_of_the_newest_commit(self, end: Endpoint) -> None:
        head = newest(end)
        assert trust.check_signature(head, None) == ()
        assert trust.check_signature(head, Keys(head.root)) == ("k1",)

    @pytest.mark.parametrize(
        ("keys", "why"),
        [(Keys("0" * 64), "its signature is about 0000"), (Keys("", wrong=True), "no allowed key")],
    )
    def test_of_something_else(self, end: Endpoint, keys: Keys, why: str) -> None:
        with pytest.raises(StorageError, match=why) as raised:
            trust.check_signature(newest(end), keys)
        assert raised.value.kind is ErrorKind.INTEGRITY

    def test_none(self, end: Endpoint) -> None:
        commit(end, [entry("b")])
        head = newest(end)
        assert trust.check_signature(head, None) == ()
        with pytest.raises(StorageError, match=r"it is not signed; only commits .* signed") as no:
            trust.check_signature(head, Keys(head.root))
        assert no.value.kind is ErrorKind.INTEGRITY

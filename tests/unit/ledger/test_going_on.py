"""What a run goes by, and how it comes to its next commit beside others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import commits, merging, reading, segments, writing
from airflow_multicloud.core.ledger.base import Base, base_of, base_or_refusal
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.names import (
    COMMITS,
    LAST_COMMIT,
    SEGMENTS,
    commit_key,
    place_of,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ConditionKind, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import Bare, conn_of, endpoint

from .made import at, commit, draft, entry, look

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.reading import Head
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef


def head_of(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def known(end: Endpoint) -> dict[str, Entry]:
    return {one.key: one for one in head_of(end).entries()}


class TestBase:
    def test_what_the_newest_commit_says(self) -> None:
        end = endpoint("")
        commit(end, [entry("a"), entry("b/1"), entry("b/2")], this=draft(found=look("b/")))
        base = base_of(end)
        assert (base.number, base.damaged, base.alone, base.refused) == (1, None, True, None)
        assert base.looks == (look("b/"),)
        assert [one.key for one in base.entries("b/")] == ["b/1", "b/2"]
        assert [one.key for one in base.entries("", least="b", most="b/1")] == ["b/1"]
        assert base.entry("a") == entry("a")
        assert base.entry("c") is None

    def test_nothing_of_it_counts_once_it_is_damaged(self) -> None:
        end = endpoint("")
        commit(end, [entry("a")], this=draft(found=look()))
        for base in (base_of(end).without_state("it is damaged"), Base()):
            assert base.looks == ()
            assert [*base.entries("")] == []
            assert base.entry("a") is None
        assert base_of(end).without_state("it is damaged").damaged == "it is damaged"
        assert base_of(end).without_state("it is damaged").number == 1

    def test_a_damaged_commits_number_is_known(self) -> None:
        end = endpoint("")
        commit(end, [entry("a")])
        end.store.put_object(end.ref(commit_key(7)), b"junk")
        base = base_of(end)
        assert (base.head, base.number) == (None, 7)
        assert "it is damaged" in (base.damaged or "")
        assert base_or_refusal(end) == base

    def test_a_damaged_commit_that_was_deleted_meanwhile_has_none(self) -> None:
        class Vanishing(object_store.Hook):
            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                body = super().get_object(ref, **more)
                self.delete_object(ref)
                return body

        end = endpoint("", Vanishing)
        end.store.put_object(end.ref(commit_key(7)), b"junk")
        base = base_of(end)
        assert (base.head, base.number) == (None, 0)
        assert commit(end, [], base).number == 1

    def test_another_releases_commit_is_gone_on_from_by_nobody(self) -> None:
        end = endpoint("")
        commit(end, [entry("a")])
        line = commits.write(changed(head_of(end).commit, version=2, number=2))
        end.store.put_object(end.ref(commit_key(2)), line + b"\n")
        with pytest.raises(StorageError) as caught:
            base_of(end)
        assert caught.value.kind is ErrorKind.UNSUPPORTED
        base = base_or_refusal(end)
        assert base.refused is not None
        assert (base.head, base.number, base.looks) == (None, 0, ())
        with pytest.raises(StorageError) as caught:
            commit(end, [entry("b")], base)
        assert caught.value is base.refused

    def test_a_store_that_refuses_is_no_damage(self) -> None:
        class Refusing(object_store.Hook):
            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        end = endpoint("")
        commit(end, [entry("a")])
        refusing = replace(end, store=Refusing(conn_of(end)))
        for ask in (base_of, base_or_refusal):
            with pytest.raises(StorageError) as caught:
                ask(refusing)
            assert caught.value.kind is ErrorKind.PERMISSION_DENIED


class TestACommit:
    def test_says_what_the_run_has_done(self) -> None:
        end = endpoint("")
        this = replace(draft("t", Step.END, prefix="d/"), deleted=3)
        made = commit(end, [entry("a"), entry("b")], this=this)
        found = head_of(end)
        assert made == Base(found, 1, alone=True, began=0)
        said = found.commit
        assert (said.format, said.version, said.place) == (
            "airflow-multicloud ledger",
            1,
            place_of(end),
        )
        assert (said.identity, said.step, said.prefix) == (this.identity, Step.END, "d/")
        assert (said.source, said.started) == ("mem://lab/", this.started)
        assert (said.changed, said.deleted, said.why, said.restarted) == (2, 3, None, None)
        assert said.previous is None
        assert found.signature is None
        commit(end, [])
        assert (head_of(end).commit.deleted, head_of(end).commit.why) == (0, None)

    def test_is_one_line_of_its_type(self) -> None:
        end = endpoint("")
        commit(end, [entry("a")])
        meta = end.store.stat_object(end.ref(commit_key(1)))
        assert meta.attributes is not None
        assert meta.attributes.content_type == "application/x-ndjson"

    def test_counts_all_that_it_changed_also_in_segments(self) -> None:
        end = endpoint("")
        commit(end, [entry(f"{n:03}") for n in range(300)])
        assert head_of(end).commit.changed == 300

    @pytest.mark.parametrize("number", [LAST_COMMIT, LAST_COMMIT + 1])
    def test_has_a_number_or_is_refused(self, number: int) -> None:
        with pytest.raises(StorageError, match="no number is left") as caught:
            commit(endpoint(""), [], Base(None, number, "damaged"), known=lambda _: None)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_may_have_the_last_number(self) -> None:
        end = endpoint("")
        assert commit(end, [], Base(None, LAST_COMMIT - 1, "damaged")).number == LAST_COMMIT
        assert head_of(end).commit.number == LAST_COMMIT

    def test_says_why_it_starts_over_in_not_too_many_words(self) -> None:
        end = endpoint("")
        made = commit(end, [entry("a")], Base(None, 4, "x" * 9000))
        assert made.head is not None
        assert made.head.commit.restarted == "x" * 2000
        assert made.head.commit.previous is None

    def test_that_no_reader_would_take_is_not_written(self) -> None:
        end = endpoint("")
        with pytest.raises(StorageError, match="its ledger can't take this commit: ") as caught:
            commit(end, [entry("k" * 9000)])
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert reading.newest(end) is None

    def test_of_so_many_bytes_no_reader_would_take(self, monkeypatch: pytest.MonkeyPatch) -> None:
        end = endpoint("")
        commit(end, [entry("a")])
        size = end.store.stat_object(end.ref(commit_key(1))).size
        monkeypatch.setattr(commits, "LARGEST_COMMIT", size + 200)
        commit(end, [entry("a")])
        with pytest.raises(StorageError, match=f"more than {size + 200}"):
            writing.commit(
                end,
                draft(),
                lambda: [entry("a")],
                base=base_of(end),
                known=lambda _: None,
                sign=lambda _commit, _root: b"x" * 200,
            )


class Faster(object_store.Hook):
    """Another writer commits just before this one's first commits."""

    before: list[Callable[[], object]]

    def put_object(  # type: ignore[no-untyped-def]
        self, ref: ObjectRef, body, options: WriteOptions = WriteOptions(), **more
    ) -> ObjectMeta:
        if ref.key.startswith(COMMITS) and self.before:
            self.before.pop(0)()
        return super().put_object(ref, body, options, **more)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr("random.uniform", lambda least, most: most - least)
    return waited


def beside(*others: Callable[[Endpoint], object], end: Endpoint | None = None) -> Endpoint:
    """A ledger to which others will write, each just before our next try."""
    plain = end or endpoint("")
    store = Faster(conn_of(plain))
    store.before = [lambda other=other: other(plain) for other in others]  # type: ignore[misc]
    return replace(plain, store=store)


class TestOthersWereFaster:
    def test_what_they_said_is_gone_on_from(self, waits: list[float]) -> None:
        end = beside(
            lambda end: commit(end, [entry("theirs")], this=draft("B")),
            lambda end: commit(end, [entry("too")], this=draft("C")),
        )
        made = commit(end, [entry("ours")], this=draft("A"))
        assert (made.number, made.alone) == (3, False)
        assert sorted(known(end)) == ["ours", "theirs", "too"]
        assert head_of(end).commit.previous == reading.at(end, 2).mark
        assert head_of(end).commit.changed == 1
        assert len(waits) == 2

    def test_who_was_alone_is_alone_and_waits_for_nobody(self, waits: list[float]) -> None:
        end = endpoint("")
        base = Base()
        for number in (1, 2, 3):
            base = commit(end, [entry(f"{number}")], base)
            assert (base.number, base.alone) == (number, True)
        assert waits == []

    def test_the_wait_grows_to_two_seconds(
        self, waits: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "_made", lambda *_args, **_more: None)
        with pytest.raises(StorageError, match="others were faster 200 times") as caught:
            commit(endpoint(""), [entry("a")])
        assert caught.value.kind is ErrorKind.BUSY
        assert len(waits) == 199
        assert waits == sorted(waits)
        assert waits[0] < 0.05
        assert waits[-1] == 2

    def test_a_damaged_state_that_others_have_begun_anew_counts(self, waits: list[float]) -> None:
        """Once somebody has started the ledger over, it is to be started over no more."""
        plain = endpoint("")
        commit(plain, [entry("lost")])
        damaged = base_of(plain).without_state("it is damaged")
        end = beside(lambda end: commit(end, [entry("theirs")], damaged), end=plain)
        made = commit(end, [entry("ours")], damaged)
        assert sorted(known(end)) == ["ours", "theirs"]
        assert made.head is not None
        assert made.head.commit.restarted is None
        assert waits

    def test_one_that_was_damaged_meanwhile_is_begun_anew(self, waits: list[float]) -> None:
        plain = endpoint("")
        base = commit(plain, [entry("a")])
        plain.store.put_object(plain.ref(commit_key(2)), b"junk")
        made = commit(plain, [entry("ours")], base)
        assert made.head is not None
        assert made.head.commit.number == 3
        assert "it is damaged" in (made.head.commit.restarted or "")
        assert sorted(known(plain)) == ["ours"]
        assert waits


class TestWhatBothChanged:
    """What lies at the destination decides; what only one of both changed is taken as it is."""

    def put(self, end: Endpoint, key: str, content: bytes) -> Entry:
        return entry(key, content, etag=end.store.put_object(end.ref(key), content).etag)

    def test_an_entry_that_nobody_else_changed_is_ours(self) -> None:
        end = endpoint("")
        first = entry("k", b"1", etag="first", minutes=9)
        base = commit(end, [first])
        commit(end, [entry("other")], base, this=draft("B"))
        # It looks older, and is not there: but nobody else has spoken of it since.
        ours = entry("k", b"2", etag="second", minutes=1)
        commit(end, [ours], base, this=draft("A"), known={"k": first}.get)
        assert known(end)["k"] == ours

    def test_what_both_say_alike_is_written_again(self) -> None:
        end = endpoint("")
        base = commit(end, [])
        same = entry("k", minutes=5)
        commit(end, [same], base, this=draft("B"))
        commit(end, [same], base, this=draft("A"))
        assert known(end) == {"k": same}
        assert head_of(end).commit.changed == 1

    def test_theirs_that_stays_is_not_counted_as_changed(self) -> None:
        end = endpoint("")
        base = commit(end, [])
        theirs = self.put(end, "k", b"2")
        commit(end, [theirs], base, this=draft("B"))
        commit(end, [entry("k", b"1", etag="gone")], base, this=draft("A"))
        assert known(end) == {"k": theirs}
        assert head_of(end).commit.changed == 0

    def test_a_new_key_that_a_later_look_did_not_see_is_gone(self) -> None:
        end = endpoint("")
        base = commit(end, [])
        commit(end, [], base, this=draft("B", Step.END, found=look(minutes=5)))
        ours = entry("k", minutes=1)
        commit(end, [ours], base, this=draft("A"))
        assert known(end)["k"] == merging.seen_gone(ours, [look(minutes=5)])
        assert known(end)["k"].gone == at(5)

    def test_what_is_behind_now_holds_the_others_look_back(self) -> None:
        end = endpoint("")
        base = commit(end, [])
        theirs = entry("k", b"2", etag="theirs", minutes=5)
        commit(end, [theirs], base, this=draft("B", Step.END, found=look(minutes=5)))
        ours = self.put(end, "k", b"1")
        commit(end, [ours], base, this=draft("A"))
        assert known(end)["k"].behind is not None
        (seen,) = head_of(end).commit.looks
        assert (seen.behind, seen.holds) == (1, at(0))

    @pytest.mark.parametrize("whose", ["ours", "theirs"])
    def test_what_was_known_to_be_behind_does_not(self, whose: str) -> None:
        """It is in a look already, or will be in one."""
        end = endpoint("")
        base = commit(end, [])
        behind = Behind(Outcome.FAILED, "r", Origin("mem://lab/k"), 1, at(9), since=at(0))
        there = self.put(end, "k", b"1")
        ours = changed(there, behind=behind) if whose == "ours" else there
        theirs = entry("k", b"2", etag="x", minutes=5)
        if whose == "theirs":
            theirs = Entry("k", None, behind)
        commit(end, [theirs], base, this=draft("B", Step.END, found=look(minutes=5)))
        commit(end, [ours], base, this=draft("A"))
        assert known(end)["k"].behind == behind
        assert head_of(end).commit.looks == (look(minutes=5),)

    @pytest.mark.parametrize(("count", "most"), [(1, 1), (64, 64), (65, 31), (150, 31)])
    def test_of_few_keys_what_others_say_is_looked_up_and_else_gone_through(
        self, count: int, most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A segment is some megabytes."""

        class Counting(object_store.Hook):
            reads = 0

            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                self.reads += ref.key.startswith(SEGMENTS)
                return super().get_object(ref, **more)

        monkeypatch.setattr(segments, "ENTRIES", 10)
        end = endpoint("", Counting)
        base = commit(end, [])
        there = [self.put(end, f"{n:03}", b"2") for n in range(310)]
        commit(end, there, base, this=draft("B"))
        assert isinstance(end.store, Counting)
        end.store.reads = 0
        ours = [entry(one.key, b"1", etag="x") for one in there[: 2 * count : 2]]
        commit(end, ours, base, this=draft("A"))
        assert end.store.reads <= most
        assert known(end) == {one.key: one for one in there}


class Unconditional(object_store.Hook):
    """A store that can't write on conditions."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        return frozenset({ConditionKind.UNCHANGED})


class TestStores:
    def test_which_keep_two_writers_apart(self) -> None:
        end = endpoint("")
        assert writing.is_guarded(end)
        assert not writing.is_guarded(replace(end, store=Unconditional(conn_of(end))))
        assert not writing.is_guarded(replace(end, store=Bare(conn_of(end))))

    def test_one_with_nothing_but_the_six_verbs_has_a_ledger(self) -> None:
        end = endpoint("")
        bare = replace(end, store=Bare(conn_of(end)))
        base = commit(bare, [entry("a")])
        commit(bare, [entry("b")], base)
        commit(bare, [entry("c")], base)
        assert sorted(known(end)) == ["a", "b", "c"]

    def test_where_nothing_guards_what_was_written_is_read_back(self, waits: list[float]) -> None:
        """Another has written the same number at the same moment."""

        class Racing(Unconditional):
            races = 1

            def put_object(  # type: ignore[no-untyped-def]
                self, ref: ObjectRef, body, options: WriteOptions = WriteOptions(), **more
            ) -> ObjectMeta:
                meta = super().put_object(ref, body, options, **more)
                if self.races and ref.key.startswith(COMMITS):
                    self.races -= 1
                    other = endpoint("")
                    commit(other, [entry("theirs")], this=draft("B"))
                    theirs = changed(
                        head_of(other).commit, place=f"mem://lab@{self.memory_conn_id}/"
                    )
                    super().put_object(ref, commits.write(theirs) + b"\n", options)
                return meta

        end = endpoint("", Racing)
        made = commit(end, [entry("ours")], this=draft("A"))
        assert (made.number, made.alone) == (2, False)
        assert sorted(known(end)) == ["ours", "theirs"]

    @pytest.mark.parametrize(
        ("kind", "written", "number"),
        [
            # The SDK has repeated its request, and met its own object.
            (ErrorKind.ALREADY_EXISTS, True, 1),
            (ErrorKind.PRECONDITION_FAILED, True, 1),
            # Somebody else's, or nothing at all.
            (ErrorKind.ALREADY_EXISTS, False, 1),
            (ErrorKind.PRECONDITION_FAILED, False, 1),
            (ErrorKind.NOT_FOUND, True, None),
            (ErrorKind.PERMISSION_DENIED, True, None),
        ],
    )
    def test_a_refused_write_is_looked_at(
        self, waits: list[float], kind: ErrorKind, written: bool, number: int | None
    ) -> None:
        class Refusing(object_store.Hook):
            refuses = 1

            def put_object(  # type: ignore[no-untyped-def]
                self, ref: ObjectRef, body, options: WriteOptions = WriteOptions(), **more
            ) -> ObjectMeta:
                if not self.refuses:
                    return super().put_object(ref, body, options, **more)
                self.refuses -= 1
                if written:
                    super().put_object(ref, body, options, **more)
                raise StorageError("no", kind=kind)

        end = endpoint("", Refusing)
        if number is None:
            with pytest.raises(StorageError) as caught:
                commit(end, [entry("a")])
            assert caught.value.kind is kind
            return
        assert commit(end, [entry("a")]).number == number
        assert sorted(known(end)) == ["a"]
        assert len(waits) == (0 if written else 1)

    @pytest.mark.parametrize(
        "junk", [b"junk", b'{"format":"airflow-multicloud ledger","version":2}\n']
    )
    def test_what_lies_at_a_number_and_can_not_be_read_is_not_ours(
        self, waits: list[float], junk: bytes
    ) -> None:
        class Racing(Unconditional):
            def put_object(  # type: ignore[no-untyped-def]
                self, ref: ObjectRef, body, options: WriteOptions = WriteOptions(), **more
            ) -> ObjectMeta:
                meta = super().put_object(ref, body, options, **more)
                if ref.key == commit_key(1):
                    super().put_object(ref, junk, options)
                return meta

        end = endpoint("", Racing)
        if junk == b"junk":
            assert commit(end, [entry("a")]).number == 2
            return
        with pytest.raises(StorageError) as caught:
            commit(end, [entry("a")])
        assert caught.value.kind is ErrorKind.UNSUPPORTED

    def test_one_that_can_not_be_looked_at_is_an_error(self) -> None:
        class Refusing(Unconditional):
            def stat_object(self, ref: ObjectRef) -> ObjectMeta:
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        with pytest.raises(StorageError) as caught:
            commit(endpoint("", Refusing), [entry("a")])
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED

        class Unread(Unconditional):
            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        with pytest.raises(StorageError) as caught:
            commit(endpoint("", Unread), [entry("a")])
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED

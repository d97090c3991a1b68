"""How old a replica is, how it stands, and which runs wrote to it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.commits import Selection, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.names import commit_key, place_of
from airflow_multicloud.core.replication import history
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at, commit, draft, entry, look

from .memory import SMALL, Bare, World, conn_of, endpoint, fill, ledger, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.commits import Look
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

TREE = {"a": b"1", "b": b"2", "x/c": b"3"}
HOUR = timedelta(hours=1)


@pytest.fixture
def lab() -> World:
    made = world(TREE)
    replicate(made.replication(), run_id="first")
    return made


def looked(*found: Look) -> Endpoint:
    """A replica that runs have looked at."""
    end = endpoint("copy/")
    commit(end, [entry("copy/a")], this=draft(step=Step.UPLOAD))
    for one in found:
        commit(end, [], this=draft(f"t{one.as_of}", Step.END, prefix=one.prefix, found=one))
    return end


class TestAge:
    def test_of_a_replica(self, lab: World) -> None:
        (there,) = lab.destinations
        before = datetime.now(UTC)
        replicate(lab.replication(), run_id="second")
        found = freshness(there)
        assert found.as_of is not None
        assert before <= found.as_of <= datetime.now(UTC)
        assert (found.objects, found.proven, found.complete, found.finding) == (3, 3, True, None)
        assert found.within(HOUR)
        assert not found.within(timedelta(0))
        assert found.oldest == f"{there.place} (all objects), by run second"

    def test_is_less_by_min_age(self, lab: World) -> None:
        (there,) = lab.destinations
        time.sleep(0.06)
        young = timedelta(milliseconds=50)
        replicate(lab.replication(replace(SMALL, filter=ObjectFilter(min_age=young))))
        (found,) = ledger(there).commit.looks
        assert freshness(there).as_of == found.started - young

    def test_is_that_of_the_oldest_part(self) -> None:
        parts = [
            look("copy/", 10, selection=Selection(include=("*.a",)), objects=2),
            look("copy/", 30, selection=Selection(include=("*.b",)), objects=3, behind=1),
        ]
        end = looked(look("copy/", 0), *parts)
        there = f"{place_of(end)}copy/"
        found = freshness(end)
        assert (found.as_of, found.parts) == (None, 3)
        assert found.finding == (
            f"1 of 3 objects are not up to date, some never were: {there} (include=*.b), "
            "by run run-30"
        )
        assert not found.within(timedelta(days=99999))
        commit(
            end, [], this=draft("t", Step.END, prefix="copy/", found=changed(parts[1], behind=0))
        )
        found = freshness(end)
        assert (found.as_of, found.lag and found.lag > HOUR) == (at(0), True)
        assert found.oldest == f"{there} (all objects), by run run-0"

    def test_of_selections_that_are_not_all_is_unknown(self) -> None:
        parts = [
            look("copy/", 10, selection=Selection(include=("*.a",)), objects=2),
            look("copy/", 30, selection=Selection(include=("*.b",)), objects=3),
        ]
        end = looked(*parts)
        found = freshness(end)
        assert (found.as_of, found.lag, found.complete) == (None, None, True)
        assert found.oldest == f"{place_of(end)}copy/ (include=*.a), by run run-10"
        assert found.finding is not None
        assert found.finding.startswith(
            f"no run has looked at all of it; the oldest part is "
            f"{place_of(end)}copy/ (include=*.a), by "
            "run run-10, as of 2026-01-01T12:10:00+00:00"
        )
        assert not found.within(timedelta(days=99999))
        assert [f for f in status(end).findings if "can't be told: no run has looked at all" in f]
        assert verify(end).age_unknown == found.finding
        assert verify(end).as_of is None

    def test_of_the_selection_that_is_asked_for(self) -> None:
        asked, other = Selection(include=("*.a",)), Selection(include=("*.b",))
        end = looked(look("copy/", 10, selection=asked), look("copy/", 5, selection=other))
        found = freshness(end, asked)
        assert (found.as_of, found.parts, found.finding) == (at(10), 1, None)
        assert found.within(timedelta(days=99999))
        stands = status(end, asked=asked)
        assert (stands.as_of, len(stands.parts)) == (at(10), 1)
        finding = freshness(end, Selection(include=("*.c",))).finding
        assert finding == "no replication to it has ended"
        narrow = replace(end, location=end.location.with_key("copy/x/"))
        assert not freshness(narrow, asked).within(timedelta(days=99999))

    def test_of_a_wider_place_than_was_looked_at_is_unknown(self, lab: World) -> None:
        (there,) = lab.destinations
        wider = replace(there, location=there.location.with_key(""))
        found = freshness(wider)
        assert (found.as_of, found.within(timedelta(days=99999))) == (None, False)
        assert (
            f"no run has looked at all of it; the oldest part is {place_of(there)}copy/ (all"
            in str(found.finding)
        )

    def test_is_that_of_the_oldest_object_that_is_behind(self) -> None:
        found = freshness(looked(look("copy/", 30, behind=1, since=at(5))))
        assert (found.as_of, found.complete) == (at(5), False)

    def test_of_a_filtered_run_leaves_the_rest_as_old_as_it_is(self, lab: World) -> None:
        (there,) = lab.destinations
        before = freshness(there)
        replicate(lab.replication(replace(SMALL, filter=ObjectFilter(include=("a",)))))
        after = freshness(there)
        assert (after.as_of, after.objects) == (before.as_of, 3)

    def test_of_a_part(self, lab: World) -> None:
        (there,) = lab.destinations
        asked = replace(there, location=there.location.with_key("copy/x/"))
        assert freshness(asked).as_of == freshness(there).as_of

    def test_of_one_object(self, lab: World) -> None:
        (there,) = lab.destinations
        one = replace(there, location=there.location.with_key("copy/a"))
        found = freshness(one)
        assert found.as_of == freshness(there).as_of
        assert (found.objects, found.proven, found.within(HOUR)) == (1, 1, True)
        known = ledger(there).entry("copy/a")
        assert known is not None
        late = Behind(Outcome.FAILED, "r", Origin("mem://lab/s"), 1, at(9), None, "no", at(8))
        commit(there, [replace_behind(known, late)], known=ledger(there).entry)
        found = freshness(one)
        assert (found.as_of, found.objects, found.proven) == (at(8), 1, 0)
        never = Entry("copy/a", None, changed(late, since=None))
        commit(there, [never], known=ledger(there).entry)
        assert freshness(one).finding == "it never arrived: no"
        assert not freshness(one).within(timedelta(days=99999))

    @pytest.mark.parametrize("key", ["copy/no/", "copy/no", "cop/"])
    def test_of_what_is_not_known_is_unknown(self, lab: World, key: str) -> None:
        (there,) = lab.destinations
        found = freshness(replace(there, location=there.location.with_key(key)))
        assert (found.as_of, found.lag) == (None, None)
        assert found.finding is not None
        assert not found.within(timedelta(days=99999))

    def test_of_a_bucket_without_a_ledger(self) -> None:
        found = freshness(endpoint())
        assert (found.as_of, found.finding) == (None, "no replication to it has ended")

    def test_costs_one_page_and_one_read(self, lab: World) -> None:
        class Counting(object_store.Hook):
            calls: list[str] = []  # noqa: RUF012

            def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
                self.calls.append("list")
                return super().list_objects(bucket, prefix)

            def get_object(self, ref: ObjectRef, **given):  # type: ignore[no-untyped-def]
                self.calls.append("get")
                return super().get_object(ref, **given)

        (there,) = lab.destinations
        freshness(replace(there, store=Counting(conn_of(there))))
        assert Counting.calls == ["list", "get"]


def replace_behind(known: Entry, behind: Behind) -> Entry:
    return changed(known, behind=behind)


class TestStatus:
    def test_of_a_sound_replica(self, lab: World) -> None:
        (there,) = lab.destinations
        stands = status(there, max_lag=HOUR)
        head = ledger(there)
        assert (stands.complete, stands.findings, stands.run_id) == (True, (), "first")
        assert (stands.commit, stands.ledger_root) == (head.commit.number, head.root)
        assert stands.sources == (lab.source.place,)
        (part,) = stands.parts
        assert (part.place, part.selection) == (there.place, "all objects")
        assert (part.objects, part.proven, part.behind, part.as_of) == (3, 3, 0, stands.as_of)

    def test_what_is_behind_and_late(self) -> None:
        end = looked(look("copy/", 30, behind=2, since=at(5)))
        findings = "; ".join(status(end, max_lag=HOUR).findings)
        assert "2 of 10 objects are not proven" in findings
        assert "2 of 10 objects were not as the source had them" in findings
        assert f"is more than 1 h; the oldest part is {place_of(end)}copy/ (all" in findings

    def test_an_age_that_is_not_known(self) -> None:
        stands = status(looked(look("copy/", 30, behind=2)))
        assert (stands.as_of, stands.lag) == (None, None)
        assert any(
            f.startswith("how old it is can't be told: 2 of 10 obj") for f in stands.findings
        )

    def test_a_run_that_is_under_way(self) -> None:
        end = endpoint("copy/")
        commit(end, [], this=draft("t", Step.BEGIN, prefix="copy/", task="copy"))
        (said, age) = sorted(status(end).findings, reverse=True)
        assert said.startswith("run run-t (.copy), since 2026-01-01T12:00:00+00:00, heard of last")
        assert said.endswith("is under way or was killed")
        assert "no replication to it has ended" in age
        elsewhere = replace(end, location=end.location.with_key("other/"))
        with pytest.raises(StorageError, match="is in no ledger"):
            status(elsewhere)

    def test_a_ledger_that_began_anew(self, lab: World) -> None:
        (there,) = lab.destinations
        number = ledger(there).commit.number + 1
        there.store.put_object(there.ref(commit_key(number)), b"{}\n")
        fill(lab.source, {"a": b"new"})
        replicate(lab.replication(), run_id="second")
        (said,) = status(there).findings
        assert said.startswith(
            f"what its ledger said before commit {number + 1} was lost and found"
        )
        assert "out again by run second" in said

    def test_a_commit_that_was_written_anew(self, lab: World) -> None:
        (there,) = lab.destinations
        first = commit_key(1)
        line = there.store.get_object(there.ref(first)).read()
        there.store.put_object(there.ref(first), bytes(line).replace(b"first", b"other"))
        (said,) = status(there).findings
        assert "it follows on commit 1 of root" in said

    def test_a_store_that_can_not_write_if_absent(self) -> None:
        made = world({"a": b"1"})
        there = replace(made.destinations[0], store=Bare(conn_of(made.destinations[0])))
        replicate(made.with_destination(there.store).replication())
        assert any(
            "can't write an object only if it is absent" in f for f in status(there).findings
        )


ESCAPE = "\x1b]0;mine\x07\n\u202e"


def texts(value: object) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield from (*texts(name), *texts(held))
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from texts(held)


class TestWhatSomebodyForged:
    """Nothing of a ledger moves a cursor, sets a title or begins a line of a log."""

    @pytest.fixture
    def forged(self) -> Endpoint:
        end = endpoint("copy/")
        late = Behind(Outcome.FAILED, ESCAPE, Origin(ESCAPE), 1, at(9), None, ESCAPE)
        commit(end, [Entry(f"copy/{ESCAPE}", None, late), Entry("copy/a", None, late)])
        bad = changed(
            look(f"copy/{ESCAPE}/", 30, selection=Selection(include=(ESCAPE,)), source=ESCAPE),
            run_id=ESCAPE,
        )
        for found in (bad, changed(bad, prefix="copy/")):
            this = draft(ESCAPE, Step.END, prefix=found.prefix, found=found, task=ESCAPE)
            commit(end, [], this=replace(this, source=ESCAPE))
        commit(end, [], this=draft(f"{ESCAPE}2", Step.BEGIN, prefix="copy/", task=ESCAPE))
        return end

    def test_is_shown_as_it_is_written(self, forged: Endpoint) -> None:
        one = replace(forged, location=forged.location.with_key("copy/a"))
        documents = [to_document(run) for run in history.runs(forged, limit=9)]
        documents += [to_document(status(end)) for end in (forged, one)]
        documents += [to_document(freshness(end)) for end in (forged, one)]
        documents += [to_document(verify(forged))]
        found = [*texts(documents)]
        assert [text for text in found if not text.isprintable()] == []
        assert sum("\\x1b]0;mine" in text for text in found) > 12


class TestRuns:
    def test_are_told_by_their_last_commits_the_newest_first(self, lab: World) -> None:
        (there,) = lab.destinations
        fill(lab.source, {"a": b"new", "d": b"4"})
        options = replace(SMALL, filter=ObjectFilter(include=("?",)))
        replicate(lab.replication(options), run_id="second")
        second, first = history.runs(there, limit=9)
        assert (first.run_id, first.objects, first.changed, first.deleted) == ("first", 3, 3, 0)
        assert (second.run_id, second.objects, second.changed) == ("second", 3, 2)
        assert (second.selection, first.selection) == ("include=?", "all objects")
        assert second.source == lab.source.place
        assert second.commit > first.commit
        assert second.ledger_root == ledger(there).root
        assert first.started < first.finished < second.started
        assert [run.run_id for run in history.runs(there, limit=1)] == ["second"]

    def test_of_other_places_in_the_bucket_are_left_out(self, lab: World) -> None:
        (there,) = lab.destinations
        for prefix in ("other/", "copy/x/", "copy/b", "cop"):
            commit(there, [], this=draft(f"at {prefix}", Step.END, prefix=prefix))
        commit(there, [], this=draft("upload", Step.UPLOAD, prefix="copy/b"))
        commit(there, [], this=draft("going on", Step.PROGRESS, prefix="copy/"))

        def at_key(key: str) -> list[str]:
            asked = replace(there, location=there.location.with_key(key))
            return [run.run_id for run in history.runs(asked, limit=9)]

        assert at_key("copy/") == ["run-upload", "run-at copy/b", "run-at copy/x/", "first"]
        assert at_key("copy/x/") == ["run-at copy/x/", "first"]
        assert at_key("copy/b") == ["run-upload", "run-at copy/b", "first"]
        assert at_key("") == [
            "run-upload",
            "run-at cop",
            "run-at copy/b",
            "run-at copy/x/",
            "run-at other/",
            "first",
        ]
        (upload, *_) = history.runs(there, limit=1)
        assert (upload.objects, upload.selection) == (1, "")

    def test_end_where_old_commits_were_deleted(self, lab: World) -> None:
        (there,) = lab.destinations
        replicate(lab.replication(), run_id="second")
        there.store.delete_object(there.ref(commit_key(2)))
        assert [run.run_id for run in history.runs(there, limit=9)] == ["second"]

    def test_that_there_are_none(self, lab: World) -> None:
        (there,) = lab.destinations
        for end in (endpoint(), replace(there, location=there.location.with_key("no/"))):
            with pytest.raises(StorageError, match="is in no ledger") as raised:
                history.runs(end, limit=9)
            assert raised.value.kind is ErrorKind.NOT_FOUND
        nowhere = replace(there, location=replace(there.location, bucket="nowhere"))
        with pytest.raises(StorageError, match="no bucket 'nowhere'") as raised:
            history.runs(nowhere, limit=9)
        assert raised.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize(
    ("written", "asked", "overlap"),
    [
        ("", "a", True),
        ("a/", "a/b", True),
        ("a/b", "a/", True),
        ("a/b", "a/b", True),
        ("a/b", "a/b/", False),
        ("a/b", "a/bc", False),
        ("a/bc", "a/b", False),
        ("a/", "b/", False),
        ("a/", "", True),
    ],
)
def test_places_that_overlap(written: str, asked: str, overlap: bool) -> None:
    assert history.overlaps(written, asked) is overlap


def test_a_run_that_is_silent_for_hours_is_no_more_under_way(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=draft("t", Step.BEGIN, prefix="copy/"))
    head = ledger(there)
    (run,) = head.commit.open_runs
    assert len(status(there).findings) == 1
    silent = changed(run, seen=datetime.now(UTC) - commits.SILENT - HOUR)
    forged = changed(
        head.commit, number=head.commit.number + 1, previous=head.mark, open_runs=(silent,)
    )
    there.store.put_object(there.ref(commit_key(forged.number)), commits.write(forged) + b"\n")
    assert status(there).findings == ()

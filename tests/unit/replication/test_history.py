"""Which runs a ledger tells of, and what is said where it tells of none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger.commits import Selection, Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication import history
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import NOON, at, commit, draft, entry, look

from .memory import conn_of, endpoint, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta


@pytest.fixture
def end() -> Endpoint:
    return endpoint("copy/")


def ended(end: Endpoint, name: str, prefix: str = "copy/", **given: Any) -> Head:
    this = replace(draft(name, Step.END, prefix=prefix, **given), deleted=2)
    made = commit(end, [], this=this).head
    assert made is not None
    return made


def below(end: Endpoint, key: str) -> Endpoint:
    return replace(end, location=end.location.with_key(key))


class TestRuns:
    def test_a_run_is_what_its_last_commit_says(self, end: Endpoint) -> None:
        chosen = Selection(include=("*.csv",))
        found = look("copy/", 3, selection=chosen, objects=7)
        head = ended(end, "one", found=changed(found, run_id="run-one"))
        (run,) = history.runs(end, limit=2)
        assert run == history.Run(
            run_id="run-one",
            replica=str(end.location),
            commit=1,
            ledger_root=head.root,
            commit_uri=head.uri,
            prefix="copy/",
            source="mem://lab/",
            selection="include=*.csv",
            started=NOON,
            finished=head.commit.made_at,
            objects=7,
            changed=0,
            deleted=2,
        )

    @pytest.mark.parametrize(
        "found",
        [
            None,
            changed(look("copy/"), run_id="another"),
            changed(look("copy/x/"), run_id="run-one"),
        ],
    )
    def test_another_look_tells_nothing_of_it(self, end: Endpoint, found: Any) -> None:
        """A later run had looked before this one ended."""
        ended(end, "one", found=found)
        (run,) = history.runs(end, limit=1)
        assert (run.objects, run.selection) == (None, "")

    def test_one_object_is_one(self, end: Endpoint) -> None:
        ended(end, "one", prefix="copy/a")
        (run,) = history.runs(below(end, "copy/a"), limit=1)
        assert (run.objects, run.selection) == (1, "")
        ended(end, "all", prefix="")
        assert history.runs(below(end, ""), limit=1)[0].objects is None

    def test_as_many_as_are_asked_for(self, end: Endpoint) -> None:
        for name in "abc":
            ended(end, name)
        for limit in (1, 2, 3, 9):
            found = [run.run_id for run in history.runs(end, limit=limit)]
            assert found == ["run-c", "run-b", "run-a"][:limit]

    def test_what_is_known_without_a_run_that_ended_is_no_error(self, end: Endpoint) -> None:
        commit(end, [entry("copy/a")], this=draft("going on", prefix="copy/"))
        assert history.runs(end, limit=1) == ()
        with pytest.raises(StorageError):
            history.runs(below(end, "other/"), limit=1)

    def test_a_listing_that_fails_is_no_ledger_that_is_not_there(self, end: Endpoint) -> None:
        class Away(object_store.Hook):
            def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
                raise StorageError("not today", kind=ErrorKind.TIMEOUT, code="Slow")

        for read in (history.newest, history.find_newest):
            with pytest.raises(StorageError, match="not today") as raised:
                read(replace(end, store=Away(conn_of(end))))
            assert raised.value.kind is ErrorKind.TIMEOUT

    def test_a_bucket_that_is_not_there_is_named(self, end: Endpoint) -> None:
        nowhere = replace(end, location=replace(end.location, bucket="nowhere"))
        with pytest.raises(
            StorageError, match=r"^replica: mem://.*: no bucket 'nowhere'"
        ) as raised:
            history.find_newest(nowhere)
        cause = raised.value.__cause__
        assert isinstance(cause, StorageError)
        assert (raised.value.cloud, raised.value.code) == ("memory", cause.code)

    def test_without_a_ledger_there_is_no_newest_commit(self, end: Endpoint) -> None:
        assert history.find_newest(end) is None
        with pytest.raises(StorageError, match="is in no ledger") as raised:
            history.newest(end)
        assert (raised.value.kind, raised.value.cloud) == (ErrorKind.NOT_FOUND, "memory")
        head = ended(end, "one")
        assert history.newest(end) == head == history.find_newest(end)


class TestNothingRecorded:
    def said(self, end: Endpoint, key: str) -> str:
        return str(history.nothing_recorded(below(end, key), ledger(end)))

    def test_what_may_be_meant_is_named(self, end: Endpoint) -> None:
        ended(end, "one", prefix="sales/", found=look("sales/"))
        ended(end, "two", prefix="stock/", found=look("stock/"))
        commit(end, [entry("single.csv")], this=draft(prefix="single.csv"))
        near = str(end.location).removesuffix("copy/")
        assert f"replicated to; did you mean {near}sales/?" in self.said(end, "sale/")
        assert f"; did you mean {near}stock/?" in self.said(end, "stick/")
        assert f"; did you mean {near}stock/?" in self.said(end, "tocks/")  # And not sales/.
        assert f"; did you mean {near}single.csv?" in self.said(end, "single")

    def test_else_one_that_there_is(self, end: Endpoint) -> None:
        ended(end, "one", prefix="z/", found=look("z/"))
        ended(end, "two", prefix="b/", found=look("b/"))
        near = str(end.location).removesuffix("copy/")
        far = "a long name that nothing else in this bucket is anything like, by far and at all/"
        assert f"; did you mean {near}b/?" in self.said(end, far)

    def test_where_there_is_nothing_nothing_is_meant(self, end: Endpoint) -> None:
        ended(end, "one")
        assert self.said(end, "copy/").endswith("prefix it was replicated to")
        assert str(history.nothing_recorded(end, None)).endswith("it was replicated to")


class TestRunOf:
    def test_the_last_commit_of_a_run_is_found(self, end: Endpoint) -> None:
        commit(end, [], this=draft("one", Step.BEGIN, prefix="copy/"))
        last = ended(end, "one")
        head = ended(end, "two")
        assert history.run_of(end, head, "run-one").mark == last.mark
        assert history.run_of(end, head, "run-two").mark == head.mark

    def test_one_that_is_not_there_is_told_with_what_there_is(self, end: Endpoint) -> None:
        for name in ("a", "b", "c", "d", "e", "e"):
            head = ended(end, name)

        def said(run_id: str) -> str:
            with pytest.raises(StorageError) as raised:
                history.run_of(end, head, run_id)
            assert (raised.value.kind, raised.value.cloud) == (ErrorKind.NOT_FOUND, "memory")
            return str(raised.value)

        nothing = f"run_id: no run 'xyz' is recorded at {end.location}"
        assert said("xyz") == f"{nothing}; there are: run-e, run-d, run-c and 2 older"
        assert said("run-x").endswith("; did you mean run-e?")
        assert said("un-d").endswith("; did you mean run-d?")

    def test_few_are_all_named(self, end: Endpoint) -> None:
        for name in ("a", "b", "c"):
            head = ended(end, name)
        with pytest.raises(StorageError, match=r"; there are: run-c, run-b, run-a$"):
            history.run_of(end, head, "xyz")

    def test_runs_elsewhere_in_the_bucket_are_none_of_it(self, end: Endpoint) -> None:
        head = ended(end, "elsewhere", prefix="other/")
        with pytest.raises(StorageError, match="no run 'run-elsewhere'"):
            history.run_of(end, head, "run-elsewhere")
        assert history.run_of(below(end, "other/a"), head, "run-elsewhere").mark == head.mark


def test_an_entry_that_is_gone_is_still_known(end: Endpoint) -> None:
    gone = changed(entry("copy/a"), gone=at(1))
    commit(end, [gone], this=draft(prefix="copy/"))
    assert history.runs(end, limit=1) == ()
    assert ledger(end).entry("copy/a") == gone != Entry("copy/a")

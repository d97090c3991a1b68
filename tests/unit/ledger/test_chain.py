"""A commit is looked for among those before another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import chain, reading
from airflow_multicloud.core.ledger.chain import End, Search
from airflow_multicloud.core.ledger.commits import write
from airflow_multicloud.core.ledger.names import commit_key
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import endpoint

from .made import commit, entry

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.reading import Head
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef


def ledger(commits: int = 5, hook: type[object_store.Hook] = object_store.Hook) -> Endpoint:
    end = endpoint("", hook)
    for number in range(commits):
        commit(end, [entry(f"{number}")])
    return end


def head_of(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def follow(end: Endpoint, number: int, on: int | None) -> None:
    """Write a commit anew, so that it follows on another one."""
    previous = None if on is None else reading.at(end, on).mark
    line = write(changed(reading.at(end, number).commit, previous=previous))
    end.store.put_object(end.ref(commit_key(number)), line + b"\n")


def test_one_that_is_among_them_is_found() -> None:
    end = ledger()
    for number in range(1, 6):
        root = reading.at(end, number).root
        wanted = Search(End.THERE, f"commit {number} has the root {root} there", root)
        assert chain.search(head_of(end), number, furthest=None) == wanted


@pytest.mark.parametrize(
    ("furthest", "number", "found"),
    [
        (0, 5, End.THERE),
        (0, 4, End.TOO_FAR),
        (2, 3, End.THERE),
        (2, 2, End.TOO_FAR),
        (4, 1, End.THERE),
    ],
)
def test_so_far_is_it_looked_for(furthest: int, number: int, found: End) -> None:
    search = chain.search(head_of(ledger()), number, furthest=furthest)
    assert search.end is found
    if found is End.TOO_FAR:
        assert search.root is None
        assert search.why == f"it was looked for as far back as commit {5 - furthest} only"


def test_one_that_is_left_out_is_not_among_them() -> None:
    end = ledger()
    follow(end, 5, 2)
    for number in (3, 4):
        wanted = Search(End.NOT_AMONG, "commit 5 there follows on commit 2")
        assert chain.search(head_of(end), number, furthest=None) == wanted


def test_so_is_one_before_the_first() -> None:
    end = ledger()
    follow(end, 5, None)
    wanted = Search(End.NOT_AMONG, "that ledger begins with commit 5")
    assert chain.search(head_of(end), 4, furthest=None) == wanted


def test_those_before_a_deleted_one_are_deleted() -> None:
    end = ledger()
    end.store.delete_object(end.ref(commit_key(2)))
    wanted = Search(End.DELETED, "commit 2 and those before it are not there")
    assert chain.search(head_of(end), 1, furthest=None) == wanted
    assert chain.search(head_of(end), 2, furthest=None) == wanted
    assert chain.search(head_of(end), 3, furthest=None).end is End.THERE
    assert [one.commit.number for one in chain.chain(head_of(end), 1)] == [5, 4, 3]


def test_no_more_is_read_than_is_asked_for() -> None:
    assert [one.commit.number for one in chain.chain(head_of(ledger()), 3)] == [5, 4, 3]
    assert [one.commit.number for one in chain.chain(head_of(ledger()), 5)] == [5]


def test_one_that_is_not_the_one_that_is_named_is_an_error() -> None:
    end = ledger()
    follow(end, 3, 1)
    with pytest.raises(StorageError, match="its root is") as caught:
        chain.search(head_of(end), 1, furthest=None)
    assert caught.value.kind is ErrorKind.INTEGRITY


class _Refusing(object_store.Hook):
    """Some objects can't be read: nobody knows whether they are there."""

    refused = ""

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        if ref.key == self.refused:
            raise StorageError("not for you", kind=ErrorKind.PERMISSION_DENIED)
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


def test_what_can_not_be_read_is_not_taken_for_deleted() -> None:
    end = ledger(hook=_Refusing)
    head = head_of(end)
    end.store.refused = commit_key(3)  # type: ignore[attr-defined]
    with pytest.raises(StorageError) as caught:
        chain.search(head, 1, furthest=None)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED

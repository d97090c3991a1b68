"""A ledger is held against a commit that somebody has seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.memory import Remembered, recall, recall_none
from airflow_multicloud.core.ledger.names import LEDGER, commit_key, place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.replication.memory import endpoint

from .made import commit, entry

NOW = datetime.now(UTC)


def ledger(commits: int) -> Endpoint:
    end = endpoint()
    for number in range(commits):
        commit(end, [entry(f"{number:03}")])
    return end


def head_of(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def seen(end: Endpoint, number: int, *, days: float = 0) -> Remembered:
    head = reading.at(end, number)
    return Remembered(place_of(end), number, head.root, NOW - timedelta(days=days))


def refused(end: Endpoint, memory: Remembered) -> str:
    with pytest.raises(StorageError) as caught:
        recall(head_of(end), memory)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert memory.ledger_root in str(caught.value)
    return str(caught.value)


def test_it_may_have_gone_on() -> None:
    end = ledger(4)
    assert recall(head_of(end), None) is None
    for number in range(1, 5):
        assert recall(head_of(end), seen(end, number, days=900)) is None


def test_one_that_was_rolled_back_is_another() -> None:
    end = ledger(4)
    memory = seen(end, 4)
    end.store.delete_object(end.ref(commit_key(4)))
    assert "now it ends with commit 3" in refused(end, memory)
    commit(end, [entry("else")])
    assert "commit 4 has the root" in refused(end, memory)
    commit(end, [entry("more")])
    assert "commit 4 has the root" in refused(end, memory)


def test_one_that_was_begun_anew_is_another() -> None:
    end = ledger(2)
    memory = seen(end, 1)
    for meta in list(end.objects(LEDGER)):
        end.store.delete_object(end.ref(meta.key))
    with pytest.raises(StorageError, match="now there is none") as caught:
        recall_none(end, memory)
    assert caught.value.kind is ErrorKind.INTEGRITY
    recall_none(end, None)
    commit(end, [entry("else")])
    refused(end, memory)


def test_old_commits_may_be_deleted_but_not_so_soon() -> None:
    end = ledger(4)
    lately, long_ago = seen(end, 2, days=29), seen(end, 2, days=31)
    for number in (1, 2):
        end.store.delete_object(end.ref(commit_key(number)))
    assert "commit 2 and those before it are not there" in refused(end, lately)
    told = recall(head_of(end), long_ago)
    assert told is not None
    assert "can't be compared" in told
    assert recall(head_of(end), seen(end, 3)) is None


def test_it_is_kept_as_a_document() -> None:
    end = ledger(1)
    memory = seen(end, 1)
    assert read_document(Remembered, to_document(memory), what="it") == memory

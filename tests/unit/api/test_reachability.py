"""Which replicas are in reach."""

from __future__ import annotations

import pytest

from airflow_multicloud import api
from airflow_multicloud.api.object_store import reachability
from airflow_multicloud.errors import ErrorKind, StorageError

ONE, TWO = "mem://reach_one@data/a/", "mem://reach_two@data/a/"


@pytest.fixture(autouse=True)
def clouds(memory_account):
    for conn_id in ("reach_one", "reach_two"):
        memory_account(conn_id, "data")


@pytest.fixture
def down(monkeypatch):
    """URIs whose stores do not answer."""
    uris: set[str] = set()

    def looked_at(uri):
        if uri in uris:
            return api.LocationStatus(uri, False, ErrorKind.UNAVAILABLE, "no answer")
        return api.check_location(uri)

    monkeypatch.setattr(reachability, "check_location", looked_at)
    return uris


def test_all_are(down):
    found = api.reachable_replicas([ONE, TWO])
    assert (found.uris, found.out_of_reach) == ((ONE, TWO), ())


def test_one_is_not(down):
    down.add(ONE)
    found = api.reachable_replicas([ONE, TWO])
    assert found.uris == (TWO,)
    (status,) = found.out_of_reach
    assert (status.uri, status.kind) == (ONE, ErrorKind.UNAVAILABLE)


def test_none_is(down):
    down |= {ONE, TWO}
    with pytest.raises(StorageError, match=rf"^replicas: none is in reach: {ONE}: unav") as caught:
        api.reachable_replicas([ONE, TWO])
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert TWO in str(caught.value)


def test_what_a_retry_cannot_mend_is_left_to_the_replication():
    """It says which parameter is wrong."""
    wrong = "mem://no_such_connection@data/a/"
    found = api.reachable_replicas([wrong, "mem://reach_one@no-such-bucket/"])
    assert found.uris == (wrong, "mem://reach_one@no-such-bucket/")


@pytest.mark.parametrize("given", [[], "[]"])
def test_no_replica(given):
    with pytest.raises(StorageError, match=r"^replicas: .*name at least one") as caught:
        api.reachable_replicas(given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

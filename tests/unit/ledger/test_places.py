"""What ledgers call a place: the same data has one name, and other data has another."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from airflow_multicloud.adapters.names import store_name
from airflow_multicloud.core.drill.faults import Fault, with_fault
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.names import is_in, place_by_uri, place_of, without_store
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.locations import Location, parse_location
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication import memory

from .made import commit, entry


class Nameless:
    """A store that does not say which of its cloud's stores it is."""

    def __init__(self, hook: Any) -> None:
        self.list_objects, self.get_object = hook.list_objects, hook.get_object


class Unusable(object_store.Hook):
    """A connection that can't be used."""

    @property
    def store_name(self) -> str:
        raise CredentialsError("no such profile", kind=ErrorKind.INVALID_ARGUMENT)


def nameless(end: Endpoint) -> Any:
    return Nameless(end.store)


def at(uri: str, alias: str | None = "") -> Endpoint:
    location = parse_location(uri, parameter="uri")
    return Endpoint("memory", object_store.Hook("space"), location, alias=alias)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://conn@lake/sales/", "s3://lake/sales/"),
        ("gs://lake/sales/x", "gs://lake/sales/x"),
        ("gs://lake", "gs://lake/"),
        ("abfss://one@lake/x", "abfs://lake/x"),
        ("abfs://two@lake/x", "abfs://lake/x"),
        ("nowhere://lake/a@b/x", "nowhere://lake/a@b/x"),
    ],
)
def test_it_has_no_connection_and_one_scheme(uri: str, place: str) -> None:
    assert at(uri).place == place
    assert place_of(at(uri)) == place[: place.index("lake/") + 5]


def test_it_says_the_store_where_a_cloud_has_several() -> None:
    one = memory.endpoint("a@b/")
    assert one.place == f"mem://lab@{memory.conn_of(one)}/a@b/"
    assert place_of(one) == f"mem://lab@{memory.conn_of(one)}/"
    assert place_of(one) != place_of(memory.endpoint("a@b/"))
    assert without_store(one.place) == place_by_uri(str(one.location)) == "mem://lab/a@b/"


def test_a_store_that_says_nothing_has_its_clouds_only_bucket_of_this_name() -> None:
    one = memory.endpoint()
    assert replace(one, store=nameless(one)).place == "mem://lab/data/"


def test_what_the_connection_says_goes_before() -> None:
    assert at("mem://space@lake/", alias="minio").place == "mem://lake@minio/"
    assert at("mem://space@lake/", alias=None).place == "mem://lake@space/"


def test_a_connection_that_cannot_be_used_ends_nothing() -> None:
    unusable = Endpoint("memory", Unusable("x"), Location("mem", "x", "lake", ""))
    assert unusable.place == "mem://lake/"


def test_a_drills_fault_leaves_the_place_what_it_is() -> None:
    one = memory.endpoint()
    assert with_fault(one, Fault.CORRUPT).place == one.place


def test_the_ledger_of_another_store_is_not_this_ones() -> None:
    one = memory.endpoint()
    commit(one, [entry("a")])
    other = replace(one, alias="elsewhere")
    with pytest.raises(StorageError, match="extra store_name") as caught:
        reading.newest(other)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert place_of(one) in str(caught.value)
    assert place_of(other) in str(caught.value)
    again = replace(one, store=nameless(one), alias=memory.conn_of(one))
    assert reading.newest(again) is not None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("mem://one@lake/sales/", True),
        ("mem://one@lake/", True),
        ("mem://lake/other/", True),
        ("mem://lake@minio:9000/", True),
        ("mem://lake@minio:9000/sales/", True),
        ("mem://two@lake/sales/", False),
        ("mem://one@lakes/", False),
        ("s3://lake/", False),
    ],
)
def test_a_uri_means_the_bucket_that_its_connection_reaches(given: str, meant: bool) -> None:
    end = at("mem://one@lake/sales/", alias="minio:9000")
    assert is_in(given, str(end.location), place_of(end)) is meant


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", ""),
        ("https://s3.example.com", "s3.example.com"),
        ("https://S3.Example.com:443/", "s3.example.com"),
        ("http://minio:9000/", "minio:9000"),
        ("minio:9000", "minio:9000"),
        ("http://minio:80", "minio"),
        ("https://user:secret@minio:9000/?sig=secret#secret", "minio:9000"),
        ("http://127.0.0.1:10000/devstoreaccount1", "127.0.0.1:10000%2Fdevstoreaccount1"),
        ("http://[::1]:9000", "[::1]:9000"),
        ("http://minio:99999", "minio"),
        ("http://mi\x1bnio/a b", "mi%1Bnio%2Fa%20b"),
    ],
)
def test_a_store_is_named_by_its_address_without_secrets(url: str, name: str) -> None:
    assert store_name(url) == name


def test_a_long_address_is_cut_and_stays_one_of_its_own() -> None:
    one, other = (store_name(f"https://host/{'x' * 4000}{end}") for end in "ab")
    assert one != other
    assert re.fullmatch(r"[!-.0-~]{245}", one)

"""Where the parts of a ledger lie, as the format has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_multicloud.core.ledger import names
from tests.unit.replication.memory import endpoint

COMMITS = ".airflow-multicloud/ledger/commits/"
SEGMENTS = ".airflow-multicloud/ledger/segments/"
LAST = 999_999_999_998
SHA256 = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "999999999998-000000000001.jsonl"),
        (42, "999999999957-000000000042.jsonl"),
        (LAST, "000000000001-999999999998.jsonl"),
    ],
)
def test_a_commits_name_counts_down(number: int, name: str) -> None:
    assert names.commit_key(number) == COMMITS + name
    assert names.number_of(COMMITS + name) == number


def test_newer_commits_are_listed_first() -> None:
    keys = [names.commit_key(number) for number in (LAST, LAST - 1, 1000, 999, 10, 9, 2, 1)]
    assert keys == sorted(keys)
    assert names.LAST_COMMIT == LAST


@pytest.mark.parametrize(
    "key",
    [
        f"{COMMITS}999999999999-000000000000.jsonl",
        f"{COMMITS}999999999998-000000000002.jsonl",
        f"{COMMITS}999999999997-000000000001.jsonl",
        f"{COMMITS}999999999998-000000000001.jsonl.tmp",
        f"{COMMITS}x999999999998-000000000001.jsonl",
        f"{COMMITS}999999999998-000000000001-jsonl",
        f"{COMMITS}99999999998-00000000001.jsonl",
        "x/999999999998-000000000001.jsonl",
    ],
)
def test_what_is_no_commits_name(key: str) -> None:
    assert names.number_of(key) is None


def test_a_segments_name_is_its_hash() -> None:
    key = names.segment_key(SHA256)
    assert key == f"{SEGMENTS}{SHA256}.jsonl.gz"
    assert names.segment_of(key) == SHA256


@pytest.mark.parametrize(
    "key",
    [
        f"{SEGMENTS}{SHA256[1:]}.jsonl.gz",
        f"{SEGMENTS}0{SHA256}.jsonl.gz",
        f"{SEGMENTS}{SHA256.upper()}.jsonl.gz",
        f"{SEGMENTS}{SHA256}.jsonl",
        f"{SEGMENTS}{SHA256}.jsonl.gz.tmp",
        f"x/{SHA256}.jsonl.gz",
    ],
)
def test_what_is_no_segments_name(key: str) -> None:
    assert names.segment_of(key) is None


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://conn@lake/sales/a@b", "s3://lake/sales/a@b"),
        ("s3://lake/sales/", "s3://lake/sales/"),
        ("s3://lake", "s3://lake/"),
        ("abfss://one@c/k", "abfs://c/k"),
        ("nowhere://c/k", "nowhere://c/k"),
    ],
)
def test_a_place_has_no_connection_and_one_scheme(uri: str, place: str) -> None:
    assert names.place_by_uri(uri) == place


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://conn@lake/sales/", "s3://lake/"),
        ("gs://lake/sales/x", "gs://lake/"),
        ("gs://lake", "gs://lake/"),
        ("abfss://lake/x", "abfs://lake/"),
    ],
)
def test_the_ledger_of_a_uri_is_its_buckets(uri: str, place: str) -> None:
    assert names.bucket_by_uri(uri) == place


def test_the_ledger_of_an_end_is_its_buckets() -> None:
    end = endpoint("data/x/")
    place = f"mem://lab@{end.location.conn_id}/"
    assert names.place_of(end) == place
    assert names.place_of(replace(end, location=end.location.with_key("k"))) == place

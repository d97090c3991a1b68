from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_multicloud.adapters.obstore import get_options
from airflow_multicloud.adapters.reading import byte_range, check_etag, check_start, span
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectMeta

META = ObjectMeta(bucket="b", key="k", size=6, etag="1", last_modified=datetime.now(UTC))


@pytest.mark.parametrize(
    ("start", "end", "header", "option"),
    [
        (0, None, None, None),
        (0, 1, "bytes=0-0", (0, 1)),
        (5, None, "bytes=5-", {"offset": 5}),
        (5, 9, "bytes=5-8", (5, 9)),
    ],
)
def test_a_range_in_both_forms(start, end, header, option):
    assert byte_range(start, end) == header
    assert get_options(start, end).get("range") == option


def test_options_name_only_what_is_asked():
    assert get_options(0, None) == {}
    assert get_options(0, None, version="7", if_match='"e"') == {"version": "7", "if_match": '"e"'}


@pytest.mark.parametrize(
    ("start", "end", "bytes_"), [(0, None, 6), (2, None, 4), (2, 4, 2), (2, 99, 4), (7, None, 0)]
)
def test_how_many_bytes_lie_in_a_range(start, end, bytes_):
    assert span(6, start, end) == bytes_


def test_another_object_is_refused():
    check_etag(META, None, "reading", cloud="x")
    check_etag(META, "1", "reading", cloud="x")
    with pytest.raises(StorageError, match="reading: the object's ETag is 1, not 2") as caught:
        check_etag(META, "2", "reading", cloud="x")
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_read_begins_within_the_object():
    check_start(0, 0, "reading", cloud="x")
    check_start(5, 6, "reading", cloud="x")
    with pytest.raises(StorageError, match="start=6 is not below the size 6") as caught:
        check_start(6, 6, "reading", cloud="x")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    with pytest.raises(StorageError, match="start=-1 is below 0"):
        check_start(-1, 6, "reading", cloud="x")

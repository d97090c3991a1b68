"""What is odd in an answer costs the object that it is said of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import (
    UNKNOWN_TIME,
    Tokens,
    http_date,
    listed_moment,
    listed_size,
)
from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.adapters.secret_text import (
    check_control_characters,
    without_header_values,
)
from airflow_multicloud.clouds.gcp.extras import checked_extras
from airflow_multicloud.clouds.gcp.object_store.fields import listed_of
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError


@pytest.mark.parametrize("size", ["-1", "x", "9" * 30, "9" * 5000, str(2**63 - 1), [1]])
def test_a_listed_size_that_is_none_is_left_to_the_read(size: str) -> None:
    assert listed_size(size) == 0


@pytest.mark.parametrize("time", ["yesterday", "9999-12-31T23:59:59-14:00", 5])
def test_a_listed_time_that_is_none_is_unknown(time: str) -> None:
    assert listed_moment(time) == UNKNOWN_TIME
    assert listed_moment("Fri, 31 Dec 9999 23:59:59 -2359", http_date) == UNKNOWN_TIME
    assert listed_moment("2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "odd", [{"metadata": {"a": 1}}, {"metadata": [1]}, {"size": [1]}, {"updated": 5}]
)
def test_an_odd_resource_is_listed_without_what_is_odd(odd: dict[str, object]) -> None:
    listed = listed_of("b", {"name": "a", "generation": "7", "size": "5", **odd})
    assert (listed.key, listed.etag) == ("a", "7")


@pytest.mark.parametrize("tokens", [["A", "A"], ["A", "B", "A"], ["A", "B", "C", "B"]])
def test_a_page_token_that_comes_again_is_no_answer(tokens: list[str]) -> None:
    seen = Tokens("listing", "aws")
    *before, last = tokens
    for token in before:
        seen.note(token)
    with pytest.raises(StorageError, match="one page token twice") as caught:
        seen.note(last)
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_an_etag_that_no_header_can_hold_does_not_reach_obstore() -> None:
    store = object()
    with pytest.raises(StorageError, match="control characters") as caught:
        _obstore.get(store, "k", {"if_match": '"\x7f"'}, cloud="aws", doing="reading")  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_credentials_with_a_line_break_are_refused_by_name_only() -> None:
    with pytest.raises(CredentialsError, match="aws_session_token") as caught:
        check_control_characters("c", {"aws_session_token": "SECRET\n"}, cloud="aws")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in without_header_values("failed: Invalid header value b'SECRET\\n' there")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_retries", "x"),
        ("num_retries", -1),
        ("num_retries", True),
        ("gcs.endpoint", 5),
        ("gcs.endpoint", "http://x y"),
        ("gcs.endpoint", "ftp://x"),
        ("gcs.endpoint", "http://x:port"),
        ("bigquery.endpoint", "bigquery.example:443"),
        ("recommender.endpoint", ["http://x"]),
        ("cloudbilling.endpoint", "https://"),
    ],
)
def test_extras_of_a_google_connection_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(CredentialsError, match=name) as caught:
        checked_extras("c", {name: value})
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://127.0.0.1:80",
        "http://127.8.9.1",
        "http://[::1]:80/x",
        "http://localhost:80",
        "http://LOCALHOST",
    ],
)
def test_a_token_is_shown_over_https_and_on_this_machine(url: str) -> None:
    check_plain_http(url, "the token", cloud="gcp")


@pytest.mark.parametrize(
    "url",
    [
        "http://a.localhost:1",
        "http://gcs.localhost",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0:1",
        "http://[::ffff:127.0.0.1]:1",
        "http://10.0.0.1",
        "HTTP://example.com",
        "http://user@example.com",
    ],
)
def test_no_other_machine_is_shown_a_token_over_plain_http(url: str) -> None:
    with pytest.raises(CredentialsError):
        check_plain_http(url, "the token", cloud="gcp")

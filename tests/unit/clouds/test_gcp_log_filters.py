"""Filters for Cloud Logging let through what is asked for, whatever stands in a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.cloud.logging_v2.types import LogEntry as Record
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.adapters.entries import fits
from airflow_multicloud.clouds.gcp.logs.converting import entry_of, record_of
from airflow_multicloud.clouds.gcp.logs.filters import filter_of
from airflow_multicloud.clouds.gcp.logs.limits import QUERY
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Severity
from airflow_multicloud.testing.local_clouds.gcp.logs.grammar import parsed
from airflow_multicloud.testing.local_clouds.gcp.logs.matching import fitting

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LOG_NAME = "projects/local/logs/etl%2Fnightly"
HOSTILE = [
    '" OR logName:"',
    '\\" OR logName:"projects',
    "\\",
    "\\\\",
    '"',
    'x" AND NOT "x',
    "a\n) OR (textPayload:*",
    "-- a comment",
    "a -- b\nOR severity>=DEFAULT",
    ")",
    "((((",
    "*",
    "NOT",
    "\x00",
    "\u2028OR\u2028",
    "  ",
    '=~ ".*"',
    "\ud800 half",
    "(x|y) [a-z]+ \\d",
]

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from('ab"\\\n\t ()*:-ANDOR=é🚀\u202e'), max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


def query(**asked: object) -> LogQuery:
    asked = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1), **asked}
    return LogQuery(**asked)  # type: ignore[arg-type]


def let_through(entry: LogEntry, asked: LogQuery, *, log_name: str = LOG_NAME) -> bool:
    """Whether the service would answer an entry."""
    record, _ = record_of(entry, project="local", insert_id="1")
    record.log_name = log_name
    return fitting(parsed(filter_of(asked, log_name=LOG_NAME)))(record)


@given(text=texts.filter(bool), before=texts, after=texts)
def test_an_entry_with_the_text_is_let_through(text: str, before: str, after: str) -> None:
    entry = LogEntry(time=NOW, message=f"{before}{text}{after}")
    assert let_through(entry, query(text=text))


@given(text=texts.filter(bool), message=texts.filter(bool))
def test_an_entry_of_another_log_or_time_never_is(text: str, message: str) -> None:
    asked = query(text=text)
    assert not let_through(LogEntry(time=NOW, message=message), asked, log_name=f"{LOG_NAME}-2")
    late = LogEntry(time=NOW + timedelta(hours=1), message=message)
    assert not let_through(late, asked)


@given(
    correlation_id=texts.filter(bool),
    severity=st.sampled_from(Severity),
    least=st.sampled_from(Severity),
    text=texts,
)
def test_whatever_fits_is_let_through(
    correlation_id: str, severity: Severity, least: Severity, text: str
) -> None:
    entry = LogEntry(
        time=NOW, message=text or "x", severity=severity, correlation_id=correlation_id
    )
    asked = query(correlation_id=correlation_id, severity=least, text=text or None)
    if fits(entry, asked):
        assert let_through(entry, asked)


def test_much_of_a_text_does_not_make_the_filter_too_long() -> None:
    for text in ('"' * 50_000, "é\n" * 50_000, "x" * 50_000):
        asked = query(text=text, correlation_id=text)
        assert len(filter_of(asked, log_name=LOG_NAME)) < QUERY
        assert let_through(LogEntry(time=NOW, message=text, correlation_id=text), asked)


@pytest.mark.parametrize("payload", [{"message": "disk full"}, {"error": {"text": "disk full"}}])
def test_structured_entries_of_others_are_let_through(payload: dict[str, object]) -> None:
    record = Record.pb(Record(log_name=LOG_NAME, timestamp=NOW, json_payload=payload))
    asked = query(text="disk full")
    assert fitting(parsed(filter_of(asked, log_name=LOG_NAME)))(record)
    assert fits(entry_of(record), asked)


def test_entries_without_a_severity_are_information() -> None:
    record = Record.pb(Record(log_name=LOG_NAME, timestamp=NOW, text_payload="x"))
    for least in (Severity.TRACE, Severity.DEBUG, Severity.INFO):
        asked = query(severity=least)
        assert fitting(parsed(filter_of(asked, log_name=LOG_NAME)))(record)
        assert fits(entry_of(record), asked)
    warned = filter_of(query(severity=Severity.WARN), log_name=LOG_NAME)
    assert not fitting(parsed(warned))(record)


def test_times_are_told_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    asked = query(since=datetime(2026, 11, 29, 13, tzinfo=east), until=NOW)
    told = filter_of(asked, log_name=LOG_NAME)
    assert 'timestamp>="2026-11-29T11:00:00.000000+00:00"' in told
    assert 'timestamp<"2026-11-29T12:00:00.000000+00:00"' in told

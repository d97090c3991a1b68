"""What anybody wrote is a literal in a query for Log Analytics, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.clouds.azure.kql import literal
from airflow_multicloud.clouds.azure.logs.filters import Place, kusto_of
from airflow_multicloud.ports.logs import LogQuery, Severity
from airflow_multicloud.testing.local_clouds.azure.logs.kql.lexing import words
from airflow_multicloud.testing.local_clouds.azure.logs.kql.parsing import parse
from airflow_multicloud.testing.local_clouds.azure.logs.kql.syntax import (
    Binary,
    Literal,
    OneOf,
    Take,
    Where,
)

_SINCE = datetime(2026, 3, 1, tzinfo=UTC)
_UNTIL = _SINCE + timedelta(days=1)
_HOSTILE = (
    '" | union Secrets | where Message contains "',
    '\\" | union Secrets //',
    "\\",
    '\\\\"',
    'x"\n| take 1\n//',
    '@"verbatim""',
    "'; Secrets //",
    '"""',
    "```\n| union Secrets\n```",
    "\r\n\x00\x1b[31m\x85\u2028\u2029",
    'h"hidden"',
    "{parameter} {{ ds }} $(x) %s",
    "\ud800 alone, \udc00",
    "🚀\U0010ffff",
)


def _query(**asked: object) -> LogQuery:
    return LogQuery(since=_SINCE, until=_UNTIL, **asked)  # type: ignore[arg-type]


def _kusto(query: LogQuery, place: Place | None = None) -> str:
    return kusto_of(query, "T_CL", "the/log", place or Place(query.since), 10)


@pytest.mark.parametrize("text", _HOSTILE)
def test_a_literal_holds_the_text(text: str) -> None:
    _check_literal(text)


@given(st.text(st.characters(codec=None)))
def test_a_literal_holds_any_text(text: str) -> None:
    _check_literal(text)


def _check_literal(text: str) -> None:
    written = literal(text)
    assert "\n" not in written
    assert "\r" not in written
    word, end = words(written)
    assert (word.value, end.kind) == (_in_utf_16(text), "end")


def _in_utf_16(text: str) -> str:
    """Two halves that follow each other are one character in Kusto, and anywhere but in Python."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize("text", _HOSTILE)
def test_a_query_has_the_steps_it_would_have_with_a_harmless_text(text: str) -> None:
    hostile = parse(_kusto(_query(text=text, correlation_id=text)))
    harmless = parse(_kusto(_query(text="x", correlation_id="x")))
    assert [type(step) for step in hostile.operators] == [type(s) for s in harmless.operators]
    literals = [
        step.condition.right.value
        for step in hostile.operators
        if isinstance(step, Where)
        and isinstance(step.condition, Binary)
        and isinstance(step.condition.right, Literal)
    ]
    assert literals == ["the/log", text, text]


@pytest.mark.parametrize(
    ("severity", "operator", "named"),
    [
        (Severity.DEBUG, "!in", ["TRACE"]),
        (Severity.INFO, "!in", ["TRACE", "DEBUG"]),
        (Severity.WARN, "in", ["WARN", "ERROR", "FATAL"]),
        (Severity.FATAL, "in", ["FATAL"]),
    ],
)
def test_what_counts_as_info_is_found_as_info(
    severity: Severity, operator: str, named: list[str]
) -> None:
    """Words that are no severity of ours are read as INFO, so a query for that must find them."""
    (condition,) = (
        step.condition
        for step in parse(_kusto(_query(severity=severity))).operators
        if isinstance(step, Where) and isinstance(step.condition, OneOf)
    )
    assert condition.operator == operator
    assert [item.value for item in condition.items if isinstance(item, Literal)] == named


def test_the_least_severity_leaves_nothing_out() -> None:
    assert "SeverityText in" not in _kusto(_query(severity=Severity.TRACE))
    assert "SeverityText !in" not in _kusto(_query(severity=Severity.TRACE))


def test_times_are_in_utc_to_the_microsecond() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    query = LogQuery(
        since=datetime(2026, 3, 1, 5, 30, 0, 7, tzinfo=east), until=datetime(2026, 3, 2, tzinfo=UTC)
    )
    assert "TimeGenerated >= datetime(2026-03-01T00:00:00.000007Z)" in _kusto(query)
    assert "TimeGenerated < datetime(2026-03-02T00:00:00Z)" in _kusto(query)


def test_a_later_page_asks_for_the_rows_it_has_seen_as_well() -> None:
    steps = parse(_kusto(_query(), Place(_SINCE, seen=3))).operators
    assert steps[-1] == Take(13)

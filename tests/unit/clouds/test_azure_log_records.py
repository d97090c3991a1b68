"""Entries as records of the stream, and rows as entries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_multicloud.adapters.batches import Prepared
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.azure.logs.converting import entry_of, prepared
from airflow_multicloud.clouds.azure.logs.limits import BYTES_PER_FIELD, LIMITS
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, Severity


def _entry(message: str = "told", **given: Any) -> LogEntry:
    return LogEntry(**{"time": datetime.now(UTC), "message": message, **given})


def _prepared(entry: LogEntry) -> Prepared[bytes]:
    found = prepared(entry, "the/log", "made-1")
    assert isinstance(found, Prepared)
    assert found.size == sum(map(len, found.records))
    return found


def _record(entry: LogEntry) -> dict[str, Any]:
    (record,) = _prepared(entry).records
    found: dict[str, Any] = json.loads(record)
    return found


def test_a_record() -> None:
    now = datetime.now(timezone(timedelta(hours=-3))).replace(microsecond=7)
    entry = _entry(time=now, severity=Severity.WARN, correlation_id="c", attributes={"a.b": "1"})
    assert _record(entry) == {
        "TimeGenerated": now.astimezone(UTC).isoformat(),
        "Message": "told",
        "SeverityText": "WARN",
        "CorrelationId": "c",
        "InsertId": "made-1",
        "LogName": "the/log",
        "Attributes": {"a.b": "1"},
    }
    assert _record(_entry(insert_id="mine"))["InsertId"] == "mine"


@pytest.mark.parametrize(
    "large",
    [
        {"message": "é" * (BYTES_PER_FIELD // 2 + 1)},
        {"correlation_id": "x" * (BYTES_PER_FIELD + 1)},
        {"insert_id": "x" * (BYTES_PER_FIELD + 1)},
        {"attributes": {"a": "x" * BYTES_PER_FIELD}},
        {"attributes": {f"{n:040}": "x" for n in range(2000)}},
    ],
    ids="_".join,
)
def test_what_azure_would_cut_is_dropped(large: dict[str, Any]) -> None:
    found = prepared(_entry(**large), "the/log", "made-1")
    assert isinstance(found, Reason)
    assert next(iter(large)) in found.reason


def test_the_longest_that_is_kept() -> None:
    assert len(_record(_entry("x" * BYTES_PER_FIELD))["Message"]) == BYTES_PER_FIELD


def test_an_entry_that_no_request_can_hold() -> None:
    """Control characters are six bytes each in JSON."""
    many = "\x01" * BYTES_PER_FIELD
    found = prepared(_entry(many, correlation_id=many, insert_id=many), "the/log", "made-1")
    assert isinstance(found, Reason)
    assert str(LIMITS.bytes_per_request) in found.reason


@pytest.mark.parametrize(
    "given",
    [
        {"message": "half \ud800"},
        {"correlation_id": "\udc00"},
        {"attributes": {"\ud83d": "x"}},
        {"attributes": {"x": "\ude80 \ud83d"}},
    ],
)
def test_halves_of_characters_are_told(given: dict[str, Any]) -> None:
    found = _prepared(_entry(**given))
    assert [change.what for change in found.changes] == [ConversionKind.TEXT_CUT]
    assert "\ufffd" in found.records[0].decode()


def test_two_halves_that_belong_together_are_one() -> None:
    assert _record(_entry("\ud83d\ude80"))["Message"] == "🚀"


@pytest.mark.parametrize(
    "after",
    [-timedelta(days=2) + timedelta(minutes=5), timedelta(days=1) - timedelta(minutes=5)],
)
def test_times_that_a_wrong_clock_would_make_wrong(after: timedelta) -> None:
    """Azure would put the time of arrival in their place, without a word."""
    found = prepared(_entry(time=datetime.now(UTC) + after), "the/log", "made-1")
    assert isinstance(found, Reason)
    assert "time" in found.reason


_ROW = {
    "TimeGenerated": datetime(2026, 3, 1, tzinfo=UTC),
    "Message": "told",
    "SeverityText": "ERROR",
    "CorrelationId": "c",
    "InsertId": "i",
    "AttributesText": '{"a": "1", "n": 2, "deep": {"b": [1]}}',
}


def _read(**changed: Any) -> LogEntry:
    row: Any = {**_ROW, **changed}
    return entry_of(row)


def test_a_row() -> None:
    assert _read() == LogEntry(
        time=datetime(2026, 3, 1, tzinfo=UTC),
        message="told",
        severity=Severity.ERROR,
        correlation_id="c",
        insert_id="i",
        attributes={"a": "1", "n": "2", "deep": '{"b":[1]}'},
    )


def test_a_row_that_another_wrote() -> None:
    found = _read(
        Message=None, SeverityText="Informational", CorrelationId="", InsertId=None,
        AttributesText="[1]",
    )  # fmt: skip
    assert found == LogEntry(time=datetime(2026, 3, 1, tzinfo=UTC), message="")
    assert _read(AttributesText="{").attributes == {}
    assert _read(SeverityText=None).severity is Severity.INFO


@pytest.mark.parametrize(
    "text", ['{"a":' * 100_000 + "1" + "}" * 100_000, '{"n": ' + "9" * 5_000 + "}"]
)
def test_attributes_that_no_one_can_read_are_none(text: str) -> None:
    assert _read(AttributesText=text) == _read(AttributesText="{}")


def test_columns_that_are_no_texts() -> None:
    found = _read(
        Message={"a": 1}, SeverityText={"number": 9}, CorrelationId=[1], InsertId=7,
        AttributesText={"a": ["b"]},
    )  # fmt: skip
    assert (found.message, found.correlation_id, found.insert_id) == ('{"a":1}', "[1]", "7")
    assert (found.severity, found.attributes) == (Severity.INFO, {"a": '["b"]'})


def test_a_row_without_a_time() -> None:
    with pytest.raises(TypeError, match="TimeGenerated"):
        _read(TimeGenerated="soon")

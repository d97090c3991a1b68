"""Records and lines, read as entries; what is wrong costs itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.logs.lines import LineFormat, format_of, read_lines
from airflow_multicloud.core.logs.portions import MOST_CHARACTERS, MOST_ENTRIES, in_portions, weight
from airflow_multicloud.core.logs.records import (
    LONGEST,
    Origin,
    Unread,
    entry_of,
    read_records,
)
from airflow_multicloud.labels import Work
from airflow_multicloud.ports.logs import LogEntry, Severity

START = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORK = Work(dag_id="etl", task_id="load", run_id="manual__1", map_index=2, try_number=1)
ORIGIN = Origin(log="app", start=START, work=WORK)
MICROSECOND = timedelta(microseconds=1)


def _read(records, origin=ORIGIN):
    return [*read_records(((f"records[{n}]", one) for n, one in enumerate(records)), origin)]


def _lines(content, lines=LineFormat.TEXT, origin=ORIGIN, size=7):
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    return [*read_lines(chunks, lines, origin)]


def test_all_of_a_record_is_in_its_entry():
    (entry,) = _read(
        [
            {
                "time": "2026-11-29T13:00:00.000001+01:00",
                "message": "two\nlines",
                "severity": "warning",
                "correlation_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "attributes": {"rows": 3, "file": "a.csv", "nested": {"a": [1]}, "none": None},
            }
        ]
    )
    assert (entry.time, entry.message) == (START + MICROSECOND, "two\nlines")
    assert (entry.severity, entry.correlation_id) == (
        Severity.WARN,
        "4bf92f3577b34da6a3ce929d0e0e4736",
    )
    assert dict(entry.attributes) == {
        "rows": "3",
        "file": "a.csv",
        "nested": '{"a":[1]}',
        "airflow.dag_id": "etl",
        "airflow.task_id": "load",
        "airflow.run_id": "manual__1",
        "airflow.map_index": "2",
    }


def test_records_without_a_time_keep_their_order():
    entries = _read([{"message": "same"}] * 3)
    assert [entry.time for entry in entries] == [
        START,
        START + MICROSECOND,
        START + 2 * MICROSECOND,
    ]
    assert len({entry.insert_id for entry in entries}) == 3


def test_the_same_twice_is_two_entries():
    first, second = _read([{"message": "x", "time": START}] * 2)
    assert first.time == second.time
    assert first.insert_id != second.insert_id


def test_nobody_else_writes_what_a_record_says_of_its_task():
    forged = {"message": "x", "attributes": {"airflow.dag_id": "another"}}
    assert _read([forged])[0].attributes["airflow.dag_id"] == "etl"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"try_number": 2}, True),
        ({"dag_id": "other"}, False),
        ({"task_id": "other"}, False),
        ({"run_id": "manual__2"}, False),
        ({"map_index": 3}, False),
    ],
)
def test_insert_ids_are_of_the_task_and_not_of_the_try(other, same):
    from dataclasses import replace

    theirs = replace(ORIGIN, work=replace(WORK, **other))
    first, second = (_read([{"message": "x"}], origin)[0] for origin in (ORIGIN, theirs))
    assert (first.insert_id == second.insert_id) is same


@pytest.mark.parametrize(
    "other",
    [
        {"message": "y"},
        {"message": "x", "severity": "ERROR"},
        {"message": "x", "attributes": {"a": "b"}},
        {"message": "x", "correlation_id": "c"},
    ],
)
def test_insert_ids_are_of_the_content(other):
    (first,), (second,) = _read([{"message": "x"}]), _read([other])
    assert first.insert_id != second.insert_id


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("a text", "no object"),
        (None, "no object"),
        ({}, "message: it is missing"),
        ({"message": 3}, "message: it is missing or no text"),
        ({"message": "x", "mesage": "y"}, "unknown mesage; allowed: time, message"),
        ({"message": "x", "time": "yesterday"}, "time: it is none in ISO 8601"),
        ({"message": "x", "time": "2026-11-29T12:00:00"}, "time: it is none in ISO 8601"),
        ({"message": "x", "time": 1764417600}, "time: it is none in ISO 8601"),
        ({"message": "x", "time": "0001-01-01T00:00:00+01:00"}, "time: it is beyond"),
        ({"message": "x", "severity": "LOUD"}, "severity: not one of TRACE, DEBUG"),
        ({"message": "x", "severity": 17}, "severity: not one of"),
        ({"message": "x", "correlation_id": "a b"}, "correlation_id: expected"),
        ({"message": "x", "attributes": "a=b"}, "attributes: no object"),
        ({"message": "x", "attributes": {"": "b"}}, "attributes: an empty name"),
        ({"message": "x", "attributes": {"a": object()}}, "attributes: a value that can't"),
        ({"message": "x" * (LONGEST + 1)}, "longer than"),
        ({"message": "\ud800"}, "half of a surrogate pair"),
        ({"message": "x", "attributes": {"a": "\udfff"}}, "half of a surrogate pair"),
    ],
)
def test_what_is_wrong_with_a_record_is_named_and_costs_no_other(record, why):
    first, bad, last = _read([{"message": "a"}, record, {"message": "b"}])
    assert isinstance(bad, Unread)
    assert bad.reason.startswith(why)
    assert bad.shown.startswith("records[1]: ")
    assert (first.message, last.message) == ("a", "b")
    assert last.time == START + 2 * MICROSECOND


def test_lines_of_text():
    found = _lines("first\r\n\n  second\nthird \xff".encode("latin-1"))
    assert [entry.message for entry in found] == ["first", "  second", "third \\xff"]
    assert [entry.time for entry in found] == [START + n * MICROSECOND for n in range(3)]


def test_lines_of_other_programs():
    lines = [
        {"timestamp": "2026-11-29T12:00:00Z", "level": "error", "event": "boom", "logger": "x"},
        {"ts": "2026-11-29T12:00:01Z", "msg": "ok", "attributes": {"a": 1}, "trace_id": "f" * 32},
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    first, second = _lines(content, LineFormat.JSON, Origin(log="app", start=START))
    assert (first.message, first.severity) == ("boom", Severity.ERROR)
    assert dict(first.attributes) == {"logger": "x"}
    assert (second.message, second.correlation_id) == ("ok", "f" * 32)
    assert dict(second.attributes) == {"a": "1"}


def test_lines_of_zap_and_pino():
    content = (
        b'{"level":"dpanic","ts":1795953600.000001,"caller":"a.go:1","msg":"zap"}\n'
        b'{"level":30,"time":1795953600002,"pid":7,"hostname":"h","msg":"pino"}\n'
        b'{"level":60,"time":1795953600002.5,"msg":"ends"}\n'
    )
    zap, pino, ends = _lines(content, LineFormat.JSON, Origin(log="app", start=START))
    assert (zap.time, zap.severity) == (START + MICROSECOND, Severity.FATAL)
    assert (pino.time, pino.severity) == (START + timedelta(milliseconds=2), Severity.INFO)
    assert (ends.time, ends.severity) == (START + timedelta(milliseconds=2.5), Severity.FATAL)
    assert dict(pino.attributes) == {"pid": "7", "hostname": "h"}


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (10**8, "1973-03-03T09:46:40+00:00"),
        (10**11 - 1, "5138-11-16T09:46:39+00:00"),
        (10**11, "1973-03-03T09:46:40+00:00"),
        (10**14 - 1, "5138-11-16T09:46:39.999000+00:00"),
    ],
)
def test_a_number_is_seconds_or_milliseconds_and_never_both(number, found):
    (entry,) = _lines(b'{"msg":"x","time":%d}' % number, LineFormat.JSON)
    assert entry.time.isoformat() == found


@pytest.mark.parametrize("lines", [*LineFormat])
def test_a_byte_order_mark_is_no_part_of_the_first_line(lines):
    content = b'\xef\xbb\xbf{"message":"a"}\n{"message":"b"}\n'
    found = [entry.message for entry in _lines(content, lines, size=2)]
    assert found == (
        ["a", "b"] if lines is LineFormat.JSON else ['{"message":"a"}', '{"message":"b"}']
    )
    assert _lines(b"\xef\xbb\xbf", lines) == []


def test_a_time_counted_from_start_ends_where_dates_end():
    origin = Origin(log="app", start=datetime.max.replace(tzinfo=UTC))
    first, second = _read([{"message": "a"}, {"message": "b"}], origin)
    assert first.time == origin.start
    assert second.reason == (
        "time: it has none, and counted from start it is beyond what a date can be"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object but an array, or the beginning of one; expected a record"),
        (b"[", "no JSON object but an array, or the beginning of one; expected a record"),
        (b"3", "no object"),
        (b'{"message": "a"},', "no JSON; expected a record (a JSON object) in each line"),
        (b'{"message": "a", "x": NaN}', "no JSON; expected"),
        (b'{"message": "a", "x": 1e400}', "a number in it is beyond what a float can be"),
        (b'{"message": "a", "x": [-1e400]}', "a number in it is beyond what a float can be"),
        (b'{"x":' * 100_000, "no JSON that can be read: nested too deeply"),
        (b"{}", "message: it is missing"),
        (b'{"message": "\\ud800"}', "half of a surrogate pair in it"),
        (b'{"message": "a", "x": "\\udc00b"}', "half of a surrogate pair in it"),
        (b'{"message": "a", "level": 35}', "severity: not one of"),
        (b'{"message": "a", "level": true}', "severity: not one of"),
        (b'{"message": "a", "severity": 30}', "severity: not one of"),
        (b'{"message": "a", "time": 12.5}', "time: it is none in ISO 8601"),
        (b'{"message": "a", "time": 1e14}', "time: it is none in ISO 8601"),
        (b'{"message": "a", "time": true}', "time: it is none in ISO 8601"),
        (b"[" * 100_000, "no JSON"),
        (b"x" * (LONGEST + 1), f"longer than {LONGEST} bytes"),
    ],
)
def test_a_bad_line_costs_itself(line, why):
    content = b'{"message": "a"}\n' + line + b'\n{"message": "b"}'
    first, bad, last = _lines(content, LineFormat.JSON, size=1 << 16)
    assert isinstance(bad, Unread)
    assert bad.reason.startswith(why)
    assert bad.shown.startswith("line 2")
    assert (first.message, last.message) == ("a", "b")


def test_a_long_last_line_is_counted_without_its_end():
    assert [one.reason for one in _lines(b"x" * (LONGEST + 9), size=1 << 16)] == [
        f"longer than {LONGEST} bytes"
    ]


@given(
    content=st.lists(st.binary(max_size=20).filter(lambda it: b"\n" not in it), max_size=8),
    size=st.integers(1, 30),
)
def test_lines_are_the_same_however_they_arrive(content, size):
    whole = b"\n".join(content)
    messages = [one.message for one in _lines(whole, size=size)]
    expected = [
        line.decode(errors="backslashreplace").rstrip("\r")
        for line in whole.split(b"\n")
        if line.strip()
    ]
    assert messages == expected


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.jsonl", LineFormat.JSON),
        ("s3://c@b/x.ndjson", LineFormat.JSON),
        ("a.log", LineFormat.TEXT),
    ],
)
def test_formats_by_name(name, lines):
    assert format_of(name) is lines


@given(
    st.lists(
        st.one_of(
            st.integers(1, 3 * MOST_CHARACTERS).map(lambda size: "x" * size),
            st.just(Unread("bad", "reason")),
        ),
        max_size=6,
    )
)
def test_portions_are_bounded_and_leave_nothing_out(found):
    entries = [
        one
        if isinstance(one, Unread)
        else entry_of({"message": one[:LONGEST]}, n, Origin(log="a", start=START))
        for n, one in enumerate(found)
    ]
    portions = [*in_portions(entries)]
    assert [e for p in portions for e in p.items] == [e for e in entries if isinstance(e, LogEntry)]
    assert sum(portion.size for portion in portions) == len(entries)
    for portion in portions:
        assert len(portion.items) == 1 or sum(map(weight, portion.items)) <= MOST_CHARACTERS


def test_portions_have_so_many_entries():
    entries = (entry_of({"message": "x"}, n, ORIGIN) for n in range(2 * MOST_ENTRIES + 1))
    assert [portion.size for portion in in_portions(entries)] == [MOST_ENTRIES, MOST_ENTRIES, 1]


def test_what_can_not_be_read_counts_in_a_portion_too():
    found = (Unread(f"line {n}", "no JSON") for n in range(MOST_ENTRIES + 1))
    assert [portion.size for portion in in_portions(found)] == [MOST_ENTRIES, 1]


def test_portions_are_known_again():
    first, same, other = (
        next(in_portions(_read([{"message": text}, {"message": "b"}]))) for text in "aac"
    )
    assert first.digest == same.digest != other.digest
    assert next(in_portions([Unread("x", "y")])).digest == ""

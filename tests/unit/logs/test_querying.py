"""One table of what several clouds' logs have, and what is said of what is missing."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_multicloud import api
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.logs.querying import Bounds, Completeness, log_table
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.opening.places import stream_place
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery, Severity
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)
from airflow_multicloud.testing.memory_cloud.logs import logs_of, reset

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
SECOND = timedelta(seconds=1)
HOSTILE = '=cmd|"/c calc"!A1\n\x1b[2J\x9b31m\u202e end'


def _entry(number, message="", **given):
    return LogEntry(time=START + number * SECOND, message=message or f"m{number}", **given)


def _keep(conn_id, *entries, log="app"):
    kept = logs_of(conn_id).entries.setdefault(log, {})
    for entry in entries:
        kept[len(kept)] = entry


def _fails(conn_id, *, after=0, error=ErrorKind.PERMISSION_DENIED):
    logs_of(conn_id).faults.plant(
        [
            DeliveryFault(
                kind=DeliveryFaultKind.REFUSE,
                call=DeliveryCall.READ,
                error=error,
                after=after,
                times=9,
            )
        ]
    )


def _query(conns, **given):
    return api.query_logs(conns, "app", **{"since": START, "until": START + 3600 * SECOND, **given})


def _told(result):
    return [(one.conn_id, one.completeness.value, one.rows) for one in result.connections]


def test_all_clouds_are_one_table_in_the_order_of_time(conns):
    _keep(conns[0], *(_entry(n) for n in range(0, 500, 2)))
    _keep(conns[1], *(_entry(n) for n in range(1, 500, 2)))
    _keep(conns[2], _entry(3, "last of three", severity=Severity.ERROR, correlation_id="abc"))
    result = _query(conns)
    assert [row.time for row in result.rows] == sorted(row.time for row in result.rows)
    assert [row.message for row in result.rows[:5]] == ["m0", "m1", "m2", "m3", "last of three"]
    last = result.rows[4]
    assert (last.cloud, last.conn_id, last.severity) == ("memory", "memory_three", Severity.ERROR)
    assert (result.count, result.complete, last.correlation_id) == (501, True, "abc")
    assert _told(result) == [
        ("memory_one", "complete", 250),
        ("memory_two", "complete", 250),
        ("memory_three", "complete", 1),
    ]


def test_only_what_is_asked_for(conns):
    _keep(
        conns[0],
        _entry(1, "a loss", severity=Severity.ERROR, correlation_id="c"),
        _entry(2, "a loss", severity=Severity.INFO, correlation_id="c"),
        _entry(3, "a loss", severity=Severity.FATAL, correlation_id="d"),
        _entry(4, "a gain", severity=Severity.FATAL, correlation_id="c"),
        _entry(5, "a loss", severity=Severity.FATAL, correlation_id="c"),
    )
    result = _query(conns[:1], text="loss", severity="error", correlation_id="c")
    assert [row.time for row in result.rows] == [START + SECOND, START + 5 * SECOND]


def test_a_window_ends_with_its_last_moment_left_out(conns):
    _keep(conns[0], *(_entry(n) for n in range(10)))
    until = (START + 9 * SECOND).isoformat()
    result = _query(conns[:1], since=None, until=until, window="3")
    assert [row.message for row in result.rows] == ["m6", "m7", "m8"]


@pytest.mark.parametrize("limit", [1, 3, 250])
def test_a_limit_leaves_the_latest_out_and_says_where(conns, limit):
    _keep(conns[0], *(_entry(n) for n in range(400)))
    _keep(conns[1], _entry(0, "only one"))
    _keep(conns[2])
    result = _query(conns, limit=limit)
    assert len(result.rows) == result.count == limit
    first, second, third = (one.completeness.value for one in result.connections)
    assert (first, third) == ("truncated", "complete")
    assert second == ("truncated" if limit == 1 else "complete")
    assert not result.complete


def test_the_size_of_a_table_is_bounded_too(conns):
    _keep(conns[0], *(_entry(n, "x" * 100) for n in range(10)))
    result = _query(conns[:1], characters=350)
    assert (result.count, result.connections[0].completeness) == (3, Completeness.TRUNCATED)


def test_a_limit_that_all_fits_into_leaves_nothing_out(conns):
    _keep(conns[0], *(_entry(n) for n in range(3)))
    assert _query(conns[:1], limit=3).complete


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_cloud_that_fails_costs_itself(conns, after):
    for conn_id in conns:
        _keep(conn_id, *(_entry(n) for n in range(300)))
    _fails(conns[1], after=after)
    with pytest.raises(api.QueryFailedError) as raised:
        _query(conns)
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED
    assert "2 of 3 connections answered, expected 3: memory_two: permission_denied" in str(
        raised.value
    )
    result = _query(conns, min_clouds=2, limit=None)
    assert _told(result) == [
        ("memory_one", "complete", 300),
        ("memory_two", "failed", 0),
        ("memory_three", "complete", 300),
    ]


def test_what_a_cloud_gave_before_it_failed_stays(conns):
    _keep(conns[0], *(_entry(n) for n in range(300)))
    _keep(conns[1], _entry(400, "after"))
    _fails(conns[0], after=2, error=ErrorKind.UNAVAILABLE)
    result = _query(conns[:2], min_clouds=1)
    assert _told(result) == [("memory_one", "failed", 200), ("memory_two", "complete", 1)]
    assert result.connections[0].error_kind is ErrorKind.UNAVAILABLE


def test_a_log_that_is_not_there_is_told(conns):
    _keep(conns[0], _entry(1))
    result = _query(conns[:2], min_clouds="1")
    assert result.connections[1].error_kind is ErrorKind.NOT_FOUND
    with pytest.raises(api.QueryFailedError) as raised:
        _query([*conns[:1], "nowhere"])
    assert raised.value.kind is ErrorKind.NOT_FOUND


class _Paged:
    """Answers with given pages."""

    def __init__(self, pages):
        self.pages = pages

    def query_entries(self, query, *, log):
        yield from self.pages


def test_what_a_cloud_says_is_missing_makes_it_partial():
    notes = ("the newest minutes are not there yet",)
    hook = _Paged([LogPage((_entry(1),), notes), LogPage((_entry(2),), notes), LogPage(())])
    query = LogQuery(since=START, until=START + 9 * SECOND)
    to = Destination(conn_id="a", cloud="x", hook=hook)
    with log_table([to], query, log="app", bounds=Bounds(None)) as table:
        assert len([*table.rows()]) == 2
    (one,) = table.answers()
    assert (one.completeness, one.notes) == (Completeness.PARTIAL, notes)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    times=st.lists(st.lists(st.integers(0, 50), max_size=250), min_size=2, max_size=3),
    limit=st.none() | st.integers(1, 400),
    after=st.none() | st.integers(0, 3),
)
def test_the_table_is_the_earliest_of_all_that_could_be_read(conns, times, limit, after):
    reset()
    for conn_id, of_one in zip(conns, times, strict=False):
        _keep(conn_id, *(_entry(n) for n in sorted(of_one)))
    if after is not None:
        _fails(conns[0], after=after)
    result = _query(conns[: len(times)], limit=limit, min_clouds=1)
    read = [sorted(of_one) for of_one in times]
    first = result.connections[0].completeness
    if after is not None and first is Completeness.FAILED:
        read[0] = read[0][: 100 * after]
    expected = sorted(number for of_one in read for number in of_one)[:limit]
    found = [int((row.time - START).total_seconds()) for row in result.rows]
    assert found == expected
    assert sum(one.rows for one in result.connections) == len(found)
    for one, of_one in zip(result.connections, read, strict=True):
        if one.completeness is Completeness.COMPLETE:
            assert one.rows == len(of_one)
        elif one.completeness is Completeness.TRUNCATED:
            assert one.rows < len(of_one)


def _place(tmp_path, name):
    return str(tmp_path / name)


def test_json_lines_have_everything_and_can_be_shipped_again(conns, tmp_path):
    _keep(conns[0], _entry(1, HOSTILE, severity=Severity.WARN, attributes={"a": "\x1b\x7f"}))
    place = _place(tmp_path, "rows.jsonl")
    result = _query(conns[:1], destination=place)
    assert (result.rows, result.count, result.destination) == ((), 1, place)
    text = b"".join(stream_place("x", place)).decode()
    assert text.isascii()
    assert not any(c in text for c in "\x1b\x7f")
    (row,) = map(json.loads, text.splitlines())
    assert (row["message"], row["attributes"]) == (HOSTILE, {"a": "\x1b\x7f"})
    api.ship_logs(conns[1:2], "again", source=place)
    (kept,) = logs_of(conns[1]).entries["again"].values()
    assert (kept.message, kept.severity, kept.time) == (HOSTILE, Severity.WARN, START + SECOND)


def test_csv_has_no_formula_and_no_command(conns, tmp_path):
    _keep(conns[0], _entry(1, HOSTILE, attributes={"=a": "+b"}), _entry(2, "plain"))
    place = _place(tmp_path, "rows.csv")
    _query(conns[:1], destination=place)
    text = b"".join(stream_place("x", place)).decode()
    assert all(c.isprintable() or c == "\n" for c in text)
    first, second = csv.DictReader(io.StringIO(text))
    assert first["message"].startswith("'=cmd")
    assert "\\n\\x1b[2J\\x9b31m\\u202e end" in first["message"]
    assert second["message"] == "plain"


def test_a_large_table_goes_to_a_bucket_whole(conns):
    _keep(conns[0], *(_entry(n) for n in range(1200)))
    place = "mem://memory_two@lab/out/rows.csv"
    result = _query(conns[:1], destination=place, limit=None)
    rows = [*csv.DictReader(io.StringIO(b"".join(stream_place("x", place)).decode()))]
    assert len(rows) == result.count == 1200
    assert [row["message"] for row in rows] == [f"m{n}" for n in range(1200)]


def test_an_empty_table_has_its_columns(conns, tmp_path):
    _keep(conns[0])
    place = _place(tmp_path, "rows.csv")
    assert _query(conns[:1], destination=place).count == 0
    assert b"".join(stream_place("x", place)).decode() == (
        "time,cloud,conn_id,severity,message,correlation_id,attributes\n"
    )


def test_nothing_is_put_in_place_when_too_few_answered(conns, tmp_path):
    _keep(conns[0], _entry(1))
    place = tmp_path / "rows.jsonl"
    place.write_text("before")
    with pytest.raises(api.QueryFailedError):
        _query(conns[:2], destination=str(place))
    assert place.read_text() == "before"
    assert [*tmp_path.iterdir()] == [place]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"connections": []}, "connections: an empty list given"),
        ({"log": "a b"}, "log: 'a b' given"),
        ({"since": None}, "since, window: expected one of them"),
        ({"window": 60}, "since, window: expected one of them"),
        ({"since": None, "window": "soon"}, "window: 'soon' given, expected seconds"),
        ({"since": None, "window": 0}, "until: "),
        ({"since": "now"}, "since: 'now' given"),
        ({"until": "2026-11-29"}, "until: '2026-11-29' given"),
        ({"until": START}, "until: "),
        ({"severity": "LOUD"}, "severity: 'LOUD' given"),
        ({"text": 7}, "text: 7 given, expected a text"),
        ({"correlation_id": 7}, "correlation_id: 7 given, expected a text"),
        ({"limit": 0}, "limit: 0 given, expected a whole number from 1"),
        ({"limit": "many"}, "limit: 'many' given"),
        ({"min_clouds": 4}, "min_clouds: 4 given, expected a whole number from 1 to 3"),
        ({"destination": "rows.parquet"}, "destination: 'rows.parquet' given, expected a name"),
        ({"destination": "mem://memory_one@lab/x/"}, "destination: .* not a directory"),
    ],
)
def test_what_is_wrong_with_the_call_is_named(conns, wrong, why):
    call = {"connections": list(conns), "log": "app", "since": START, **wrong}
    with pytest.raises(api.CloudError, match="^" + why) as raised:
        api.query_logs(call.pop("connections"), call.pop("log"), **call)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert isinstance(raised.value, LogsError | api.StorageError)

"""Records shipped to the memory cloud: the account is what is there."""

from __future__ import annotations

import json
import os
import pickle
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_multicloud import api
from airflow_multicloud.core.deliveries import Destination, OnInvalid
from airflow_multicloud.core.logs.portions import MOST_ENTRIES
from airflow_multicloud.core.logs.records import Origin, read_records
from airflow_multicloud.core.logs.shipping import Shipment, ship
from airflow_multicloud.errors import CredentialsError, ErrorKind, LogsError, StorageError
from airflow_multicloud.opening import logs as opening
from airflow_multicloud.opening import spooling
from airflow_multicloud.opening.deliveries import open_destination
from airflow_multicloud.opening.places import stage_place
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.registry import resolve
from airflow_multicloud.testing.delivery_faults import REFUSALS, DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.logs import logs_of, reset

from .conftest import CONNS

#: So far back that nothing a test ships is too new.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


def _kept(conn_id, log="app"):
    return sorted(logs_of(conn_id).entries.get(log, {}).values(), key=lambda entry: entry.time)


def _messages(conn_id, log="app"):
    return [entry.message for entry in _kept(conn_id, log)]


def _plant(conn_id, *faults):
    logs_of(conn_id).faults.plant(faults)


def test_records_are_in_every_cloud_in_their_order(conns):
    records = [{"message": f"line {n}", "severity": "INFO"} for n in range(2500)]
    report = api.ship_logs(conns, "app", records=records, start=NOW)
    assert report.succeeded
    for one in report.destinations:
        assert (one.given, one.accepted, one.requests, one.cloud) == (2500, 2500, 3, "memory")
        assert _messages(one.conn_id) == [record["message"] for record in records]


def test_a_file_and_an_object_are_read_alike(conns, tmp_path):
    lines = "".join(f"{json.dumps({'message': f'm{n}'})}\n" for n in range(5)).encode()
    file = tmp_path / "run.jsonl"
    file.write_bytes(lines)
    stage_place("x", "mem://memory_one@lab/run.jsonl", [lines]).commit()
    api.ship_logs([conns[0]], "app", source=file, start=NOW)
    api.ship_logs([conns[1]], "app", source="mem://memory_one@lab/run.jsonl", start=NOW)
    assert _kept(conns[0]) == _kept(conns[1])
    assert _messages(conns[0]) == [f"m{n}" for n in range(5)]


def test_shipping_again_doubles_nothing_where_insert_ids_are_kept(conns):
    records = [{"message": "same"}, {"message": "same"}, {"message": "other"}]
    for _ in range(2):
        api.ship_logs(conns, "app", records=records, start=NOW)
    assert _messages(conns[0]) == ["same", "same", "other"]


def test_with_fail_nothing_is_sent_anywhere(conns):
    records = [{"message": "good"}, {"message": "bad", "time": "yesterday"}, {"message": ""}]
    with pytest.raises(LogsError, match="records: some can't be written, so nothing") as raised:
        api.ship_logs(conns, "app", records=records)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "records[1]: bad" in str(raised.value)
    assert "message: it is empty" in str(raised.value)
    assert not any(_messages(conn_id) for conn_id in conns)


def test_with_drop_the_others_are_sent(conns):
    records = [{"message": "good"}, {"message": "bad", "time": "yesterday"}, {"message": ""}]
    report = api.ship_logs(
        conns, "app", records=records, on_invalid="drop", min_success_ratio=0.3, start=NOW
    )
    for one in report.destinations:
        assert (one.given, one.accepted, one.dropped) == (3, 1, 2)
        assert {refusal.samples[0].split(":")[0] for refusal in one.refusals} >= {"records[1]"}
    assert _messages(conns[2]) == ["good"]


def test_too_little_is_an_error_with_the_report(conns):
    _plant(conns[1], DeliveryFault(kind=DeliveryFaultKind.REJECT, name="secret"))
    records = [{"message": "secret"}, {"message": "open"}]
    with pytest.raises(api.ShippingFailedError) as raised:
        api.ship_logs(conns, "app", records=records, start=NOW)
    assert not raised.value.retryable
    assert "memory_two: 1 of 2 accepted, expected 100 %" in str(raised.value)
    assert [one.succeeded for one in raised.value.report.destinations] == [True, False, True]
    ratios = {"memory_two": 0.5}
    assert api.ship_logs(conns, "app", records=records, start=NOW, min_success_ratio=ratios)


def test_a_destination_that_is_none_costs_itself(conns):
    with pytest.raises(api.ShippingFailedError) as raised:
        api.ship_logs(["memory_one", "nowhere"], "app", records=[{"message": "x"}], start=NOW)
    one, nowhere = raised.value.report.destinations
    assert (one.accepted, nowhere.dropped, nowhere.error_kind) == (1, 1, ErrorKind.NOT_FOUND)
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_a_connection_that_can_not_be_used_costs_itself_also_when_it_is_checked(conns, monkeypatch):
    error = CredentialsError("extra logs_stream is missing", kind=ErrorKind.INVALID_ARGUMENT)

    class Lacking:
        def check_entries(self, entries, *, log):
            raise error

        write_entries = check_entries

    hook = resolve(Logs, conns[1])
    monkeypatch.setattr(
        opening,
        "open_destination",
        lambda _, conn_id: Destination(
            conn_id=conn_id, cloud="x", hook=Lacking() if conn_id == conns[0] else hook
        ),
    )
    with pytest.raises(api.ShippingFailedError, match=r"memory_one: .*logs_stream") as raised:
        api.ship_logs(conns[:2], "app", records=[{"message": "x"}], start=NOW)
    assert [one.accepted for one in raised.value.report.destinations] == [0, 1]


def test_errors_survive_pickling(conns):
    api.ship_logs(conns[:1], "app", records=[{"message": "x"}], start=NOW)
    with pytest.raises(api.QueryFailedError) as raised:
        api.query_logs([conns[0], "nowhere"], "app", window=3600)
    found = pickle.loads(pickle.dumps(raised.value))
    assert found.result == raised.value.result
    assert found.result.count == 1


def test_a_lost_answer_is_unknown_and_may_be_there(conns):
    _plant(conns[0], DeliveryFault(kind=DeliveryFaultKind.LOSE_ANSWER))
    with pytest.raises(api.ShippingFailedError) as raised:
        api.ship_logs(conns, "app", records=[{"message": "x"}], start=NOW)
    assert raised.value.retryable
    assert raised.value.report.destinations[0].unknown == 1
    assert _messages(conns[0]) == ["x"]


def test_a_source_that_breaks_off_is_told_with_what_was_shipped(conns, tmp_path, monkeypatch):

    def breaking(parameter, where):
        yield b"a\nb\n"
        raise StorageError(f"{parameter}: the connection ended", kind=ErrorKind.UNAVAILABLE)

    monkeypatch.setattr(opening, "stream_place", breaking)
    with pytest.raises(api.ShippingFailedError, match="can't be read to its end") as raised:
        api.ship_logs(conns, "app", source="x.log", on_invalid="drop", start=NOW)
    assert raised.value.retryable
    assert [one.accepted for one in raised.value.report.destinations] == [2, 2, 2]


def _piped(content):
    """The path of a pipe that has this in it, and no more."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading, f"/dev/fd/{reading}"


@pytest.mark.parametrize("on_invalid", ["fail", "drop"])
def test_a_pipe_is_shipped_whole(conns, on_invalid):
    reading, path = _piped(b"hello\nworld\n")
    try:
        report = api.ship_logs(conns, "app", source=path, on_invalid=on_invalid, start=NOW)
    finally:
        os.close(reading)
    assert [(one.given, one.accepted) for one in report.destinations] == [(2, 2)] * 3
    assert _messages(conns[0]) == ["hello", "world"]


def test_a_bad_line_of_a_pipe_is_named_before_anything_is_sent(conns):
    reading, path = _piped(b'{"message": "a"}\nno JSON\n')
    try:
        with pytest.raises(LogsError, match=r"nothing was sent .*line 2: no JSON"):
            api.ship_logs(conns, "app", source=path, source_format="json", start=NOW)
    finally:
        os.close(reading)
    assert not any(_messages(conn_id) for conn_id in conns)


def test_what_a_pipe_may_have_is_bounded(conns, monkeypatch):
    monkeypatch.setattr(spooling, "MOST_BYTES", 5)
    reading, path = _piped(b"hello\nworld\n")
    try:
        with pytest.raises(StorageError, match=f"source: {path} is no regular file") as raised:
            api.ship_logs(conns, "app", source=path, start=NOW)
    finally:
        os.close(reading)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert not any(_messages(conn_id) for conn_id in conns)


@pytest.mark.parametrize(
    ("second", "found", "shipped"),
    [(b"", "0 records", 0), (b"a\n", "1 records", 1), (b"a\nb\nc\n", "more than 2 records", 2)],
)
def test_a_source_that_changes_after_the_check_is_told(conns, monkeypatch, second, found, shipped):
    """What was not checked is not sent."""
    contents = iter([b"a\nb\n", second])
    monkeypatch.setattr(opening, "stream_place", lambda *_: iter([next(contents)]))
    with pytest.raises(api.ShippingFailedError, match=f"source: {found} when") as raised:
        api.ship_logs(conns, "app", source="x.log", start=NOW)
    assert raised.value.kind is ErrorKind.SOURCE_CHANGED
    assert [one.accepted for one in raised.value.report.destinations] == [shipped] * 3


def test_memory_does_not_depend_on_the_size(conns, monkeypatch):
    """Of 40 MB in lines of 100 kB, a portion is there at a time, and what is made of it."""

    class Forgetting:
        def write_entries(self, entries, *, log):
            return Accounting(given=len(entries), accepted=len(entries), requests=1)

    line = b"x" * 100_000 + b"\n"
    monkeypatch.setattr(opening, "stream_place", lambda *_: (line for _ in range(400)))
    monkeypatch.setattr(
        opening,
        "open_destination",
        lambda _, conn_id: Destination(conn_id=conn_id, cloud="x", hook=Forgetting()),
    )
    tracemalloc.start()
    try:
        report = api.ship_logs(conns, "app", source="x.log", on_invalid="drop", start=NOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.destinations[0].accepted == 400
    assert peak < 4 << 20


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"destinations": []}, "destinations: an empty list given"),
        ({"destinations": ["memory_one", "memory_one"]}, "destinations: memory_one given more"),
        ({"log": "a b"}, "log: 'a b' given"),
        ({"records": None}, "records, source: expected one of them"),
        ({"source": "x"}, "records, source: expected one of them"),
        ({"records": ["text"]}, "records"),
        ({"on_invalid": "ignore"}, "on_invalid: 'ignore' given, expected one of fail, drop"),
        ({"min_success_ratio": 2}, "min_success_ratio: 2 given"),
        ({"severity": "LOUD"}, "severity: 'LOUD' given: not one of"),
        ({"correlation_id": "two words"}, "correlation_id: 'two words' given: expected 1 to 128"),
        ({"correlation_id": "x" * 129}, "correlation_id: 'xx"),
        ({"correlation_id": 7}, "correlation_id: 7 given: expected 1 to 128"),
        ({"start": "noon"}, "start: 'noon' given: it is none in ISO 8601"),
        ({"records": None, "source": "x.gz"}, "source: x.gz is compressed"),
        ({"records": None, "source": "x", "source_format": "xml"}, "source_format: 'xml' given"),
    ],
)
def test_what_is_wrong_with_the_call_is_named(conns, wrong, why):
    call = {"destinations": list(conns), "log": "app", "records": [{"message": "x"}], **wrong}
    with pytest.raises(LogsError, match="^" + why.replace("(", r"\(")) as raised:
        api.ship_logs(call.pop("destinations"), call.pop("log"), **call)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert not any(_messages(conn_id) for conn_id in conns)


_FAULT = st.builds(
    DeliveryFault,
    kind=st.sampled_from([*DeliveryFaultKind]),
    error=st.sampled_from(REFUSALS),
    name=st.sampled_from(["7", "3"]),
    times=st.integers(1, 3),
    after=st.integers(0, 3),
)
_RECORDS = st.lists(st.sampled_from(["good", "empty", "bad"]), max_size=12)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kinds=_RECORDS, faults=st.lists(st.lists(_FAULT, max_size=3), min_size=3, max_size=3))
def test_the_law_holds_whatever_goes_wrong(conns, kinds, faults):
    """``given = accepted + rejected + unknown + dropped``, and each figure is true."""
    reset()
    for conn_id, planted in zip(CONNS, faults, strict=True):
        _plant(conn_id, *planted)
    made = {
        "good": lambda n: {"message": f"line {n}"},
        "empty": lambda n: {"message": ""},
        "bad": lambda n: {"message": f"line {n}", "colour": "red"},
    }
    records = [made[kind](n) for n, kind in enumerate(kinds * (MOST_ENTRIES // 5))]
    origin = Origin(log="app", start=NOW)
    shipment = Shipment(
        destinations=[open_destination(Logs, conn_id) for conn_id in CONNS],
        log="app",
        read=lambda: read_records(((str(n), one) for n, one in enumerate(records)), origin),
        on_invalid=OnInvalid.DROP,
        ratios=dict.fromkeys(CONNS, 0.0),
    )
    good = kinds.count("good") * (MOST_ENTRIES // 5)
    for one in ship(shipment).destinations:
        assert one.given == len(records)
        assert one.given == one.accepted + one.rejected + one.unknown + one.dropped
        assert one.dropped >= len(records) - good
        there = _messages(one.conn_id)
        assert not [message for message, times in Counter(there).items() if times > 1]
        # Accepted is there; of what is unknown, any part may be; nothing else is.
        assert one.accepted <= len(there) <= one.accepted + one.unknown


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    count=st.integers(1, 3 * MOST_ENTRIES),
    faults=st.lists(_FAULT.filter(lambda it: it.kind is not DeliveryFaultKind.REJECT), max_size=4),
)
def test_a_second_try_sends_what_is_missing_and_nothing_twice(conns, count, faults):
    """Also at a cloud that does not know an insert id again, but for what is unknown."""
    reset()
    conn_id = CONNS[0]
    _plant(conn_id, *faults)
    origin = Origin(log="app", start=NOW)
    records = [(str(n), {"message": f"line {n}"}) for n in range(count)]
    shipment = Shipment(
        destinations=[open_destination(Logs, conn_id)],
        log="app",
        read=lambda: read_records(iter(records), origin),
        on_invalid=OnInvalid.DROP,
        ratios={conn_id: 1.0},
    )
    settled = {}
    (first,) = ship(shipment, settled).destinations
    logs_of(conn_id).faults.clear()
    (second,) = ship(shipment, settled).destinations
    assert (second.given, second.accepted) == (count, count)
    assert second.accepted_before <= first.accepted
    assert _messages(conn_id) == [f"line {n}" for n in range(count)]

"""Entries as Cloud Logging has them: what is kept, what is told to be lost, what others wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud.audit.audit_log_pb2 import AuditLog
from google.cloud.logging_v2.types import LogEntry as Record
from google.protobuf.any_pb2 import Any as AnyMessage
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.clouds.gcp.logs.converting import entry_of, record_of
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, Severity

NOW = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"

texts = st.text(st.characters(codec="utf-8"), max_size=30)


@given(
    message=texts.filter(bool),
    severity=st.sampled_from(Severity),
    correlation_id=st.none() | st.just(TRACE) | texts.filter(bool),
    insert_id=st.none() | texts.filter(bool),
    attributes=st.dictionaries(texts.filter(bool), texts, max_size=5),
    microsecond=st.integers(0, 999_999),
)
def test_an_entry_is_read_as_it_was_written(
    message: str,
    severity: Severity,
    correlation_id: str | None,
    insert_id: str | None,
    attributes: dict[str, str],
    microsecond: int,
) -> None:
    entry = LogEntry(
        time=NOW.replace(microsecond=microsecond),
        message=message,
        severity=severity,
        correlation_id=correlation_id,
        insert_id=insert_id or "given",
        attributes=attributes,
    )
    record, changes = record_of(entry, project="local", insert_id="made")
    assert changes == ()
    assert entry_of(type(record).FromString(record.SerializeToString())) == entry


def test_a_trace_leads_to_cloud_trace() -> None:
    entry = LogEntry(time=NOW, message="x", correlation_id=TRACE)
    record, _ = record_of(entry, project="local", insert_id="made")
    assert record.trace == f"projects/local/traces/{TRACE}"
    assert (record.insert_id, dict(record.labels)) == ("made", {})


@pytest.mark.parametrize(
    ("attributes", "lost", "kept"),
    [
        ({"": "x"}, 1, 0),
        ({"\ud800": "x"}, 1, 0),
        ({"é" * 257: "x"}, 1, 0),
        ({"multicloud_severity": "FATAL"}, 1, 0),
        ({str(n): "x" for n in range(70)}, 6, 64),
    ],
)
def test_attributes_that_no_label_can_be_are_told(
    attributes: dict[str, str], lost: int, kept: int
) -> None:
    entry = LogEntry(time=NOW, message="x", attributes=attributes)
    record, changes = record_of(entry, project="local", insert_id="made")
    assert [one.what for one in changes] == [ConversionKind.ATTRIBUTE_LOST] * lost
    assert len(record.labels) == kept
    assert entry_of(record).severity is Severity.INFO


def test_a_long_value_is_cut_and_told() -> None:
    entry = LogEntry(time=NOW, message="x", attributes={"long": "é" * 40_000})
    record, changes = record_of(entry, project="local", insert_id="made")
    assert [one.what for one in changes] == [ConversionKind.ATTRIBUTE_CUT]
    assert record.labels["long"] == "é" * 32_000


def test_half_a_pair_of_surrogates_is_replaced_and_told() -> None:
    entry = LogEntry(time=NOW, message="a\ud800b", insert_id="\udfff")
    record, changes = record_of(entry, project="local", insert_id="made")
    assert {one.what for one in changes} == {ConversionKind.TEXT_CUT}
    assert (record.text_payload, record.insert_id) == ("a\ufffdb", "\ufffd")


def read(**fields: object) -> LogEntry:
    return entry_of(Record.pb(Record(**{"timestamp": NOW, **fields})))


@pytest.mark.parametrize(
    ("number", "severity"),
    [
        (0, Severity.INFO),
        (100, Severity.DEBUG),
        (200, Severity.INFO),
        (300, Severity.INFO),
        (400, Severity.WARN),
        (500, Severity.ERROR),
        (600, Severity.FATAL),
        (700, Severity.FATAL),
        (800, Severity.FATAL),
        (50, Severity.DEBUG),
        (-1, Severity.DEBUG),
    ],
)
def test_every_severity_of_google_has_one_here(number: int, severity: Severity) -> None:
    assert read(severity=number).severity is severity


class TestOfOtherWriters:
    def test_structured_with_a_message(self) -> None:
        found = read(
            json_payload={"message": "net down", "code": 502, "at": {"host": "db-1"}, "ok": None},
            labels={"zone": "a"},
        )
        assert found.message == "net down"
        assert found.attributes == {
            "code": "502",
            "at": '{"host": "db-1"}',
            "ok": "null",
            "zone": "a",
        }

    @pytest.mark.parametrize("payload", [{"level": 3}, {"message": {"level": 3}}])
    def test_structured_without(self, payload: dict[str, object]) -> None:
        found = read(json_payload=payload)
        assert found.message == str(payload).replace("'", '"')
        assert (found.attributes, found.insert_id, found.correlation_id) == ({}, None, None)

    def test_an_audit_log(self) -> None:
        payload = AnyMessage()
        payload.Pack(AuditLog(method_name="SetIamPolicy", resource_name="projects/local"))
        found = read(proto_payload=payload)
        assert '"methodName": "SetIamPolicy"' in found.message

    @pytest.mark.parametrize("value", [b"", b"\xff\xff"])
    @pytest.mark.parametrize("kind", ["of.nobody", "google.cloud.audit.AuditLog"])
    def test_a_payload_that_can_not_be_told(self, kind: str, value: bytes) -> None:
        payload = AnyMessage(type_url=f"type.googleapis.com/{kind}", value=value)
        assert kind in read(proto_payload=payload).message

    def test_a_payload_in_a_payload_without_end(self) -> None:
        payload = AnyMessage()
        for _ in range(3000):
            inner, payload = payload, AnyMessage()
            payload.Pack(inner)
        assert "google.protobuf.Any" in read(proto_payload=payload).message

    def test_a_number_that_json_does_not_have(self) -> None:
        assert "bytes" in read(json_payload={"rate": float("nan")}).message

    def test_a_request(self) -> None:
        request = {"request_method": "GET", "request_url": "https://x/", "status": 404}
        assert read(http_request=request).message == "GET https://x/ 404"

    def test_nothing(self) -> None:
        assert read().message == ""

    def test_labels_that_are_only_called_like_this_packages_own(self) -> None:
        found = read(severity=500, labels={"multicloud_severity": "TRACE"})
        assert found.severity is Severity.ERROR
        assert found.attributes == {"multicloud_severity": "TRACE"}

    def test_a_trace_of_another_form(self) -> None:
        assert read(trace="projects/other/traces/1").correlation_id == "1"
        assert read(trace="abc").correlation_id == "abc"

    def test_nanoseconds(self) -> None:
        record = Record.pb(Record(text_payload="x"))
        record.timestamp.FromJsonString("2026-11-29T12:00:00.123456789Z")
        assert entry_of(record).time == NOW

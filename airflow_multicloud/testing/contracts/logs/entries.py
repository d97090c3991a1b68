"""Entries that are written, and queried again."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with what it wrote

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.accounting import ConversionKind, Outcome
from airflow_multicloud.ports.logs import Severity
from airflow_multicloud.testing.contracts.logs.rigs import LogsRig

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_OTHER = "4bf92f3577b34da6a3ce929d0e0e4736"

TEXTS = {
    "lines": "first\nsecond\r\nthird\ttab",
    "quotes": """she said "no" and 'never' and `maybe`""",
    "backslashes": r"C:\temp\new \n \"",
    "wildcards": "100% of * and ? and _ and [a-z]+ and (x|y)",
    "braces": "{$.message = 1} {{ ds }} ${x}",
    "unicode": "grüße 🚀 日本語 \u202e reversed",
    "control": "esc \x1b[31m red \x07 bell",
    "json": '{"a": [1, 2], "b": null}',
    "spaces": "  leading and trailing  ",
    "keywords": "AND OR NOT - + =cmd() | take 1 // comment",
}


class EntryContract:
    """What is read is what was written."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("what", TEXTS)
    def test_a_message(self, logs_rig: LogsRig, what: str) -> None:
        """Whatever stands in it."""
        told = logs_rig.write(logs_rig.entry(TEXTS[what]))
        assert (told.given, told.accepted, told.refusals) == (1, 1, ())
        assert logs_rig.messages() == [TEXTS[what]]

    @pytest.mark.parametrize("severity", Severity)
    def test_all_that_it_has(self, logs_rig: LogsRig, severity: Severity) -> None:
        """Time, severity, correlation id and attributes, or the account says what is not kept."""
        entry = logs_rig.entry(
            after=timedelta(milliseconds=123),
            severity=severity,
            correlation_id=_TRACE,
            attributes={"airflow.dag_id": "release", "shard": "3", "empty": ""},
        )
        told = logs_rig.write(entry)
        assert told.accepted == 1
        (found,) = logs_rig.query()
        assert (found.time, found.message) == (entry.time, entry.message)
        assert found.severity is severity
        assert found.correlation_id == _TRACE
        assert found.attributes.items() >= {("airflow.dag_id", "release"), ("shard", "3")}

    def test_microseconds(self, logs_rig: LogsRig) -> None:
        """Kept, or the account says so."""
        entry = logs_rig.entry(after=timedelta(microseconds=123456))
        told = logs_rig.write(entry)
        (found,) = logs_rig.query()
        if found.time != entry.time:
            assert abs(found.time - entry.time) < timedelta(milliseconds=1)
            assert ConversionKind.TIME_ROUNDED in {one.what for one in told.conversions}

    def test_the_order_of_times(self, logs_rig: LogsRig) -> None:
        """Given in any order."""
        entries = [logs_rig.entry(str(n), after=timedelta(seconds=n)) for n in (3, 1, 2, 0)]
        assert logs_rig.write(*entries).accepted == 4
        assert logs_rig.messages() == ["0", "1", "2", "3"]

    def test_many(self, logs_rig: LogsRig) -> None:
        """Over several requests and pages, none twice and in their order."""
        entries = [
            logs_rig.entry(f"entry {n}", after=timedelta(milliseconds=n)) for n in range(2500)
        ]
        told = logs_rig.write(*entries)
        assert (told.given, told.accepted, told.refusals) == (2500, 2500, ())
        assert logs_rig.messages() == [f"entry {n}" for n in range(2500)]

    def test_large_ones(self, logs_rig: LogsRig) -> None:
        """More bytes than one request takes go in several."""
        limits = logs_rig.hook.describe_log_limits()
        size = limits.bytes_per_entry // 2
        count = 2 * limits.bytes_per_request // size + 2
        entries = [
            logs_rig.entry(f"{n:06d}" + "x" * (size - 6), after=timedelta(seconds=n))
            for n in range(count)
        ]
        told = logs_rig.write(*entries)
        assert (told.accepted, told.refusals) == (count, ())
        assert told.requests >= 2
        assert [len(message) for message in logs_rig.messages()] == [size] * count

    @pytest.mark.parametrize("filler", ["x", "é", "🚀", '"', "\x01"])
    def test_one_that_is_too_large(self, logs_rig: LogsRig, filler: str) -> None:
        """Dropped, or cut and told, by its size as it is sent; the others are there."""
        limits = logs_rig.hook.describe_log_limits()
        large = logs_rig.entry(filler * (limits.bytes_per_entry + 1))
        told = logs_rig.write(large, logs_rig.entry("small", after=timedelta(seconds=1)))
        assert told.rejected == told.unknown == 0
        if told.dropped:
            assert logs_rig.messages() == ["small"]
        else:
            assert ConversionKind.TEXT_CUT in {one.what for one in told.conversions}
        assert len(repr(told)) < 10_000

    def test_bad_ones(self, logs_rig: LogsRig) -> None:
        """Each is dropped for its reason, which is told before anything is sent, too."""
        limits = logs_rig.hook.describe_log_limits()
        entries = [logs_rig.entry("good"), logs_rig.entry("")]
        if limits.oldest is not None:
            entries.append(logs_rig.entry("old", after=-limits.oldest))
        if limits.newest is not None:
            entries.append(logs_rig.entry("new", after=limits.newest + timedelta(minutes=10)))
        told = logs_rig.hook.check_entries(entries, log=logs_rig.log)
        assert {refusal.outcome for refusal in told} == {Outcome.DROPPED}
        assert {refusal.kind for refusal in told} == {ErrorKind.INVALID_ARGUMENT}
        assert sum(refusal.count for refusal in told) == len(entries) - 1
        written = logs_rig.write(*entries)
        assert (written.accepted, written.refusals) == (1, tuple(told))
        assert logs_rig.messages() == ["good"]

    def test_nothing(self, logs_rig: LogsRig) -> None:
        """No entries, no request."""
        told = logs_rig.write()
        assert (told.given, told.requests) == (0, 0)

    def test_the_same_again(self, logs_rig: LogsRig) -> None:
        """Once, where the cloud can tell; else twice, as the limits say."""
        limits = logs_rig.hook.describe_log_limits()
        entry = logs_rig.entry(insert_id="the-one")
        for _ in range(2):
            assert logs_rig.write(entry).accepted == 1
        assert len(logs_rig.query()) == (1 if limits.keeps_once else 2)

    @pytest.mark.parametrize("log", ["", "with space", "new\nline", "x" * 600, "a;b", "a'b"])
    def test_a_log_without_a_proper_name(self, logs_rig: LogsRig, log: str) -> None:
        """Refused before anything is asked of the cloud."""
        with pytest.raises(LogsError, match="log") as caught:
            logs_rig.hook.write_entries([logs_rig.entry()], log=log)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_logs_are_apart(self, logs_rig: LogsRig) -> None:
        """Also of two whose names begin alike."""
        logs_rig.write(logs_rig.entry("here"))
        logs_rig.hook.write_entries([logs_rig.entry("there")], log=f"{logs_rig.log}-2")
        assert logs_rig.messages() == ["here"]


class QueryContract:
    """Exactly what is asked for."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("what", TEXTS)
    def test_by_text(self, logs_rig: LogsRig, what: str) -> None:
        """A part of the message; nothing in it is a command to the cloud."""
        whole = TEXTS[what]
        part = whole[1:-1]
        logs_rig.write(
            logs_rig.entry(whole),
            logs_rig.entry("another", after=timedelta(seconds=1)),
            logs_rig.entry(f"before {whole} after", after=timedelta(seconds=2)),
        )
        assert logs_rig.messages(text=part) == [whole, f"before {whole} after"]

    def test_upper_and_lower_case_differ(self, logs_rig: LogsRig) -> None:
        """On every cloud alike."""
        logs_rig.write(
            logs_rig.entry("Error: disk"), logs_rig.entry("error: disk", after=timedelta(seconds=1))
        )
        assert logs_rig.messages(text="Error") == ["Error: disk"]
        assert logs_rig.messages(text="rror") == ["Error: disk", "error: disk"]

    def test_by_severity(self, logs_rig: LogsRig) -> None:
        """That one, and those above it."""
        logs_rig.write(
            *(
                logs_rig.entry(severity, after=timedelta(seconds=severity.rank), severity=severity)
                for severity in Severity
            )
        )
        assert logs_rig.messages(severity=Severity.WARN) == ["WARN", "ERROR", "FATAL"]
        assert logs_rig.messages(severity=Severity.TRACE) == [*Severity]

    def test_by_correlation_id(self, logs_rig: LogsRig) -> None:
        """Only the entries of that trace; one that only mentions it is not."""
        logs_rig.write(
            logs_rig.entry("one", correlation_id=_TRACE),
            logs_rig.entry("two", correlation_id=_OTHER, after=timedelta(seconds=1)),
            logs_rig.entry(f"about {_TRACE}", after=timedelta(seconds=2)),
        )
        assert logs_rig.messages(correlation_id=_TRACE) == ["one"]

    def test_the_window(self, logs_rig: LogsRig) -> None:
        """From its first moment to that after its last."""
        logs_rig.write(*(logs_rig.entry(str(n), after=timedelta(seconds=n)) for n in range(5)))
        found = logs_rig.messages(since=timedelta(seconds=1), until=timedelta(seconds=3))
        assert found == ["1", "2"]

    def test_all_at_once(self, logs_rig: LogsRig) -> None:
        """Everything given must fit."""
        for number, (text, severity, trace) in enumerate(
            (text, severity, trace)
            for text in ("disk", "net")
            for severity in (Severity.INFO, Severity.ERROR)
            for trace in (_TRACE, _OTHER)
        ):
            logs_rig.write(
                logs_rig.entry(
                    f"{text} {severity} {trace[:4]}",
                    severity=severity,
                    correlation_id=trace,
                    after=timedelta(seconds=number),
                )
            )
        found = logs_rig.messages(text="disk", severity=Severity.WARN, correlation_id=_OTHER)
        assert found == ["disk ERROR 4bf9"]

    def test_nothing_fits(self, logs_rig: LogsRig) -> None:
        """No entries, and no error."""
        logs_rig.write(logs_rig.entry())
        assert logs_rig.messages(text="never written") == []

    def test_no_such_log(self, logs_rig: LogsRig) -> None:
        """Told, where the cloud knows; never the entries of another."""
        if not logs_rig.spec.knows_logs:
            assert logs_rig.messages() == []
            return
        with pytest.raises(LogsError) as caught:
            logs_rig.query()
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert caught.value.cloud == logs_rig.spec.cloud

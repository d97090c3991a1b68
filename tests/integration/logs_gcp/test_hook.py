"""What is special about Cloud Logging's hook; the contract tests the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Severity
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from tests.integration.logs_gcp.conftest import NOW, Query

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook
    from airflow_multicloud.testing.local_clouds import LocalServer

INJECTED = [
    'x" OR logName:"tests',
    'x\\" OR logName:"tests',
    'x" AND NOT textPayload:"y',
    'x\n" OR severity>=DEFAULT --',
    "x) OR (textPayload:*",
    "x\\",
]


def entry(message: str, *, after: timedelta = timedelta(), **more: Any) -> LogEntry:
    return LogEntry(time=NOW + after, message=message, **more)


class TestWriting:
    def test_entries_of_the_same_time_keep_their_order(
        self, hook: GCPLogsHook, log: str, query: Query
    ) -> None:
        """Within a write, and from one to the next."""
        for write in range(3):
            hook.write_entries([entry(f"{write} {n}") for n in range(20)], log=log)
        found = [one.message for one in query()]
        assert found == [f"{write} {n}" for write in range(3) for n in range(20)]

    def test_equal_entries_without_an_insert_id_are_all_there(
        self, hook: GCPLogsHook, log: str, query: Query
    ) -> None:
        assert hook.write_entries([entry("same")] * 3, log=log).accepted == 3
        assert len(query()) == 3

    def test_a_request_whose_answer_is_lost_is_sent_again(
        self, hook: GCPLogsHook, log: str, query: Query, local_gcp_telemetry: LocalServer
    ) -> None:
        plant(
            local_gcp_telemetry.endpoint,
            "logs",
            [DeliveryFault(kind=DeliveryFaultKind.LOSE_ANSWER, times=2)],
        )
        told = hook.write_entries([entry(str(n)) for n in range(5)], log=log)
        assert (told.accepted, told.refusals) == (5, ())
        assert [one.message for one in query()] == ["0", "1", "2", "3", "4"]

    def test_the_account_of_some_that_are_refused(
        self, hook: GCPLogsHook, log: str, query: Query, local_gcp_telemetry: LocalServer
    ) -> None:
        fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")
        plant(local_gcp_telemetry.endpoint, "logs", [fault])
        messages = ["bad 0", "good 1", "bad 2", "good 3", "bad 4"]
        told = hook.write_entries(
            [entry(text, after=timedelta(seconds=n)) for n, text in enumerate(messages)], log=log
        )
        assert (told.accepted, told.rejected, told.requests) == (2, 3, 1)
        (refusal,) = told.refusals
        assert (refusal.kind, refusal.code) == (ErrorKind.INVALID_ARGUMENT, "INVALID_ARGUMENT")
        assert [name.partition(" ")[2] for name in refusal.samples] == ["bad 0", "bad 2", "bad 4"]
        assert [one.message for one in query()] == ["good 1", "good 3"]

    def test_all_that_are_refused(
        self, hook: GCPLogsHook, log: str, local_gcp_telemetry: LocalServer
    ) -> None:
        """Google has no details then."""
        fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="")
        plant(local_gcp_telemetry.endpoint, "logs", [fault])
        told = hook.write_entries([entry("a"), entry("b")], log=log)
        assert (told.accepted, told.rejected) == (0, 2)

    def test_attributes_beyond_the_limits_are_taken_and_told(
        self, hook: GCPLogsHook, log: str, query: Query
    ) -> None:
        attributes = {"long": "é" * 40_000, **{f"n{n}": "x" for n in range(70)}}
        told = hook.write_entries([entry("x", attributes=attributes)], log=log)
        assert told.accepted == 1
        assert {(one.what, one.count) for one in told.conversions} == {
            (ConversionKind.ATTRIBUTE_CUT, 1),
            (ConversionKind.ATTRIBUTE_LOST, 7),
        }
        (found,) = query()
        assert len(found.attributes) == 64
        assert found.attributes["long"] == "é" * 32_000

    def test_an_outage_is_told_within_its_time(
        self,
        hook: GCPLogsHook,
        log: str,
        local_gcp_telemetry: LocalServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """And as what it is: the client gave up, but not because of a timeout."""
        from google.api_core.retry import Retry

        from airflow_multicloud.clouds.gcp.logs import client
        from airflow_multicloud.clouds.gcp.tries import may_pass

        monkeypatch.setattr(client, "RETRY", Retry(predicate=may_pass, initial=0.01, timeout=0.1))
        fault = DeliveryFault(
            kind=DeliveryFaultKind.REFUSE, error=ErrorKind.UNAVAILABLE, times=1000
        )
        plant(local_gcp_telemetry.endpoint, "logs", [fault])
        told = hook.write_entries([entry("x")], log=log)
        assert [(one.outcome, one.kind) for one in told.refusals] == [("unknown", "unavailable")]

    def test_the_same_client_and_few_requests(
        self, hook: GCPLogsHook, log: str, local_gcp_telemetry: LocalServer
    ) -> None:
        owner = Admin(local_gcp_telemetry.endpoint)
        before = len(owner.requests())
        told = hook.write_entries([entry(str(n)) for n in range(2500)], log=log)
        assert told.requests == 3
        assert hook._logging is hook._logging
        assert len(owner.requests()) - before == 3


class TestQuerying:
    @pytest.mark.parametrize("text", INJECTED)
    def test_a_text_is_no_part_of_the_filter(
        self, hook: GCPLogsHook, log: str, query: Query, text: str
    ) -> None:
        hook.write_entries(
            [entry(f"before {text} after"), entry("x y", after=timedelta(seconds=1))], log=log
        )
        hook.write_entries([entry(text)], log=f"{log}/other")
        assert [one.message for one in query(text=text)] == [f"before {text} after"]
        assert query(correlation_id=text) == []

    @pytest.mark.parametrize("correlation_id", [*INJECTED, "run-1", "RUN-1", "é", "\x1b"])
    def test_a_correlation_id_that_is_no_trace(
        self, hook: GCPLogsHook, log: str, query: Query, correlation_id: str
    ) -> None:
        hook.write_entries([entry("it", correlation_id=correlation_id)], log=log)
        hook.write_entries([entry("not", correlation_id=f"{correlation_id}-2")], log=log)
        (found,) = query(correlation_id=correlation_id)
        assert (found.message, found.correlation_id) == ("it", correlation_id)

    def test_logs_whose_names_differ_in_case_are_apart(
        self, hook: GCPLogsHook, log: str, query: Query
    ) -> None:
        """The filter lets both through."""
        hook.write_entries([entry("here")], log=log)
        hook.write_entries([entry("there")], log=log.upper())
        assert [one.message for one in query()] == ["here"]

    def test_debug_without_trace(self, hook: GCPLogsHook, log: str, query: Query) -> None:
        hook.write_entries(
            [entry("t", severity=Severity.TRACE), entry("d", severity=Severity.DEBUG)], log=log
        )
        assert [one.message for one in query(severity=Severity.DEBUG)] == ["d"]

    def test_entries_of_other_writers(self, hook: GCPLogsHook, log: str, query: Query) -> None:
        client: Any = hook._logging
        client.write_log_entries(
            log_name=hook._log_name(log),
            resource={"type": "generic_node", "labels": {"node_id": "1"}},
            labels={"zone": "a"},
            entries=[
                {"json_payload": {"message": "net down", "code": 502}, "timestamp": NOW},
                {"json_payload": {"state": "net down"}, "timestamp": NOW + timedelta(seconds=1)},
                {"text_payload": "net down", "timestamp": NOW + timedelta(seconds=2)},
                {"text_payload": "fine", "timestamp": NOW + timedelta(seconds=3)},
            ],
        )
        found = query(text="net down")
        assert [one.message for one in found] == ["net down", '{"state": "net down"}', "net down"]
        assert [dict(one.attributes) for one in found] == [
            {"code": "502", "zone": "a"},
            {"zone": "a"},
            {"zone": "a"},
        ]
        assert {one.severity for one in query(severity=Severity.INFO)} == {Severity.INFO}

    def test_pages_come_one_by_one(
        self, hook: GCPLogsHook, log: str, local_gcp_telemetry: LocalServer
    ) -> None:
        """A reader that has enough asks for no more."""
        hook.write_entries([entry(str(n)) for n in range(2500)], log=log)
        asked = LogQuery(since=NOW - timedelta(minutes=1), until=NOW + timedelta(minutes=1))
        owner = Admin(local_gcp_telemetry.endpoint)
        before = len(owner.requests())
        pages = iter(hook.query_entries(asked, log=log))
        assert len(next(pages).entries) == 1000
        assert len(owner.requests()) - before == 1
        assert [len(page.entries) for page in pages] == [1000, 500]

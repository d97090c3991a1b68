"""Azure Monitor's logs: what goes over the wire, and what comes of answers that go wrong."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind, LogsError
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery, Severity
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry import STREAM
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.ports.logs import Logs
    from airflow_multicloud.testing.local_clouds import LocalServer

_LOG = "tested"
_TABLE = STREAM.removeprefix("Custom-")
_NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Monitor:
    """The server, and hooks on connections that lead to it."""

    server: LocalServer
    patch: pytest.MonkeyPatch

    @property
    def admin(self) -> Admin:
        return Admin(self.server.endpoint)

    @property
    def extra(self) -> dict[str, Any]:
        connection: Any = self.server.spec.connections["azure_telemetry_local"]
        found: dict[str, Any] = connection["extra"]
        return found

    def hook(self, **extra: object) -> Logs:
        from airflow_multicloud import registry
        from airflow_multicloud.ports.logs import Logs

        connection: Any = self.server.spec.connections["azure_telemetry_local"]
        changed = {**connection, "extra": {**self.extra, **extra}}
        self.patch.setenv("AIRFLOW_CONN_AZURE_LOGS_TEST", json.dumps(changed))
        hook: Logs = registry.resolve(Logs, "azure_logs_test")
        return hook

    def asked(self, path: str) -> list[dict[str, Any]]:
        return [request for request in self.admin.requests() if path in request["path"]]

    def refuse(self, error: ErrorKind, *, call: DeliveryCall = DeliveryCall.WRITE) -> None:
        fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, call=call, error=error, times=1)
        plant(self.server.endpoint, "logs", [fault])

    def answer(self, rows: Sequence[Sequence[object]], **more: object) -> None:
        """What the next query gets."""
        columns = {
            "TimeGenerated": "datetime", "Message": "string", "SeverityText": "string",
            "CorrelationId": "string", "InsertId": "string", "AttributesText": "string",
        }  # fmt: skip
        table = {
            "name": "PrimaryResult",
            "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
            "rows": list(rows),
        }
        self.admin.script("/query", [{"status": 200, "body": {"tables": [table], **more}}])


@pytest.fixture
def monitor(local_azure_telemetry: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    found = Monitor(local_azure_telemetry, monkeypatch)
    found.admin.reset()
    return found


def _entries(*messages: str, apart: timedelta = timedelta(seconds=1)) -> list[LogEntry]:
    return [LogEntry(time=_NOW + n * apart, message=text) for n, text in enumerate(messages)]


def _pages(hook: Logs, **asked: Any) -> list[LogPage]:
    query = LogQuery(since=_NOW - timedelta(hours=1), until=_NOW + timedelta(hours=1), **asked)
    return [*hook.query_entries(query, log=_LOG)]


def _messages(pages: Sequence[LogPage]) -> list[str]:
    return [entry.message for page in pages for entry in page.entries]


def _lost(kind: DeliveryFaultKind, times: int = 1) -> DeliveryFault:
    return DeliveryFault(kind=kind, after=1, times=times)


def _refused(error: ErrorKind) -> DeliveryFault:
    return DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=error, after=1)


class TestWriting:
    def test_one_request_is_packed(self, monitor: Monitor) -> None:
        told = monitor.hook().write_entries(_entries("a", "b"), log=_LOG)
        assert (told.accepted, told.requests) == (2, 1)
        (request,) = monitor.asked("/dataCollectionRules/")
        assert request["headers"]["content-encoding"] == "gzip"
        assert request["status"] == 204
        assert len(monitor.asked("/oauth2/v2.0/token")) == 1

    def test_a_request_is_filled_as_far_as_it_goes(self, monitor: Monitor) -> None:
        """Measured as it is sent: a quote is two bytes, a control character six."""
        hook = monitor.hook()
        told = hook.write_entries(_entries(*['"' * 60_000] * 16, *["\x01" * 60_000] * 4), log=_LOG)
        assert (told.accepted, told.refusals) == (20, ())
        assert told.requests == len(monitor.asked("/dataCollectionRules/")) == 4
        assert {request["status"] for request in monitor.asked("/dataCollectionRules/")} == {204}

    @pytest.mark.parametrize("status", [500, 503, 504, 408])
    def test_what_may_have_been_carried_out_is_not_sent_again(
        self, monitor: Monitor, status: int
    ) -> None:
        monitor.admin.script("/dataCollectionRules/", [{"status": status}])
        told = monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert (told.accepted, told.unknown) == (0, 1)
        assert len(monitor.asked("/dataCollectionRules/")) == 1

    def test_what_was_throttled_is(self, monitor: Monitor) -> None:
        monitor.refuse(ErrorKind.THROTTLED)
        told = monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert told.accepted == 1
        assert len(monitor.asked("/dataCollectionRules/")) == 2

    def test_a_wait_that_is_too_long_is_left_to_the_task(self, monitor: Monitor) -> None:
        answer = {"status": 429, "headers": {"Retry-After": "3600"}}
        monitor.admin.script("/dataCollectionRules/", [answer])
        told = monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert [refusal.kind for refusal in told.refusals] == [ErrorKind.THROTTLED]
        assert told.rejected == 1

    @pytest.mark.parametrize("name", ["Retry-After", "x-ms-retry-after-ms"])
    @pytest.mark.parametrize(
        ("status", "tries", "accepted", "unknown"), [(429, 2, 1, 0), (503, 1, 0, 1)]
    )
    def test_a_wait_that_nobody_can_read(
        self, monitor: Monitor, name: str, status: int, tries: int, accepted: int, unknown: int
    ) -> None:
        monitor.admin.script(
            "/dataCollectionRules/", [{"status": status, "headers": {name: "soon"}}]
        )
        told = monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert (told.accepted, told.unknown) == (accepted, unknown)
        assert len(monitor.asked("/dataCollectionRules/")) == tries

    def test_a_wait_for_a_token_that_nobody_can_read(self, monitor: Monitor) -> None:
        answer = {"status": 503, "headers": {"Retry-After": "soon"}}
        monitor.admin.script("/oauth2/v2.0/token", [answer])
        assert monitor.hook().write_entries(_entries("a"), log=_LOG).accepted == 1

    @pytest.mark.parametrize("status", [200, 503])
    def test_an_answer_that_nests_too_deep_tells_nothing(
        self, monitor: Monitor, tmp_path: Path, status: int
    ) -> None:
        body = b"[" * 100_000 + b"]" * 100_000
        answer = Answer(status=status, body=body, headers={"Content-Type": "application/json"})
        made = issue(tmp_path)
        trusted = Path(monitor.extra["ca_bundle"]).read_text() + made.authority.read_text()
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(trusted)
        with HttpServer(lambda _: answer, certificates=made) as server:
            hook = monitor.hook(logs_ingestion_endpoint=server.endpoint, ca_bundle=str(bundle))
            told = hook.write_entries(_entries("a"), log=_LOG)
        assert [(one.outcome.value, one.kind) for one in told.refusals] == [
            ("unknown", ErrorKind.INTEGRITY)
        ]

    def test_a_sign_in_page_accepts_nothing(self, monitor: Monitor) -> None:
        page = {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}
        monitor.admin.script("/dataCollectionRules/", [page])
        told = monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert [(one.outcome.value, one.kind) for one in told.refusals] == [
            ("unknown", ErrorKind.INTEGRITY)
        ]

    def test_a_bad_record_costs_itself(self, monitor: Monitor) -> None:
        fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")
        plant(monitor.server.endpoint, "logs", [fault])
        hook = monitor.hook()
        told = hook.write_entries(_entries("a", "bad", "c", "d", "bad too", "f"), log=_LOG)
        assert (told.given, told.accepted, told.rejected) == (6, 4, 2)
        (refusal,) = told.refusals
        assert (refusal.kind, refusal.code) == (ErrorKind.INVALID_ARGUMENT, "InvalidPayload")
        assert _messages(_pages(hook)) == ["a", "c", "d", "f"]

    @pytest.mark.parametrize(
        ("fault", "accepted", "rejected", "unknown", "dropped", "there"),
        [
            (_lost(DeliveryFaultKind.LOSE_ANSWER), 32, 0, 16, 0, 48),
            (_lost(DeliveryFaultKind.LOSE_REQUEST), 32, 0, 16, 0, 32),
            (_lost(DeliveryFaultKind.LOSE_ANSWER, times=2), 16, 0, 32, 0, 48),
            (_refused(ErrorKind.PERMISSION_DENIED), 16, 16, 0, 16, 16),
            (_refused(ErrorKind.QUOTA), 32, 16, 0, 0, 32),
            (_refused(ErrorKind.UNAVAILABLE), 32, 0, 16, 0, 32),
        ],
    )
    def test_what_happens_to_the_second_of_three_requests(
        self,
        monitor: Monitor,
        fault: DeliveryFault,
        accepted: int,
        rejected: int,
        unknown: int,
        dropped: int,
        there: int,
    ) -> None:
        """The account is true, and nothing is there twice."""
        plant(monitor.server.endpoint, "logs", [fault])
        hook = monitor.hook()
        texts = [f"{n:03}" + "x" * 60_000 for n in range(48)]
        told = hook.write_entries(_entries(*texts), log=_LOG)
        assert told.requests <= 3
        assert (told.accepted, told.rejected, told.unknown, told.dropped) == (
            accepted,
            rejected,
            unknown,
            dropped,
        )
        found = _messages(_pages(hook))
        assert (len(found), len(set(found))) == (there, there)

    def test_no_such_rule(self, monitor: Monitor) -> None:
        """Nothing else is tried then."""
        told = monitor.hook(logs_rule_id="dcr-none").write_entries(
            _entries(*["x" * 60_000] * 40), log=_LOG
        )
        assert (told.accepted, told.rejected + told.dropped, told.requests) == (0, 40, 1)
        assert {refusal.kind for refusal in told.refusals} == {ErrorKind.NOT_FOUND}

    @pytest.mark.parametrize(
        ("extra", "answer"),
        [
            ({"logs_stream": "Custom-Other_CL"}, None),
            ({}, {"status": 400, "body": {"error": {"code": "InvalidApiVersion", "message": "v"}}}),
            ({}, {"status": 415}),
        ],
        ids=["stream", "version", "type"],
    )
    def test_a_request_that_is_wrong_itself_is_not_divided(
        self, monitor: Monitor, extra: dict[str, str], answer: dict[str, Any] | None
    ) -> None:
        if answer:
            monitor.admin.script("/dataCollectionRules/", [answer])
        told = monitor.hook(**extra).write_entries(_entries(*"abcdefgh"), log=_LOG)
        assert (told.accepted, told.rejected, told.requests) == (0, 8, 1)

    def test_one_that_is_too_large_is_divided(self, monitor: Monitor) -> None:
        """Should the service count otherwise than we do."""
        error = {"code": "ContentLengthLimitExceeded", "message": "Maximum allowed content length"}
        monitor.admin.script("/dataCollectionRules/", [{"status": 413, "body": {"error": error}}])
        told = monitor.hook().write_entries(_entries(*"abcd"), log=_LOG)
        assert (told.accepted, told.requests) == (4, 3)

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 200, "body": "a page", "headers": {"Content-Type": "image/png"}},
            {"status": 200, "body": []},
        ],
        ids=["type", "list"],
    )
    def test_who_grants_tokens_answers_nonsense(
        self, monitor: Monitor, answer: dict[str, Any]
    ) -> None:
        monitor.admin.script("/oauth2/v2.0/token", [answer])
        with pytest.raises(CredentialsError):
            monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert monitor.asked("/dataCollectionRules/") == []

    def test_no_token_can_be_got(self, monitor: Monitor) -> None:
        """So nothing was sent, and nothing is unknown."""
        monitor.admin.script("/oauth2/v2.0/token", [{"status": 400, "body": {"error": "no"}}])
        with pytest.raises(CredentialsError):
            monitor.hook().write_entries(_entries("a"), log=_LOG)
        assert monitor.asked("/dataCollectionRules/") == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("logs_ingestion_endpoint", None),
            ("logs_rule_id", ""),
            ("logs_stream", None),
            ("logs_stream", "Custom-No table"),
            ("logs_stream", "Custom-T_CL | union Secrets_CL"),
            ("logs_stream", "Microsoft-Syslog"),
            ("logs_stream", 5),
            ("logs_stream", ["Custom-MulticloudLogs_CL"]),
            ("logs_rule_id", {"id": "dcr-1"}),
            ("logs_ingestion_endpoint", "https://["),
            ("logs_ingestion_endpoint", "https://127.0.0.1:port"),
            ("logs_ingestion_endpoint", "https://user:canary@127.0.0.1"),
            ("logs_ingestion_endpoint", "http://user:canary@127.0.0.1"),
            ("logs_ingestion_endpoint", "http://" + "x" * 3_000),
            ("logs_stream", "x" * 3_000),
            ("cloud_environment", ["AzurePublicCloud"]),
            ("ca_bundle", 5),
            ("tenantId", 5),
            ("subscriptionId", 5),
        ],
    )
    def test_a_connection_that_lacks_what_is_needed(
        self, monitor: Monitor, name: str, value: object
    ) -> None:
        with pytest.raises(CredentialsError, match=name) as caught:
            monitor.hook(**{name: value}).write_entries(_entries("a"), log=_LOG)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert "canary" not in str(caught.value)
        assert len(str(caught.value)) < 500

    def test_order_within_a_moment(self, monitor: Monitor) -> None:
        """Kept for entries without an id of their own, which are numbered."""
        texts = [f"line {n}" for n in range(120)]
        hook = monitor.hook()
        hook.write_entries(_entries(*texts, apart=timedelta()), log=_LOG)
        assert _messages(_pages(hook)) == texts


class TestQuerying:
    def test_a_moment_with_more_rows_than_a_page(self, monitor: Monitor) -> None:
        """A page ends between rows of the same time: none is left out, and none comes twice."""
        entries = [
            LogEntry(time=_NOW, message=f"{n:04}", insert_id="the same") for n in range(4500)
        ]
        hook = monitor.hook()
        hook.write_entries(entries, log=_LOG)
        pages = _pages(hook)
        assert [len(page.entries) for page in pages] == [2000, 2000, 500]
        assert _messages(pages) == [f"{n:04}" for n in range(4500)]

    def test_rows_that_are_equal_in_all(self, monitor: Monitor) -> None:
        entry = LogEntry(time=_NOW, message="again", insert_id="i")
        hook = monitor.hook()
        hook.write_entries([entry] * 2500, log=_LOG)
        assert len(_messages(_pages(hook))) == 2500

    def test_an_answer_that_would_be_cut_is_asked_for_in_smaller_parts(
        self, monitor: Monitor
    ) -> None:
        texts = [f"line {n}" for n in range(1800)]
        hook = monitor.hook()
        hook.write_entries(_entries(*texts, apart=timedelta(milliseconds=1)), log=_LOG)
        monitor.admin.seed("query_limits", [{"rows": 700}])
        pages = _pages(hook)
        assert _messages(pages) == texts
        assert {page.notes for page in pages} == {()}

    def test_an_answer_that_is_cut_all_the_same_is_told(self, monitor: Monitor) -> None:
        hook = monitor.hook()
        hook.write_entries(_entries("a", "b", "c"), log=_LOG)
        monitor.admin.seed("query_limits", [{"rows": 2}])
        pages = _pages(hook)
        assert any("E_QUERY_RESULT_SET_TOO_LARGE" in note for page in pages for note in page.notes)

    def test_a_part_is_missing(self, monitor: Monitor) -> None:
        """Of another reason than its size: what there is comes, and the pages say so."""
        row = [f"{_NOW:%Y-%m-%dT%H:%M:%SZ}", "there", "INFO", "", "", "{}"]
        error = {
            "code": "PartialError",
            "message": "There were some errors.",
            "details": [{"code": "E", "message": "out", "innererror": {"message": "a \x1b[2J b"}}],
        }
        monitor.answer([row], error=error)
        pages = _pages(monitor.hook())
        assert _messages(pages) == ["there"]
        assert pages[0].notes == ("Log Analytics answered in part: a \\x1b[2J b",)

    def test_no_data_yet(self, monitor: Monitor) -> None:
        monitor.admin.script("/query", [{"status": 204}])
        assert _messages(_pages(monitor.hook())) == []

    def test_no_such_table(self, monitor: Monitor) -> None:
        with pytest.raises(LogsError, match="no table Other_CL") as caught:
            _pages(monitor.hook(logs_stream="Custom-Other_CL"))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_no_such_workspace(self, monitor: Monitor) -> None:
        with pytest.raises(LogsError) as caught:
            _pages(monitor.hook(logs_workspace_id="99999999-9999-4999-8999-999999999999"))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_a_table_with_other_columns(self, monitor: Monitor) -> None:
        """What Log Analytics says inside of its error is told."""
        inner = {"code": "SemanticError", "innererror": {"message": "named 'InsertId'"}}
        error = {"code": "BadArgumentError", "message": "invalid", "innererror": inner}
        monitor.admin.script("/query", [{"status": 400, "body": {"error": error}}])
        with pytest.raises(LogsError, match="named 'InsertId'") as caught:
            _pages(monitor.hook())
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_a_moment_of_throttling(self, monitor: Monitor) -> None:
        hook = monitor.hook()
        hook.write_entries(_entries("a"), log=_LOG)
        monitor.refuse(ErrorKind.THROTTLED, call=DeliveryCall.READ)
        assert _messages(_pages(hook)) == ["a"]

    def test_a_wait_that_is_too_long_is_left_to_the_task(self, monitor: Monitor) -> None:
        monitor.admin.script("/query", [{"status": 429, "headers": {"Retry-After": "3600"}}])
        with pytest.raises(LogsError) as caught:
            _pages(monitor.hook())
        assert caught.value.kind is ErrorKind.THROTTLED
        assert caught.value.retry_after == timedelta(hours=1)

    @pytest.mark.parametrize("name", ["Retry-After", "retry-after-ms"])
    def test_a_wait_that_nobody_can_read(self, monitor: Monitor, name: str) -> None:
        hook = monitor.hook()
        hook.write_entries(_entries("a"), log=_LOG)
        monitor.admin.script("/query", [{"status": 429, "headers": {name: "soon"}}])
        assert _messages(_pages(hook)) == ["a"]

    @pytest.mark.parametrize("media", ["application/octet-stream", "image/png", "multipart/x"])
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (200, ErrorKind.INTEGRITY),
            (403, ErrorKind.PERMISSION_DENIED),
            (404, ErrorKind.NOT_FOUND),
        ],
    )
    def test_an_answer_of_another_type(
        self, monitor: Monitor, status: int, kind: ErrorKind, media: str
    ) -> None:
        page = {"status": status, "body": "a page", "headers": {"Content-Type": media}}
        monitor.admin.script("/query", [page])
        with pytest.raises(LogsError) as caught:
            _pages(monitor.hook())
        assert caught.value.kind is kind

    def test_an_entry_of_another_writer_costs_no_other(self, monitor: Monitor) -> None:
        """Attributes nested deeper than can be read, and columns that are no texts."""
        time = f"{_NOW:%Y-%m-%dT%H:%M:%SZ}"
        deep = '{"a":' * 100_000 + "1" + "}" * 100_000
        monitor.answer(
            [
                [time, "deep", "INFO", "", "", deep],
                [time, {"text": "x"}, {"number": 9}, [1], 7, {"a": ["b"]}],
                [time, "there", ["WARN"], True, 0.5, '{"a": "b"}'],
            ]
        )
        ((deep_one, odd, last),) = (page.entries for page in _pages(monitor.hook()))
        assert (deep_one.message, deep_one.attributes) == ("deep", {})
        assert (odd.message, odd.correlation_id, odd.insert_id) == ('{"text":"x"}', "[1]", "7")
        assert odd.attributes == {"a": '["b"]'}
        assert (last.message, last.attributes) == ("there", {"a": "b"})
        assert {one.severity for one in (deep_one, odd, last)} == {Severity.INFO}

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (302, ErrorKind.INTEGRITY),
            (403, ErrorKind.PERMISSION_DENIED),
            (404, ErrorKind.NOT_FOUND),
        ],
    )
    def test_an_error_without_words(self, monitor: Monitor, status: int, kind: ErrorKind) -> None:
        """As something between the service and here may answer."""
        headers = {"Location": "https://127.0.0.1:1/elsewhere"}
        monitor.admin.script("/query", [{"status": status, "headers": headers}])
        with pytest.raises(LogsError) as caught:
            _pages(monitor.hook())
        assert caught.value.kind is kind

    @pytest.mark.parametrize(
        "body",
        [{}, [], {"tables": []}, {"tables": [{"rows": [[1]], "columns": []}]}, "a page"],
        ids=repr,
    )
    def test_what_is_no_answer(self, monitor: Monitor, body: object) -> None:
        monitor.admin.script("/query", [{"status": 200, "body": body}])
        with pytest.raises(LogsError) as caught:
            _pages(monitor.hook())
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_rows_that_go_back_in_time(self, monitor: Monitor) -> None:
        """Else a service that is broken could keep a query going for ever."""
        rows = [
            [f"{_NOW - timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}", "x", "INFO", "", "", "{}"]
            for n in range(2000)
        ]
        monitor.answer(rows)
        with pytest.raises(LogsError, match="order") as caught:
            _pages(monitor.hook())
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_a_part_of_a_microsecond(self, monitor: Monitor) -> None:
        """Other writers have times to 100 nanoseconds."""
        monitor.answer([[f"{_NOW:%Y-%m-%dT%H:%M:%S}.1234567Z", "x", "Info", None, None, None]])
        ((entry,),) = (page.entries for page in _pages(monitor.hook()))
        assert entry.time == _NOW + timedelta(microseconds=123456)

    def test_what_is_hostile_finds_itself_only(self, monitor: Monitor) -> None:
        texts = [
            '" or true //',
            f'"\n| union {_TABLE}\n//',
            '\\" | where true //',
            '@"x""',
            "\\",
            "```",
        ]
        hook = monitor.hook()
        hook.write_entries(_entries(*texts, "harmless"), log=_LOG)
        for text in texts:
            found = _messages(_pages(hook, text=text))
            assert found == [one for one in texts if text in one]
            assert _messages(_pages(hook, correlation_id=text)) == []


class TestServer:
    """What the local service does with what the hook does not send."""

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"[]", 204),
            (b"{}", 400),
            (b"[1]", 400),
            (b"[", 400),
            (b'[{"Unknown": "x"}]', 400),
            (b'[{"Message": 1}]', 400),
            (b"[" + b" " * 1024 * 1024 + b"]", 413),
        ],
        ids=["nothing", "object", "number", "no_json", "column", "type", "large"],
    )
    @pytest.mark.parametrize("packed", [True, False])
    def test_what_is_taken(self, monitor: Monitor, body: bytes, status: int, packed: bool) -> None:
        assert self._send(monitor, gzip.compress(body) if packed else body) == status

    def test_what_is_no_gzip(self, monitor: Monitor) -> None:
        assert self._send(monitor, gzip.compress(b"[]")[:-4]) == 400

    @pytest.mark.parametrize("days", [-3, 2])
    def test_times_that_azure_replaces(self, monitor: Monitor, days: int) -> None:
        """Without a word, so the hook must not send them."""
        time = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        record = {"TimeGenerated": time, "Message": "x" * 70_000, "LogName": _LOG}
        assert self._send(monitor, json.dumps([record]).encode()) == 204
        ((entry,),) = (page.entries for page in _pages(monitor.hook()))
        assert abs(entry.time - datetime.now(UTC)) < timedelta(minutes=1)
        assert len(entry.message) == 64 * 1024

    @staticmethod
    def _send(monitor: Monitor, body: bytes) -> int:
        from azure.core.exceptions import HttpResponseError
        from azure.monitor.ingestion import LogsIngestionClient

        from airflow_multicloud.clouds.azure.session import Session

        monitor.hook()
        found = Session("azure_logs_test").monitor
        with LogsIngestionClient(
            found.require_ingestion_endpoint(),
            found.require_credential(),
            connection_verify=found.verify,
        ) as client:
            try:
                client.upload(found.require_rule(), found.require_stream(), io.BytesIO(body))
            except HttpResponseError as err:
                return err.status_code or 0
        return 204

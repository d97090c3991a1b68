"""What Cloud Logging's hook makes of answers that the local service never gives."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.logging_v2.types import (
    ListLogEntriesResponse,
    WriteLogEntriesPartialErrors,
    WriteLogEntriesResponse,
)
from google.protobuf.empty_pb2 import Empty
from google.rpc.status_pb2 import Status

from airflow_multicloud.errors import CredentialsError, ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting, Outcome
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery
from airflow_multicloud.testing.local_clouds.gcp import connection
from airflow_multicloud.testing.local_clouds.gcp.grpc.server import GrpcServer
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import (
    Method,
    Refused,
    Service,
    planted,
)
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at
from airflow_multicloud.testing.local_clouds.kit.state import State
from tests.integration.answering import service_account
from tests.integration.logs_gcp.conftest import NOW

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

LOG_NAME = "projects/local/logs/app"


class Scripted:
    """A service that answers what it was told, in turn."""

    def __init__(self) -> None:
        self.answers: deque[Any] = deque()
        self.requests: list[Any] = []

    def answer(self, request: Any) -> Any:
        self.requests.append(request)
        answer = self.answers.popleft()
        if isinstance(answer, Refused):
            raise answer
        return type(answer).pb(answer)


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def asked(service: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[GCPLogsHook]:
    """The hook that asks it."""
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

    state, port = State(), free_port()
    method = Method(service.answer)
    served = Service(
        transport=LoggingServiceV2GrpcTransport,
        methods={"write_log_entries": method, "list_log_entries": method},
        faults=SeededDeliveryFaults(state, "logs"),
    )
    extra = {"logging.endpoint": url_at(port)}
    monkeypatch.setenv("AIRFLOW_CONN_SCRIPTED_LOGS", json.dumps(connection(**extra)))
    with GrpcServer([served], port=port, check=lambda _metadata: None, state=state):
        yield GCPLogsHook("scripted_logs")


def page(*texts: str, token: str = "") -> ListLogEntriesResponse:
    entries = [{"log_name": LOG_NAME, "timestamp": NOW, "text_payload": text} for text in texts]
    return ListLogEntriesResponse(entries=entries, next_page_token=token)


def query(hook: GCPLogsHook) -> Iterator[LogPage]:
    window = LogQuery(since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    return hook.query_entries(window, log="app")


def write(hook: GCPLogsHook, count: int) -> Accounting:
    return hook.write_entries([LogEntry(time=NOW, message=str(n)) for n in range(count)], log="app")


def partly(*details: Any, **statuses: Status) -> Refused:
    errors = WriteLogEntriesPartialErrors.pb(WriteLogEntriesPartialErrors())
    for place, status in statuses.items():
        errors.log_entry_errors[int(place.removeprefix("at"))].CopyFrom(status)
    return Refused(grpc.StatusCode.PERMISSION_DENIED, "some", *details, errors)


def test_a_search_that_takes_long(asked: GCPLogsHook, service: Scripted) -> None:
    """Empty pages come while Google searches on."""
    service.answers += [page(token="a"), page("1", token="b"), page(token="c"), page("2")]
    pages = list(query(asked))
    assert [[one.message for one in page.entries] for page in pages] == [[], ["1"], [], ["2"]]
    assert [request.page_token for request in service.requests] == ["", "a", "b", "c"]
    assert len({request.filter for request in service.requests}) == 1


def test_a_token_that_comes_again_ends_the_query(asked: GCPLogsHook, service: Scripted) -> None:
    service.answers += [page("1", token="a"), page("2", token="b"), page("3", token="a")]
    with pytest.raises(LogsError, match="token twice") as caught:
        list(query(asked))
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_an_error_between_pages(asked: GCPLogsHook, service: Scripted) -> None:
    service.answers += [page("1", token="a"), Refused(grpc.StatusCode.PERMISSION_DENIED, "no more")]
    pages = query(asked)
    assert [one.message for one in next(pages).entries] == ["1"]
    with pytest.raises(LogsError, match="no more") as caught:
        next(pages)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize("seconds", [1 << 60, -(1 << 60)])
def test_a_time_that_is_none(asked: GCPLogsHook, service: Scripted, seconds: int) -> None:
    answer = page("1")
    type(answer).pb(answer).entries[0].timestamp.seconds = seconds
    service.answers.append(answer)
    with pytest.raises(LogsError, match="can't be read") as caught:
        list(query(asked))
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_entries_that_were_not_asked_for_are_left_out(
    asked: GCPLogsHook, service: Scripted
) -> None:
    """Of another log, or another time; the project may be named otherwise."""
    answer = page("1", "2", "3", "4")
    records = type(answer).pb(answer).entries
    records[0].log_name = "projects/my-project/logs/app"
    records[1].log_name = "projects/local/logs/app2"
    records[2].log_name = "projects/local/logs/App"
    records[3].timestamp.seconds += 7200
    service.answers.append(answer)
    (found,) = query(asked)
    assert [one.message for one in found.entries] == ["1"]


def test_each_refusal_has_its_kind(asked: GCPLogsHook, service: Scripted) -> None:
    """And what else an error says is passed over."""
    service.answers.append(
        partly(
            Empty(),
            at0=Status(code=7, message="not yours"),
            at2=Status(code=99, message=""),
            at3=Status(code=3, message="bad\nline"),
        )
    )
    told = write(asked, 4)
    assert (told.accepted, told.rejected, told.unknown) == (1, 3, 0)
    assert {(one.kind, one.code, one.reason) for one in told.refusals} == {
        (ErrorKind.PERMISSION_DENIED, "PERMISSION_DENIED", "not yours"),
        (ErrorKind.INVALID_ARGUMENT, "99", "99"),
        (ErrorKind.INVALID_ARGUMENT, "INVALID_ARGUMENT", "bad\\nline"),
    }


def test_refusals_of_what_was_not_sent(asked: GCPLogsHook, service: Scripted) -> None:
    """Nobody knows then what was written."""
    service.answers.append(partly(at2=Status(code=3, message="bad")))
    told = write(asked, 2)
    assert told.unknown == 2
    assert [(one.outcome, one.kind) for one in told.refusals] == [
        (Outcome.UNKNOWN, ErrorKind.INTEGRITY)
    ]


def test_a_refusal_without_details(asked: GCPLogsHook, service: Scripted) -> None:
    """Nothing was written, by anybody's account."""
    service.answers.append(partly())
    told = write(asked, 2)
    assert [(one.outcome, one.kind, one.count) for one in told.refusals] == [
        (Outcome.REJECTED, ErrorKind.PERMISSION_DENIED, 2)
    ]


def test_some_written_and_some_refused_for_a_moment_is_not_sent_again(
    asked: GCPLogsHook, service: Scripted
) -> None:
    answer = partly(at0=Status(code=8, message="too many"))
    service.answers.append(Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "some", *answer.details))
    told = write(asked, 2)
    assert (told.accepted, told.rejected, told.requests) == (1, 1, 1)
    assert len(service.requests) == 1


def test_without_retries_nothing_is_sent_again(
    asked: GCPLogsHook, service: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = json.loads(os.environ["AIRFLOW_CONN_SCRIPTED_LOGS"])
    given["extra"]["num_retries"] = 0
    monkeypatch.setenv("AIRFLOW_CONN_SCRIPTED_LOGS", json.dumps(given))
    service.answers.append(planted(ErrorKind.THROTTLED))
    told = write(type(asked)("scripted_logs"), 2)
    assert [(one.kind, one.count) for one in told.refusals] == [(ErrorKind.THROTTLED, 2)]


def test_a_connection_without_a_project(
    asked: GCPLogsHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = json.loads(os.environ["AIRFLOW_CONN_SCRIPTED_LOGS"])
    del given["extra"]["project"]
    monkeypatch.setenv("AIRFLOW_CONN_SCRIPTED_LOGS", json.dumps(given))
    hook = type(asked)("scripted_logs")
    for call in (lambda: write(hook, 1), lambda: query(hook)):
        with pytest.raises(CredentialsError, match="project") as caught:
            call()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("project", [5, "x" * 3000])
def test_a_project_that_is_none(
    service: Scripted, monkeypatch: pytest.MonkeyPatch, project: object
) -> None:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

    monkeypatch.setenv("AIRFLOW_CONN_NO_PROJECT", json.dumps(connection(project=project)))
    with pytest.raises(CredentialsError, match="extra project") as caught:
        write(GCPLogsHook("no_project"), 1)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert len(str(caught.value)) < 200


def test_nobody_gives_a_token(
    asked: GCPLogsHook, service: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is told before anything is sent, and not of each entry that it is unknown."""
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

    told = json.loads(os.environ["AIRFLOW_CONN_SCRIPTED_LOGS"])
    told["extra"]["is_anonymous"] = False
    key = service_account(f"http://127.0.0.1:{free_port()}/token")
    told["extra"]["keyfile_dict"] = json.dumps(key)
    monkeypatch.setenv("AIRFLOW_CONN_NO_TOKEN", json.dumps(told))
    with pytest.raises(CredentialsError, match="token") as caught:
        write(GCPLogsHook("no_token"), 2)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert caught.value.retryable
    assert service.requests == []


def test_what_is_sent(asked: GCPLogsHook, service: Scripted) -> None:
    """Insert ids are there, and all different; nothing is left to Google's defaults."""
    service.answers.append(WriteLogEntriesResponse())
    write(asked, 3)
    (request,) = service.requests
    assert (request.log_name, request.partial_success) == (LOG_NAME, True)
    assert (request.resource.type, request.resource.labels["project_id"]) == ("global", "local")
    assert len({one.insert_id for one in request.entries}) == 3
    assert all(one.insert_id for one in request.entries)

"""The operators that ship logs and query them, in the tries and map indexes of a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from opentelemetry.sdk.trace import TracerProvider

from airflow_multicloud.core.logs.portions import MOST_ENTRIES
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.opening import logs as opening
from airflow_multicloud.operators import QueryLogsOperator, ShipLogsOperator
from airflow_multicloud.operators.logs.query import MOST_ROWS
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.logs import logs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Set by each test to a while before it: a long run reaches this module late.
STARTED = datetime.now(UTC)
RECORDS = [{"message": "first"}, {"message": "second", "severity": "ERROR"}]


class _Ti:
    """A task instance, in one of its tries."""

    def __init__(self, tried: int, map_index: int) -> None:
        self.run_id = "manual__1"
        self.try_number = tried
        self.map_index = map_index
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


class _Store(dict[str, Any]):
    """What Airflow keeps from try to try."""

    set = dict.__setitem__


def _context(tried: int = 1, *, map_index: int = -1, store: _Store | None = None) -> dict[str, Any]:
    context: dict[str, Any] = {
        "ti": _Ti(tried, map_index),
        "run_id": "manual__1",
        "dag_run": SimpleNamespace(start_date=STARTED),
        "outlet_events": {},
    }
    if store is not None:
        context["task_state_store"] = store
    return context


@pytest.fixture(autouse=True)
def _at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that Airflow sets in a task, of a run that began half an hour ago."""
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    monkeypatch.setitem(globals(), "STARTED", before)
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "etl")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "ship")
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "manual__1")


def _ship(conns: Any, context: dict[str, Any], **given: Any) -> Any:
    call = {"destinations": conns, "log_name": "app", "records": RECORDS, **given}
    return ShipLogsOperator(task_id="ship", **call).execute(context)


def _kept(conn_id: str, log: str = "app") -> list[Any]:
    return sorted(logs_of(conn_id).entries.get(log, {}).values(), key=lambda entry: entry.time)


def _plant(conn_id: str, kind: DeliveryFaultKind, **given: Any) -> None:
    logs_of(conn_id).faults.plant([DeliveryFault(kind=kind, **given)])


def test_entries_tell_what_they_are_of(conns: Any) -> None:
    context = _context(map_index=3)
    report = _ship(conns, context)
    assert report == context["ti"].pushed["logs_report"]
    assert report["succeeded"]
    assert [(one["given"], one["accepted"]) for one in report["destinations"]] == [(2, 2)] * 3
    first, second = _kept(conns[0])
    assert (first.time, second.time) == (STARTED, STARTED + timedelta(microseconds=1))
    assert dict(first.attributes) == {
        "airflow.dag_id": "etl",
        "airflow.task_id": "ship",
        "airflow.run_id": "manual__1",
        "airflow.map_index": "3",
    }


def test_a_retry_writes_the_same_and_a_mapped_task_something_else(conns: Any) -> None:
    for tried in (1, 2):
        _ship(conns, _context(tried))
    assert len(_kept(conns[0])) == 2
    for index in (0, 1):
        _ship(conns, _context(map_index=index))
    assert len(_kept(conns[0])) == 6
    assert len({entry.insert_id for entry in _kept(conns[0])}) == 6


def test_the_trace_ties_entries_together(conns: Any) -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("task") as span:
        _ship(conns, _context())
    expected = f"{span.get_span_context().trace_id:032x}"
    assert [entry.correlation_id for entry in _kept(conns[0])] == [expected] * 2
    _ship(conns, _context(), log_name="other", correlation_id="mine")
    assert _kept(conns[0], "other")[0].correlation_id == "mine"


def test_a_failure_that_passes_is_retried_and_sends_what_is_missing(conns: Any) -> None:
    records = [{"message": f"m{n}"} for n in range(3 * MOST_ENTRIES)]
    _plant(conns[1], DeliveryFaultKind.REFUSE, error=ErrorKind.THROTTLED, after=1)
    store = _Store()
    context = _context(store=store)
    with pytest.raises(CloudError) as raised:
        _ship(conns, context, records=records)
    assert raised.value.kind is ErrorKind.THROTTLED
    told = {one["conn_id"]: one for one in context["ti"].pushed["logs_report"]["destinations"]}
    assert (told[conns[0]]["accepted"], told[conns[1]]["accepted"]) == (3000, 2000)

    report = _ship(conns, _context(2, store=store), records=records)
    told = {one["conn_id"]: one for one in report["destinations"]}
    assert (told[conns[0]]["requests"], told[conns[0]]["accepted_before"]) == (0, 3000)
    assert (told[conns[1]]["requests"], told[conns[1]]["accepted_before"]) == (1, 2000)
    for conn_id in conns:
        assert [entry.message for entry in _kept(conn_id)] == [one["message"] for one in records]


def test_a_task_that_is_stopped_remembers_what_arrived(
    conns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, store = b"x\n" * MOST_ENTRIES, _Store()
    call = {"destinations": conns, "log_name": "app", "source": "x.log", "on_invalid": "drop"}
    operator = ShipLogsOperator(task_id="ship", **call)

    def arriving(*_: Any) -> Iterator[bytes]:
        yield lines
        operator.on_kill()
        yield lines

    monkeypatch.setattr(opening, "stream_place", arriving)
    with pytest.raises(AirflowException, match="the task was stopped"):
        operator.execute(_context(store=store))  # type: ignore[arg-type]
    assert len(_kept(conns[0])) == MOST_ENTRIES
    monkeypatch.setattr(opening, "stream_place", lambda *_: iter([lines, lines]))
    report = ShipLogsOperator(task_id="ship", **call).execute(
        _context(2, store=store)  # type: ignore[arg-type]
    )
    assert [(one["accepted_before"], one["requests"]) for one in report["destinations"]] == [
        *[(1000, 1)] * 3
    ]
    assert len(_kept(conns[0])) == 2 * MOST_ENTRIES


def test_what_is_remembered_is_of_one_log(conns: Any) -> None:
    store = _Store()
    _plant(conns[1], DeliveryFaultKind.REFUSE, error=ErrorKind.THROTTLED)
    with pytest.raises(CloudError):
        _ship(conns, _context(store=store))
    report = _ship(conns, _context(2, store=store), log_name="other")
    assert [one["accepted_before"] for one in report["destinations"]] == [0, 0, 0]


@pytest.mark.parametrize(
    "remembered", [None, "x", {"memory_one": "x"}, {"memory_one": {"other": 2, "bad": "x"}}]
)
def test_what_is_not_remembered_is_sent(conns: Any, remembered: Any) -> None:
    store = _Store({"multicloud logs settled app": remembered})
    report = _ship(conns, _context(2, store=store))
    assert [one["requests"] for one in report["destinations"]] == [1, 1, 1]


def test_a_failure_that_no_retry_mends_fails_the_task_with_its_report(conns: Any) -> None:
    _plant(conns[1], DeliveryFaultKind.REJECT, name="second")
    context = _context()
    with pytest.raises(AirflowFailException, match="memory_two: 1 of 2 accepted"):
        _ship(conns, context)
    report = context["ti"].pushed["logs_report"]
    assert [one["succeeded"] for one in report["destinations"]] == [True, False, True]
    assert report["destinations"][1]["refusals"][0]["reason"] == "a fault was planted"


def test_templates_render_to_texts(conns: Any) -> None:
    report = _ship(
        str(list(conns)),
        _context(),
        records=str(RECORDS),
        min_success_ratio="0.5",
        source="",
        start=STARTED.isoformat(),
    )
    assert report["succeeded"]
    operator = ShipLogsOperator(
        task_id="ship",
        destinations=["{{ var }}"],
        log_name="{{ var }}",
        records=[{"message": "{{ var }}", "attributes": {"a": "{{ var }}"}}],
    )
    operator.render_template_fields({"var": "x"})  # type: ignore[arg-type]
    assert (operator.destinations, operator.log_name) == (["x"], "x")
    assert operator.records == [{"message": "x", "attributes": {"a": "x"}}]


def _query(conns: Any, context: dict[str, Any], **given: Any) -> Any:
    call = {"connections": conns, "log_name": "app", "window": 3600, **given}
    return QueryLogsOperator(task_id="query", **call).execute(context)


def test_a_template_of_nothing_is_nothing(
    conns: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jinja renders one to the text ``None``."""
    monkeypatch.chdir(tmp_path)
    names = ("source", "source_format", "severity", "correlation_id", "start")
    report = _ship(conns, _context(), **dict.fromkeys(names, "None"))
    assert report["succeeded"]
    assert [one.correlation_id for one in _kept(conns[0])] == [None, None]
    assert _kept(conns[0])[0].time == STARTED
    _ship(conns, _context(), records="None", source=str(_lines(tmp_path)), log_name="lines")
    names = ("since", "until", "text", "severity", "correlation_id", "limit")
    names += ("destination", "min_clouds")
    found = _query(list(conns), _context(), **dict.fromkeys(names, "None"))
    assert (found["count"], len(found["rows"])) == (6, 6)
    since = STARTED.isoformat()
    found = _query(list(conns), _context(), window="None", since=since)
    assert found["count"] == 6
    assert not (tmp_path / "None").exists()


def _lines(directory: Any) -> Any:
    path = directory / "run.log"
    path.write_text("one line\n")
    return path


def test_rows_are_returned_and_the_report_has_none(conns: Any) -> None:
    _ship(conns, _context())
    context = _context()
    found = _query(list(conns), context, severity="ERROR")
    assert [(row["conn_id"], row["message"]) for row in found["rows"]] == [
        (conn_id, "second") for conn_id in conns
    ]
    assert found["complete"]
    report = context["ti"].pushed["logs_report"]
    assert "rows" not in report
    assert report["connections"] == found["connections"]


def test_too_few_answers_fail_the_task_with_the_report(conns: Any) -> None:
    _ship(conns[:2], _context())
    context = _context()
    with pytest.raises(AirflowFailException, match="2 of 3 connections answered, expected 3"):
        _query(list(conns), context)
    assert [one["completeness"] for one in context["ti"].pushed["logs_report"]["connections"]] == [
        "complete",
        "complete",
        "failed",
    ]
    assert _query(list(conns), _context(), min_clouds="2")["count"] == 4


def test_a_destination_gets_the_rows_and_xcom_does_not(conns: Any, tmp_path: Any) -> None:
    _ship(conns, _context())
    place = str(tmp_path / "rows.jsonl")
    found = _query(list(conns), _context(), destination=place)
    assert "rows" not in found
    assert (found["count"], found["destination"]) == (6, place)


def test_xcom_has_a_bound(conns: Any) -> None:
    with pytest.raises(AirflowFailException, match="limit: 10001 given, expected at most 10000"):
        _query(list(conns), _context(), limit=str(MOST_ROWS + 1))
    for limit in (" 20000", "+20000", "2_0000", 20000):
        with pytest.raises(AirflowFailException, match="limit: 20000 given, expected at most"):
            _query(list(conns), _context(), limit=limit)
    records = [{"message": "x" * 200_000, "time": STARTED.isoformat()} for _ in range(8)]
    _ship(conns, _context(), records=records)
    found = _query(conns[0], _context())
    assert found["count"] == 5
    assert found["connections"][0]["completeness"] == "truncated"

"""The operator: whose points they are, of when, and what a retry does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.metrics import metrics_of

STARTED = datetime.now(UTC) - timedelta(minutes=3)
Conns = tuple[str, str, str]


@dataclass
class Run:
    start_date: datetime | None = STARTED
    run_after: datetime = STARTED - timedelta(minutes=1)


@dataclass
class Context:
    """What the operator needs of Airflow."""

    map_index: int = -1
    try_number: int = 1
    run_id: str = "r"
    dag_run: Run = field(default_factory=Run)
    pushed: dict[str, Any] = field(default_factory=dict)
    store: dict[str, Any] | None = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def get(self, name: str, default: object = None) -> Any:
        return self[name] if name in ("ti", "dag_run", "task_state_store") else default

    def __getitem__(self, name: str) -> Any:
        if name == "task_state_store":
            return None if self.store is None else Store(self.store)
        return {"ti": self, "dag_run": self.dag_run}[name]


@dataclass
class Store:
    held: dict[str, Any]

    def get(self, key: str, default: Any = None) -> Any:
        return self.held.get(key, default)

    def set(self, key: str, value: Any) -> None:
        self.held[key] = value


@pytest.fixture(autouse=True)
def _task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "shop")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "export")


def operator(destinations: Any, **given: Any) -> ExportMetricsOperator:
    sound = {"namespace": "shop", "metrics": [{"name": "m", "value": 1}]}
    return ExportMetricsOperator(task_id="export", destinations=destinations, **{**sound, **given})


def points(conn_id: str) -> list[Any]:
    return [*metrics_of(conn_id).points["shop"].values()]


def test_whose_and_of_when_points_are(conns: Conns) -> None:
    context: Any = Context()
    returned = operator(conns[0]).execute(context)
    assert returned["succeeded"]
    assert context.pushed == {"metrics_report": returned}
    (point,) = points(conns[0])
    assert point.attributes == {"airflow.dag_id": "shop", "airflow.task_id": "export"}
    assert point.time == STARTED


def test_a_mapped_tasks_points_are_of_its_own_series(conns: Conns) -> None:
    for index in (0, 1):
        context: Any = Context(map_index=index)
        operator(conns[0]).execute(context)
    assert [one.attributes["airflow.map_index"] for one in points(conns[0])] == [0, 1]


def test_a_point_may_be_said_to_be_another_tasks(conns: Conns) -> None:
    context: Any = Context()
    metric = {"name": "m", "value": 1, "attributes": {"airflow.task_id": "replicate"}}
    operator(conns[0], metrics=[metric]).execute(context)
    (point,) = points(conns[0])
    assert point.attributes == {"airflow.dag_id": "shop", "airflow.task_id": "replicate"}


def test_a_run_that_has_no_start(conns: Conns) -> None:
    run = Run(start_date=None)
    context: Any = Context(dag_run=run)
    operator(conns[0]).execute(context)
    assert points(conns[0])[0].time == run.run_after


def test_a_retry_repeats_points_and_adds_none(conns: Conns) -> None:
    """Also before Airflow 3.3, where nothing is remembered, if the cloud keeps repeats once."""
    for tried in (1, 2):
        context: Any = Context(try_number=tried, store=None)
        operator(conns[0]).execute(context)
    assert len(points(conns[0])) == 1


def test_a_retry_sends_only_where_something_is_left(conns: Conns) -> None:
    context: Any = Context()
    metrics_of(conns[1]).faults.plant(
        [DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.UNAVAILABLE)]
    )
    with pytest.raises(MetricsError, match="metrics_two: 0 of 1 accepted") as failed:
        operator(conns[:2]).execute(context)
    assert failed.value.retryable
    assert not context.pushed["metrics_report"]["succeeded"]
    again: Any = Context(try_number=2, store=context.store)
    first, second = operator(conns[:2]).execute(again)["destinations"]
    assert (first["accepted"], first["accepted_before"], first["requests"]) == (1, 1, 0)
    assert (second["accepted"], second["accepted_before"], second["requests"]) == (1, 0, 1)


def test_a_store_that_holds_something_else_is_sent_again(conns: Conns) -> None:
    context: Any = Context(store={"multicloud metrics settled": {conns[0]: {"x": {"given": "?"}}}})
    assert operator(conns[0]).execute(context)["succeeded"]


def test_a_store_that_fails_costs_no_report(
    conns: Conns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is remembered only spares work: a try without it sends, and tells what it sent."""

    def broken(*_: object) -> None:
        raise RuntimeError("the API server\x1b[31m is away")

    monkeypatch.setattr(Store, "get", broken)
    monkeypatch.setattr(Store, "set", broken)
    context: Any = Context()
    assert operator(conns[0]).execute(context)["succeeded"]
    assert context.pushed["metrics_report"]["succeeded"]
    assert caplog.text.count("state store failed: RuntimeError") == 2
    assert "\x1b" not in caplog.text


def test_what_no_retry_can_help_fails_at_once(conns: Conns) -> None:
    metrics_of(conns[0]).faults.plant([DeliveryFault(kind=DeliveryFaultKind.REJECT, name="m")])
    context: Any = Context()
    with pytest.raises(AirflowFailException, match="invalid_argument"):
        operator(conns[0]).execute(context)
    assert context.pushed["metrics_report"]["destinations"][0]["rejected"] == 1


@pytest.mark.parametrize("destinations", [[], "", "[]", None])
def test_there_is_no_export_without_a_destination(destinations: Any) -> None:
    context: Any = Context()
    with pytest.raises(AirflowFailException, match="destinations"):
        operator(destinations).execute(context)


def test_a_task_that_is_stopped_keeps_what_was_accepted(conns: Conns) -> None:
    many = [{"name": "m", "value": n, "attributes": {"n": n}} for n in range(1500)]
    task = operator(conns[0], metrics=many)
    space = metrics_of(conns[0])

    def stop(_name: str) -> bool:
        if len(space.points["shop"]) == 999:
            task.on_kill()
        return False

    context: Any = Context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space.faults, "rejects", stop)
        with pytest.raises(AirflowException, match="was stopped"):
            task.execute(context)
    assert len(points(conns[0])) == 1000
    again: Any = Context(try_number=2, store=context.store)
    (one,) = operator(conns[0], metrics=many).execute(again)["destinations"]
    assert (one["accepted"], one["accepted_before"]) == (1500, 1000)


def test_everything_that_a_dag_may_choose_is_a_template() -> None:
    assert set(ExportMetricsOperator.template_fields) == {
        "destinations",
        "namespace",
        "metrics",
        "otlp_json",
        "prometheus_text",
        "on_invalid",
        "min_success_ratio",
        "transport",
    }

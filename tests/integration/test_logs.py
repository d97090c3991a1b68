"""Logs of three local clouds: shipped by tasks, also retried and mapped, and queried as one."""

from __future__ import annotations

import csv
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, task

from airflow_multicloud import api
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.operators import QueryLogsOperator, ShipLogsOperator
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

from .airflow_runs import run_dag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds import LocalServer

AWS, AZURE, GCP = "aws_telemetry_local", "azure_telemetry_local", "gcp_telemetry_local"
CLOUDS = [AWS, AZURE, GCP]
#: Which of them keep an entry once that is written again with its insert id.
KEEPS_ONCE = {AWS: False, AZURE: False, GCP: True}
HOSTILE = "\x1b[2Jevil\r\nFORGED\u202e =cmd|'/c calc'!A1"


@pytest.fixture
def servers(
    local_cloudwatch: LocalServer,
    local_azure_telemetry: LocalServer,
    local_gcp_telemetry: LocalServer,
) -> Mapping[str, LocalServer]:
    return {AWS: local_cloudwatch, AZURE: local_azure_telemetry, GCP: local_gcp_telemetry}


@pytest.fixture
def log() -> str:
    return f"etl/{uuid.uuid4().hex[:12]}"


def start() -> datetime:
    return datetime.now(UTC).replace(microsecond=123456) - timedelta(minutes=5)


def refuse(server: LocalServer, error: ErrorKind, **given: Any) -> None:
    fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=error, **given)
    plant(server.endpoint, "logs", [fault])


def messages(log: str, conn_id: str, **given: Any) -> list[str]:
    found = api.query_logs([conn_id], log, window=3600, limit=None, **given)
    return [row.message for row in found.rows]


def test_one_table_has_what_was_shipped_everywhere(
    servers: Mapping[str, LocalServer], log: str
) -> None:
    first = start()
    records = [
        {"message": f"line {n}", "severity": "ERROR" if n % 10 == 0 else "INFO"} for n in range(200)
    ]
    records.append(
        {"message": HOSTILE, "severity": "FATAL", "attributes": {"key": "\u00fcber", "n": 3}}
    )
    report = api.ship_logs(CLOUDS, log, records=records, start=first, correlation_id="f" * 32)
    assert [one.accepted for one in report.destinations] == [201, 201, 201]

    found = api.query_logs(CLOUDS, log, since=first - timedelta(seconds=1), limit=None)
    assert found.count == 603
    assert [row.time for row in found.rows] == sorted(row.time for row in found.rows)
    assert {one.completeness.value for one in found.connections} <= {"complete", "partial"}
    for conn_id in CLOUDS:
        mine = [row for row in found.rows if row.conn_id == conn_id]
        assert [row.message for row in mine] == [one["message"] for one in records]
        assert [row.time for row in mine] == [first + timedelta(microseconds=n) for n in range(201)]
        assert {row.correlation_id for row in mine} == {"f" * 32}
        assert (mine[-1].severity, mine[-1].attributes["key"]) == ("FATAL", "\u00fcber")
    errors = api.query_logs(CLOUDS, log, window=3600, severity="ERROR", text="line")
    assert errors.count == 60


def test_a_cloud_without_an_answer_costs_itself(
    servers: Mapping[str, LocalServer], log: str
) -> None:
    refuse(servers[AZURE], ErrorKind.PERMISSION_DENIED)
    with pytest.raises(api.ShippingFailedError) as raised:
        api.ship_logs(CLOUDS, log, records=[{"message": "x"}], start=start())
    told = {one.conn_id: one for one in raised.value.report.destinations}
    assert (told[AWS].accepted, told[GCP].accepted, told[AZURE].rejected) == (1, 1, 1)
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_task_ships_a_file_and_another_queries_it(
    servers: Mapping[str, LocalServer], log: str, airflow_db: None, tmp_path: Path
) -> None:
    file = tmp_path / "run.log"
    file.write_text("".join(f"line {n}\n" for n in range(50)))
    with DAG(f"logs_{uuid.uuid4().hex[:8]}") as dag:
        shipped = ShipLogsOperator(
            task_id="ship", destinations=CLOUDS, log_name=log, source=str(file)
        )
        queried = QueryLogsOperator(
            task_id="query",
            connections=CLOUDS,
            log_name=log,
            since="{{ (dag_run.start_date - macros.timedelta(seconds=1)).isoformat() }}",
            until="{{ (dag_run.start_date + macros.timedelta(seconds=60)).isoformat() }}",
        )
        written = QueryLogsOperator(
            task_id="write",
            connections=CLOUDS,
            log_name=log,
            window=3600,
            destination=str(tmp_path / "rows.csv"),
        )
        shipped >> [queried, written]
    run = run_dag(dag)
    assert run.state == "success"
    report = run.xcom("ship", "logs_report")
    for one in report["destinations"]:
        assert (one["given"], one["accepted"], one["succeeded"]) == (50, 50, True)
    rows = run.xcom("query")["rows"]
    assert len(rows) == 150
    assert {
        (row["attributes"]["airflow.dag_id"], row["attributes"]["airflow.task_id"],
         row["attributes"]["airflow.run_id"]) for row in rows
    } == {(dag.dag_id, "ship", run.run_id)}  # fmt: skip
    with (tmp_path / "rows.csv").open(newline="") as lines:
        assert len([*csv.DictReader(lines)]) == 150


def test_a_retry_sends_what_is_missing_and_nothing_twice(
    servers: Mapping[str, LocalServer], log: str, airflow_db: None
) -> None:
    """Also to the clouds that keep what is written twice: Airflow remembers what arrived."""
    for conn_id in (AWS, AZURE):
        lost = DeliveryFault(kind=DeliveryFaultKind.LOSE_REQUEST, after=1)
        plant(servers[conn_id].endpoint, "logs", [lost])
    with DAG(f"logs_{uuid.uuid4().hex[:8]}") as dag:
        ShipLogsOperator(
            task_id="ship",
            destinations=CLOUDS,
            log_name=log,
            records=[{"message": f"m{n}"} for n in range(2500)],
            retries=1,
            retry_delay=timedelta(0),
        )
    run = run_dag(dag)
    assert (run.state, run.tries["ship", -1]) == ("success", 2)
    told = {one["conn_id"]: one for one in run.xcom("ship", "logs_report")["destinations"]}
    assert {conn_id: one["accepted_before"] for conn_id, one in told.items()} == {
        AWS: 1500,
        AZURE: 1500,
        GCP: 2500,
    }
    for conn_id in CLOUDS:
        assert messages(log, conn_id) == [f"m{n}" for n in range(2500)]


def test_mapped_tasks_stay_apart(
    servers: Mapping[str, LocalServer], log: str, airflow_db: None
) -> None:
    with DAG(f"logs_{uuid.uuid4().hex[:8]}") as dag:
        ShipLogsOperator.partial(
            task_id="ship", destinations=CLOUDS, log_name=log, retries=0
        ).expand(records=[[{"message": "same"}], [{"message": "same"}]])

        @task
        def by_api() -> None:
            api.ship_logs(CLOUDS, log, records=[{"message": "same"}])

        by_api()
    run = run_dag(dag)
    assert run.state == "success"
    found = api.query_logs(CLOUDS, log, window=3600)
    for conn_id in CLOUDS:
        whose = sorted(
            (row.attributes["airflow.task_id"], row.attributes.get("airflow.map_index"))
            for row in found.rows
            if row.conn_id == conn_id
        )
        assert whose == [("by_api", None), ("ship", "0"), ("ship", "1")]


@pytest.mark.parametrize("conn_id", CLOUDS)
def test_what_shipping_again_doubles_is_what_the_limits_say(
    servers: Mapping[str, LocalServer], log: str, conn_id: str
) -> None:
    first = start()
    for _ in range(2):
        api.ship_logs([conn_id], log, records=[{"message": "x"}], start=first)
    assert messages(log, conn_id) == ["x"] * (1 if KEEPS_ONCE[conn_id] else 2)


def test_json_lines_of_one_log_become_another(
    servers: Mapping[str, LocalServer], log: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    api.ship_logs([AWS], log, records=[{"message": HOSTILE}], start=start())
    api.query_logs([AWS], log, window=3600, destination=file)
    assert json.loads(file.read_text())["message"] == HOSTILE
    api.ship_logs([GCP], f"{log}/again", source=file)
    assert messages(f"{log}/again", GCP) == [HOSTILE]

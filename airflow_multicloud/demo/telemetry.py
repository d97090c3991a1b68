"""The demo's own figures and events: in the metrics and logs of three clouds, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_multicloud import api

#: Connection → the cloud's name for its metrics.
CONNECTIONS = {
    "aws_telemetry_local": "CloudWatch",
    "gcp_telemetry_local": "Cloud Monitoring",
    "azure_telemetry_local": "Azure Monitor",
}
_NAMESPACE = "airflow_multicloud"
_LOG = "drills/demo"
_REPLICA = "multicloud.replica"

#: Tells a claim and whether it holds.
Claim = Callable[..., None]


@dataclass(frozen=True)
class Figure:
    """What a DAG's export task is to have exported."""

    name: str
    value: float
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The metric, and which series of it."""
        return " ".join((self.name, *self.attributes.values()))


def read_back(figures: Sequence[Figure], console: Console, claim: Claim) -> None:
    """Ask each cloud for the figures, and compare."""
    table = Table("metric", "exported", *CONNECTIONS.values(), box=None, pad_edge=False)
    wrong = []
    for figure in figures:
        found = {conn_id: _value(conn_id, figure) for conn_id in CONNECTIONS}
        wrong += [
            f"{figure.title} of {conn_id}"
            for conn_id, value in found.items()
            if value is None or not math.isclose(value, figure.value, rel_tol=1e-9)
        ]
        values = (figure.value, *found.values())
        table.add_row(figure.title, *("-" if v is None else f"{v:,.2f}" for v in values))
    console.print(table)
    told = f"not as exported: {', '.join(wrong)}" if wrong else "as exported"
    claim(f"read back from each cloud's metrics: {told}", holds=bool(figures) and not wrong)


def _value(conn_id: str, figure: Figure) -> float | None:
    """What a cloud has; none when it has nothing, or more than one point."""
    reading = api.read_metric(
        conn_id, figure.name, namespace=_NAMESPACE, attributes=figure.attributes
    )
    return reading.points[0].total if len(reading.points) == 1 else None


@dataclass
class Drill:
    """What came of the tasks of a drill's run."""

    _results: dict[str, list[Any]] = field(default_factory=dict)
    _records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, ti: Any, value: Any, told: str) -> None:
        """Take note of a task.

        :param value: what it returned.
        :param told: the same in a line.
        """
        self._results.setdefault(ti.task_id, []).append(value)
        severity = "INFO" if str(ti.state) == "success" else "ERROR"
        evidence = value["evidence"] if ti.task_id == "judge" and value else ()
        lines = (f"{ti.task_id}: {told}", *(f"evidence: {uri}" for uri in evidence))
        when = {"time": ti.end_date.isoformat(), "severity": severity}
        self._records += [{**when, "message": line} for line in lines]

    @property
    def verdict(self) -> str | None:
        """The drill's."""
        judged = self._one("judge")
        return judged and str(judged["verdict"])

    def read_back(self, console: Console, claim: Claim) -> None:
        """Ask the clouds for some of the run's figures."""
        sent: dict[str, int] = {}
        for task in ("replicate", "replicate_canary"):
            for one in (self._one(task) or {"destinations": ()})["destinations"]:
                sent[one["uri"]] = sent.get(one["uri"], 0) + one["bytes_written"]
        figures = [
            Figure("multicloud.replication.bytes", size, {_REPLICA: uri})
            for uri, size in sent.items()
        ]
        if canary := self._one("canary"):
            written = datetime.fromisoformat(canary["written_at"])
            for one in self._results.get("verify", ()):
                lag = (written - datetime.fromisoformat(one["as_of"])).total_seconds()
                where = {_REPLICA: one["replica"]}
                figures.append(Figure("multicloud.replication.lag", lag, where))
        if (judged := self._one("judge")) and judged["rto_seconds"] is not None:
            figures.append(Figure("multicloud.drill.rto", judged["rto_seconds"]))
        read_back(figures, console, claim)

    def ship_and_query(self, console: Console, claim: Claim) -> None:
        """Write what happened to three clouds' logs, and ask for it by the drill's id."""
        drill_id = (self._one("canary") or {}).get("drill_id")
        report = api.ship_logs(
            list(CONNECTIONS), _LOG, records=self._records, correlation_id=drill_id
        )
        found = api.query_logs(
            list(CONNECTIONS), _LOG, window=timedelta(hours=1), correlation_id=drill_id
        )
        table = Table("time", "cloud", "severity", "message", box=None, pad_edge=False)
        for row in found.rows:
            if row.message.startswith("judge: "):
                table.add_row(f"{row.time:%H:%M:%S.%f}", row.cloud, row.severity, row.message)
        console.print(table)
        of_each = {cloud: [r for r in found.rows if r.cloud == cloud] for cloud in _clouds(found)}
        as_written = [record["message"] for record in self._records]
        claim(
            f"{len(as_written)} lines shipped to each cloud's logs; asked for by the drill's id, "
            f"they are one table of {found.count} rows (the verdict's are above)",
            holds=report.succeeded
            and found.complete
            and len(of_each) == len(CONNECTIONS)
            and all(
                sorted(r.message for r in rows) == sorted(as_written) for rows in of_each.values()
            ),
        )

    def _one(self, task: str) -> Any:
        return next(iter(self._results.get(task, ())), None)


def _clouds(found: api.LogQueryResult) -> list[str]:
    return [one.cloud for one in found.connections]

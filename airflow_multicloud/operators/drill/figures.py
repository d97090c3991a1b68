"""The figures of a drill's run, for the task that exports them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from airflow_multicloud.operators.metrics.run_reports import RunReports

_REPLICATION = "multicloud.replication"
_DRILL = "multicloud.drill"


def drill_figures(
    ti: Any,
    *,
    judge: str = "judge",
    canary: str = "canary",
    verify: str = "verify",
    replications: tuple[str, ...] = ("replicate", "replicate_canary"),
) -> list[dict[str, Any]]:
    """The figures of a run, as an ``ExportMetricsOperator`` takes them.

    What was not measured is left out. Make it a macro of the DAG (``user_defined_macros``).

    :param ti: the variable ``ti`` of the templates.
    :param judge: the id of the judging task; the others likewise.
    """
    reports = RunReports(ti)
    found = [
        {"name": f"{_DRILL}.success", "value": int(reports.succeeded)},
        *_judged(reports.of(judge, "report") or {}),
        *_replicated([reports.of(one, "report") or {} for one in replications]),
        *_lags(reports, canary, verify),
    ]
    return [one for one in found if one["value"] is not None]


def _judged(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("rto", "rpo"):
        seconds = told.get(f"{name}_seconds")
        yield {"name": f"{_DRILL}.{name}", "value": seconds, "unit": "s"}
    for name, seconds in (told.get("phases") or {}).items():
        where = {"multicloud.phase": name.removesuffix("_seconds")}
        yield {"name": f"{_DRILL}.phase", "value": seconds, "unit": "s", "attributes": where}
    for age, count in (told.get("ages") or {}).items():
        where = {"multicloud.age": age}
        yield {"name": f"{_DRILL}.objects", "value": count, "attributes": where}


def _replicated(told: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    sent: Counter[str] = Counter()
    objects: Counter[tuple[str, str]] = Counter()
    for one in (one for report in told for one in report.get("destinations", ())):
        sent[one["uri"]] += one["bytes_written"]
        for outcome, count in one["outcomes"].items():
            objects[one["uri"], outcome] += count
    counted = {"type": "counter"}
    for uri, size in sent.items():
        where = {"multicloud.replica": uri}
        name = f"{_REPLICATION}.bytes"
        yield {**counted, "name": name, "value": size, "unit": "By", "attributes": where}
    for (uri, outcome), count in objects.items():
        where = {"multicloud.replica": uri, "multicloud.outcome": outcome}
        yield {**counted, "name": f"{_REPLICATION}.objects", "value": count, "attributes": where}


def _lags(reports: RunReports, canary: str, verify: str) -> Iterator[dict[str, Any]]:
    """How old each replica's proven state was when the canary was written."""
    written: str = (reports.of(canary) or {}).get("written_at", "")
    for one in reports.of_each(verify, "report") if written else ():
        as_of = datetime.fromisoformat(one["as_of"] or written)
        lag = (datetime.fromisoformat(written) - as_of).total_seconds()
        # Else nobody knows it, or a clock is ahead.
        if lag > 0:
            where = {"multicloud.replica": one["replica"]}
            name = f"{_REPLICATION}.lag"
            yield {"name": name, "value": lag, "unit": "s", "attributes": where}

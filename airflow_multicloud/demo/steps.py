"""What the tasks of the three pipelines returned, each in a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Step:
    """A task of a run that has ended.

    :param value: what it returned.
    :param told: the same in a line.
    """

    ti: Any
    value: Any
    told: str


def steps_of(run: Any) -> list[Step]:
    """What the tasks of a run did, in their order; those that were skipped did nothing."""
    ran = [ti for ti in run.get_task_instances() if str(ti.state) != "skipped"]
    return [*map(_step, sorted(ran, key=lambda ti: (ti.start_date, ti.map_index)))]


def table_of(steps: list[Step]) -> Table:
    """The summary of a run: a line for each task that has something to tell, or has failed."""
    table = Table("task", "what happened", "seconds", box=None, pad_edge=False)
    for step in steps:
        if step.told != "success":
            table.add_row(step.ti.task_id, step.told, f"{step.ti.duration:.1f}")
    return table


def values_of(steps: list[Step]) -> dict[str, Any]:
    """Task → what it returned."""
    return {step.ti.task_id: step.value for step in steps}


def _step(ti: Any) -> Step:
    value = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
    tell = _TOLD.get(ti.task_id.rpartition(".")[2])
    told = tell(value) if tell is not None and value is not None else None
    return Step(ti, value, told or str(ti.state))


def _asked(value: dict[str, Any]) -> str:
    return (
        f"{value['allowed']} permissions allowed, {value['denied']} denied, {value['unknown']} "
        "not known"
    )


def _replicated(value: dict[str, Any]) -> str:
    outcomes = "; ".join(
        f"{d['uri'].partition('://')[0]}: "
        + ", ".join(f"{n} {outcome}" for outcome, n in d["outcomes"].items())
        for d in value["destinations"]
    )
    read = f"{value['bytes_read'] / 1e6:.1f} MB read once"
    root = value["root"] and f"{value['root'][:12]}…"
    return f"{outcomes}; {read}; root {root}"


def _verified(value: dict[str, Any]) -> str:
    findings = ", ".join(f"{n} {finding}" for finding, n in value["findings"].items())
    return f"{value['replica']}: {findings}; root {value['content'][:12]}…"


def _written(value: dict[str, Any]) -> str:
    return f"written at {value['written_at'][11:23]}, SHA-256 {value['sha256'][:12]}…"


def _recovered(value: dict[str, Any]) -> str:
    served = ", ".join(f"{n} from {uri}" for uri, n in value["recovered"]["served"].items())
    controls = ", ".join(sorted({c["outcome"] for c in value["controls"]}))
    return f"primary {value['fault']}; recovered {served}; a corrupt copy was {controls}"


def _judged(value: dict[str, Any]) -> str:
    times = {name: value[f"{name.lower()}_seconds"] for name in ("RTO", "RPO")}
    told = ", ".join(f"{n} {'none' if t is None else f'{t:.1f} s'}" for n, t in times.items())
    return f"{value['verdict']}: {told}"


def _exported(value: dict[str, Any]) -> str:
    told = (f"{d['accepted']} of {d['points_in']} at {d['cloud']}" for d in value["destinations"])
    return f"the run's figures: {', '.join(told)}"


def _uploaded(value: dict[str, Any]) -> str:
    copies = (value["replication"] or {"destinations": ()})["destinations"]
    replicas = " and ".join(one["uri"].partition("://")[0] for one in copies)
    return f"{value['uri']}, SHA-256 {value['sha256'][:12]}…; replicated to {replicas}"


def _planned(value: dict[str, Any]) -> str:
    from airflow_multicloud import api

    plan = api.MultiCloudPlan.of(value)
    return f"plan {plan.hash[:12]}…: {plan.cost_preview}"


def _deployed(value: dict[str, Any]) -> str:
    each = (f"{one['name']} {one['outcome']}" for one in value["targets"])
    return f"revision {value['revision']}: {', '.join(each)}"


def _well(value: dict[str, Any]) -> str:
    slots = sum(map(len, value["targets"].values()))
    return f"{slots} instances well; {len(value['drift']) or 'no'} drift"


def _kept(value: dict[str, Any]) -> str:
    return (
        f"{value['verdict']}: {value['uri'].rpartition('/')[0]}/…, SHA-256 {value['sha256'][:12]}…"
    )


def _ingested(value: list[dict[str, Any]]) -> str:
    return f"{sum(one['days_written'] for one in value)} days of {len(value)} months written"


def _compared(value: dict[str, Any]) -> str:
    each = (f"{one['cloud']} {Decimal(one['BilledCost']):.2f}" for one in value["clouds"])
    return f"billed in {value['currency']}: {', '.join(each)}"


def _anomalies(value: dict[str, Any]) -> str:
    return f"{value['anomaly_count']} anomalies"


def _priced(value: dict[str, Any]) -> str:
    return f"cheapest for the workload: {value['cheapest']}"


def _gated(value: dict[str, Any]) -> str:
    projected, amount = (Decimal(value[name]) for name in ("projected", "amount"))
    return f"{value['state']}: {projected:.2f} of {amount:.2f} {value['currency']}"


def _advised(value: dict[str, Any]) -> str:
    saved = f"{Decimal(value['resource_savings']):.2f} {value['currency']}"
    return f"{value['recommendations']} recommendations: {saved} a month to save on resources"


def _reported(value: dict[str, Any]) -> str:
    return f"{len(value['files'])} files, in total {value['total']} {value['currency']}"


_TOLD: dict[str, Callable[[Any], str]] = {
    "preflight": _asked,
    "replicate": _replicated,
    "replicate_canary": _replicated,
    "verify": _verified,
    "canary": _written,
    "recover": _recovered,
    "judge": _judged,
    "export": _exported,
    "upload": _uploaded,
    "plan": _planned,
    "deploy": _deployed,
    "health": _well,
    "summary_page": _kept,
    "ingest": _ingested,
    "compare": _compared,
    "anomalies": _anomalies,
    "workload": _priced,
    "budget": _gated,
    "recommend": _advised,
    "report": _reported,
}

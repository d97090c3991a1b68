"""What the tasks of a drill have told by the time when it is judged, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_multicloud.core.drill.parts import Part
from airflow_multicloud.operators.drill.beside import (
    database_parts,
    deployment_parts,
    secret_parts,
    with_serving,
)
from airflow_multicloud.operators.metrics.run_reports import RunReports

#: How many of preflight's permissions are named.
_NAMED = 3
_BAD = ("failed", "upstream_failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What is known of a drill.

    :param measurement: what recovering has returned; ``None``: it did not come to that.
    :param before: what was wrong before anything was done, a sentence each.
    :param parts: what was drilled besides objects.
    :param states: what became of each task.
    """

    measurement: Mapping[str, Any] | None
    canary: Mapping[str, Any] | None
    verification: Sequence[Mapping[str, Any]]
    replication: Sequence[Mapping[str, Any]]
    before: Sequence[str] = ()
    parts: Sequence[Part] = ()
    states: Mapping[str, str] = field(default_factory=dict)

    def why_unmeasured(self) -> str:
        """Why there is no measurement, in a sentence."""
        if self.before:
            return f"The drill was not begun: {'; '.join(self.before)}."
        bad = [f"{name}: {state}" for name, state in self.states.items() if state in _BAD]
        told = f" ({', '.join(bad)})" if bad else ""
        return f"The drill ended before anything was measured{told}."


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTasks:
    """The full ids of a drill's tasks; an empty one: there is none.

    :param secrets: of the synchronisation.
    :param secrets_canary: that writes the canary secret.
    :param secrets_copies: that looks for it.
    :param database: the beginning of the ids of ``snapshot``, ``restore``, ``verify`` and
        ``remove``.
    :param deployment: likewise of ``choose``, ``deploy`` and ``remove``.
    """

    reachable: str = ""
    preflight: str = ""
    replicate: str = ""
    verify: str = ""
    canary: str = ""
    replicate_canary: str = ""
    recover: str = ""
    secrets: str = ""
    secrets_canary: str = ""
    secrets_copies: str = ""
    database: str = ""
    deployment: str = ""


def steps_of(reports: RunReports, tasks: DrillTasks) -> Steps:
    """What the tasks of this run have told."""
    replications = [
        reports.of(one, "report") for one in (tasks.replicate, tasks.replicate_canary) if one
    ]
    before = list(_before(reports, tasks))
    return Steps(
        measurement=with_serving(reports, reports.of(tasks.recover), tasks.deployment),
        canary=reports.of(tasks.canary),
        verification=[one for one in reports.of_each(tasks.verify, "report") if one],
        replication=[one for one in replications if one],
        before=before,
        parts=[] if before else list(_parts(reports, tasks)),
        states=reports.states,
    )


def _before(reports: RunReports, tasks: DrillTasks) -> Iterator[str]:
    if reports.states.get(tasks.reachable) == "failed":
        yield "no replica is in reach"
    if reports.states.get(tasks.preflight) != "failed":
        return
    told = reports.of(tasks.preflight, "report")
    if not told:
        yield "preflight failed: what is allowed could not be asked"
        return
    refused = [one for one in told["permissions"] if one["decision"] != "allow"]
    needed = [one for one in refused if not one["without"]] or refused
    for one in needed[:_NAMED]:
        what = f"{one['conn_id']}: {one['permission']} on {one['resource']}"
        yield f"preflight: {what}: {one['decision']} ({one['reason']})"
    if more := len(needed) - _NAMED if len(needed) > _NAMED else 0:
        yield f"preflight: {more} more permissions"


def _parts(reports: RunReports, tasks: DrillTasks) -> Iterator[Part]:
    yield from secret_parts(
        reports, sync=tasks.secrets, write=tasks.secrets_canary, check=tasks.secrets_copies
    )
    if tasks.database:
        yield from database_parts(reports, tasks.database)
    if tasks.deployment:
        yield from deployment_parts(reports, tasks.deployment)

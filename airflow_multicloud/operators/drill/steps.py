"""What the tasks of a drill have told by the time when it is judged, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
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

    :param database: the beginning of the ids of ``snapshot``, ``restore``, ``verify`` and
        ``remove``.
    """

    reachable: str = ""
    preflight: str = ""
    replicate: str = ""
    verify: str = ""
    canary: str = ""
    replicate_canary: str = ""
    recover: str = ""
    secrets: str = ""
    database: str = ""


def steps_of(reports: RunReports, tasks: DrillTasks) -> Steps:
    """What the tasks of this run have told."""
    replications = [
        reports.of(one, "report") for one in (tasks.replicate, tasks.replicate_canary) if one
    ]
    before = list(_before(reports, tasks))
    return Steps(
        measurement=reports.of(tasks.recover),
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
    state = reports.states.get(tasks.secrets, "skipped")
    if state != "skipped":
        told = reports.of(tasks.secrets, "secrets_report") or {}
        to = ", ".join(one["conn_id"] for one in told.get("destinations", ()))
        shown = state == "success"
        said = f"equal at {to}" if shown else f"{tasks.secrets}: {state}"
        yield _part(PartKind.SECRETS, said, shown=shown)
    if not tasks.database:
        return
    states = {
        name: reports.states.get(f"{tasks.database}.{name}", "not run")
        for name in ("snapshot", "restore", "verify", "remove")
    }
    if states["snapshot"] == "skipped":
        return
    yield _database(states, reports.of(f"{tasks.database}.verify", "database_verification"))
    if states["restore"] in ("success", "failed"):
        removed = reports.of(f"{tasks.database}.remove")
        yield _removed(states["remove"], removed)


def _database(states: Mapping[str, str], verified: Mapping[str, Any] | None) -> Part:
    outcomes = (verified or {}).get("outcomes", {})
    counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count)
    if states["verify"] == "success":
        said = f"restored from a new snapshot, and verified by SQL: {counted}"
        return _part(PartKind.DATABASE, said, shown=True)
    done = ("snapshot", "restore", "verify")
    name, state = next((name, states[name]) for name in done if states[name] != "success")
    said = f"{name}: {state}{f' ({counted})' if counted else ''}"
    return _part(PartKind.DATABASE, said, shown=False)


def _removed(state: str, told: Mapping[str, Any] | None) -> Part:
    if told is None or state != "success":
        said = f"what was restored is perhaps still there: remove: {state}"
        return _part(PartKind.CLEANUP, said, shown=False)
    names = ", ".join(one["name"] for one in told["removed"]) or "nothing"
    said = f"removed: {names}; a listing at {told['listed_at']} shows no restored database"
    return _part(PartKind.CLEANUP, said, shown=True)


def _part(kind: PartKind, said: str, *, shown: bool) -> Part:
    return Part(kind, PartOutcome.SHOWN if shown else PartOutcome.FAILED, said)

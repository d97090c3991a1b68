"""What the tasks beside a drill have told: of secrets, of a database and of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
from airflow_multicloud.core.drill.secret_canary import CopyState
from airflow_multicloud.core.drill.serving import SERVING_KEY
from airflow_multicloud.operators.metrics.run_reports import RunReports

_NOT_RUN = "not run"


def secret_parts(reports: RunReports, *, sync: str, write: str, check: str) -> Iterator[Part]:
    """What became of the secrets, and of the canary among them.

    :param sync: the id of the synchronising task; so are ``write`` and ``check`` of those that
        write the canary secret and look for it. Empty: there is none.
    """
    if write:
        yield from _canary_written(reports, write)
    state = reports.states.get(sync, "skipped")
    if state != "skipped":
        told = reports.of(sync, "secrets_report") or {}
        destinations = told.get("destinations", ())
        to = ", ".join(one["conn_id"] for one in destinations)
        shown = state == "success"
        said = f"equal at {to}" if shown else f"{sync}: {state}{_unequal(destinations)}"
        yield _part(PartKind.SECRETS, said, shown=shown)
    if check and reports.states.get(write) == "success":
        yield from _canary_copies(reports, check)


def _unequal(destinations: Iterable[Mapping[str, Any]]) -> str:
    """Where secrets could not be made equal, and how many."""
    said = []
    for one in destinations:
        counted = ", ".join(f"{one[what]} {what}" for what in ("conflict", "failed") if one[what])
        if why := one["error"] or counted:
            said.append(f"{one['conn_id']}: {why}")
    return f" ({'; '.join(said)})" if said else ""


def _canary_written(reports: RunReports, task: str) -> Iterator[Part]:
    state = reports.states.get(task, "skipped")
    if state not in ("skipped", "success"):
        told = reports.of(task, "canary_secret") or {}
        problem, store = told.get("problem"), told.get("conn_id")
        said = f"{store}: the canary was not written: {problem}" if problem else f"{task}: {state}"
        yield _part(PartKind.SECRETS, said, shown=False)


def _canary_copies(reports: RunReports, task: str) -> Iterator[Part]:
    told = reports.of(task, "canary_copies")
    if told is None:
        said = f"{task}: {reports.states.get(task, _NOT_RUN)}"
        yield _part(PartKind.SECRETS, said, shown=False)
        return
    for one in told["copies"]:
        said = f"{one['conn_id']}: {one['detail']}"
        yield _part(PartKind.SECRETS, said, shown=one["state"] == CopyState.SAME)


def database_parts(reports: RunReports, group: str) -> Iterator[Part]:
    """What became of the database, and of what was restored.

    :param group: the beginning of the tasks' ids.
    """
    states = {
        name: reports.states.get(f"{group}.{name}", _NOT_RUN)
        for name in ("snapshot", "restore", "verify", "remove")
    }
    if states["snapshot"] == "skipped":
        return
    yield _database(states, reports.of(f"{group}.verify", "database_verification"))
    if states["restore"] in ("success", "failed"):
        removed = reports.of(f"{group}.remove")
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


def deployment_parts(reports: RunReports, group: str) -> Iterator[Part]:
    """What became of the deployment, and of what it has made.

    :param group: the beginning of the tasks' ids: of ``choose``, ``deploy`` and ``remove``.
    """
    states = {
        name: reports.states.get(f"{group}.{name}", _NOT_RUN)
        for name in ("choose", "deploy", "remove")
    }
    if states["choose"] == "skipped":
        return
    serving = reports.of(f"{group}.deploy", SERVING_KEY)
    report = reports.of(f"{group}.deploy", "deployment_report") or {}
    yield from _deployment(states["deploy"], serving, report)
    # Before the targets were chosen nothing can have been made.
    if states["choose"] == "success":
        yield _torn_down(states["remove"], reports.of(f"{group}.remove", "teardown_report"))


def _deployment(
    state: str, serving: Mapping[str, Any] | None, report: Mapping[str, Any]
) -> Iterator[Part]:
    if state == "success" and serving is not None:
        shown = serving["serving_again_seconds"] is not None
        yield _part(PartKind.DEPLOYMENT, serving["told"], shown=shown)
        return
    bad = [one for one in report.get("targets", ()) if one["error"]]
    for one in bad:
        said = f"{one['name']}: {one['outcome']}: {one['error']}"
        yield _part(PartKind.DEPLOYMENT, said, shown=False)
    if not bad:
        yield _part(PartKind.DEPLOYMENT, f"deploy: {state}", shown=False)


def _torn_down(state: str, told: Mapping[str, Any] | None) -> Part:
    places = (told or {}).get("places", ())
    left = [
        f"{one['conn_id']}: {', '.join(one['left']) or one['error']}"
        for one in places
        if one["state"] != "clean"
    ]
    if state != "success" or told is None or left:
        which = f" ({'; '.join(left)})" if left else ""
        said = f"what was deployed is perhaps still there{which}: remove: {state}"
        return _part(PartKind.CLEANUP, said, shown=False)
    count = told["removed"]
    what = f"{count} instance{'' if count == 1 else 's'}"
    said = f"removed: {what} of {told['deployment_id']}"
    for one in places:
        said += f"; a listing at {one['listed_at']} shows none at {one['conn_id']}"
    return _part(PartKind.CLEANUP, said, shown=True)


def with_serving(
    reports: RunReports, measurement: Mapping[str, Any] | None, group: str
) -> Mapping[str, Any] | None:
    """The measurement with the moment when what was deployed served, where that was seen."""
    told = reports.of(f"{group}.deploy", SERVING_KEY) if group else None
    if measurement is None or told is None or measurement.get("phases") is None:
        return measurement
    again = {"serving_again_seconds": told["serving_again_seconds"]}
    return {**measurement, "phases": {**measurement["phases"], **again}}


def _part(kind: PartKind, said: str, *, shown: bool) -> Part:
    return Part(kind, PartOutcome.SHOWN if shown else PartOutcome.FAILED, said)

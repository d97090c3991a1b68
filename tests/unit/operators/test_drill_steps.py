"""What the judge of a drill is told of the run's tasks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string

from airflow_multicloud.core.drill.parts import PartKind, PartOutcome
from airflow_multicloud.operators.drill.deadline import drill_deadline
from airflow_multicloud.operators.drill.steps import DrillTasks, Steps, steps_of
from airflow_multicloud.operators.metrics.run_reports import RunReports
from tests.unit.metrics.test_run_reports import Asking

TASKS = DrillTasks(
    reachable="reachable_replicas",
    preflight="preflight",
    replicate="replicate",
    verify="verify",
    canary="canary",
    replicate_canary="replicate_canary",
    recover="recover",
    secrets="sync_secrets",
    secrets_canary="canary_secret",
    secrets_copies="canary_copies",
    database="database",
    deployment="deployment",
)
OK = {
    **dict.fromkeys(("preflight", "replicate", "verify_0", "canary", "recover"), "success"),
    **dict.fromkeys(("sync_secrets", "database.snapshot", "deployment.choose"), "skipped"),
}


def steps(states: dict[str, str | None], told: dict[str, Any] | None = None) -> Steps:
    xcoms = {(name, 0 if name.startswith("verify.") else -1): v for name, v in (told or {}).items()}
    return steps_of(RunReports(Asking(states, xcoms)), TASKS)


def parts(states: dict[str, str | None], told: dict[str, Any] | None = None) -> dict[str, str]:
    found = steps({**OK, **states}, told).parts
    return {f"{one.kind} {one.outcome}": one.detail for one in found}


def test_what_was_told_is_taken_and_nothing_of_an_earlier_time() -> None:
    told = {
        "recover.return_value": {"fault": "x"},
        "canary.return_value": {"sha256": "y"},
        "replicate.report": {"run_id": "r"},
        "replicate_canary.report": {"run_id": "of before it was cleared"},
        "verify.report": {"proven": True},
    }
    found = steps({**OK, "replicate_canary": "upstream_failed"}, told)
    assert (found.measurement, found.canary) == ({"fault": "x"}, {"sha256": "y"})
    assert (found.replication, found.verification) == ([{"run_id": "r"}], [{"proven": True}])
    assert (found.before, found.parts) == ([], [])
    assert found.states["replicate_canary"] == "upstream_failed"


def test_a_drill_that_ended_early_says_where() -> None:
    found = steps({"preflight": "success", "replicate": "failed", "recover": None})
    assert found.measurement is None
    assert found.why_unmeasured() == (
        "The drill ended before anything was measured (replicate: failed)."
    )


def test_what_preflight_refused_was_so_before() -> None:
    def row(permission: str, decision: str, without: str = "") -> dict[str, str]:
        asked = {"conn_id": "c", "permission": permission, "resource": "r"}
        return {**asked, "decision": decision, "reason": "why", "without": without}

    rows = [row("a", "deny"), row("b", "deny", "little"), row("c", "allow"), row("d", "unknown")]
    found = steps({"preflight": "failed"}, {"preflight.report": {"permissions": rows}})
    assert found.before == [
        "preflight: c: a on r: deny (why)",
        "preflight: c: d on r: unknown (why)",
    ]
    assert found.why_unmeasured().startswith("The drill was not begun: preflight: c: a on r: deny")
    many = [row(str(number), "deny") for number in range(5)]
    found = steps({"preflight": "failed"}, {"preflight.report": {"permissions": many}})
    assert found.before[3:] == ["preflight: 2 more permissions"]
    assert steps({"preflight": "failed"}).before == [
        "preflight failed: what is allowed could not be asked"
    ]
    assert steps({"reachable_replicas": "failed"}).before == ["no replica is in reach"]


def test_secrets() -> None:
    fine = {"conflict": 0, "failed": 0, "error": None}
    destinations = [{**fine, "conn_id": "a"}, {**fine, "conn_id": "b"}]
    told = {"sync_secrets.secrets_report": {"destinations": destinations}}
    assert parts({"sync_secrets": "success"}, told) == {"secrets shown": "equal at a, b"}
    assert parts({"sync_secrets": "failed"}, told) == {"secrets failed": "sync_secrets: failed"}
    destinations[0] |= {"conflict": 1, "failed": 2}
    destinations[1]["error"] = "it can't be used"
    assert parts({"sync_secrets": "failed"}, told) == {
        "secrets failed": "sync_secrets: failed (a: 1 conflict, 2 failed; b: it can't be used)"
    }


def test_the_canary_secret() -> None:
    done: dict[str, str | None] = dict.fromkeys(
        ("canary_secret", "sync_secrets", "canary_copies"), "success"
    )
    copies = [
        {"conn_id": "a", "state": "same", "detail": "has it"},
        {"conn_id": "b", "state": "missing", "detail": "x is missing"},
    ]
    told = {"canary_copies.canary_copies": {"copies": copies}}
    found = steps({**OK, **done, "canary_copies": "failed"}, told).parts
    assert [(one.outcome, one.detail) for one in found[1:]] == [
        (PartOutcome.SHOWN, "a: has it"),
        (PartOutcome.FAILED, "b: x is missing"),
    ]
    # What looks for it has told nothing, or of the time before the run was cleared.
    unknown = {"secrets shown": "equal at ", "secrets failed": "canary_copies: upstream_failed"}
    assert parts({**done, "canary_copies": "upstream_failed"}, told) == unknown
    refused = {"canary_secret.canary_secret": {"conn_id": "p", "problem": "already_exists: x"}}
    after = dict.fromkeys(("sync_secrets", "canary_copies"), "upstream_failed")
    found = steps({**OK, "canary_secret": "failed", **after}, refused).parts
    assert [one.detail for one in found] == [
        "p: the canary was not written: already_exists: x",
        "sync_secrets: upstream_failed",
    ]
    found = steps({**OK, "canary_secret": "failed", **after}).parts
    assert found[0].detail == "canary_secret: failed"


def test_a_deployment_and_what_is_left_of_it() -> None:
    done: dict[str, str | None] = {
        f"deployment.{name}": "success" for name in ("choose", "deploy", "remove")
    }
    place = {"conn_id": "c", "state": "clean", "left": [], "error": None, "listed_at": "then"}
    gone = {"deployment_id": "drill-x", "removed": 1, "places": [place]}
    told: dict[str, Any] = {
        "recover.return_value": {"phases": {"detect_seconds": 1.0}},
        "deployment.deploy.drill_deployment": {"told": "it serves", "serving_again_seconds": 9.5},
        "deployment.remove.teardown_report": gone,
    }
    found = steps({**OK, **done}, told)
    assert found.measurement == {"phases": {"detect_seconds": 1.0, "serving_again_seconds": 9.5}}
    assert parts(done, told) == {
        "deployment shown": "it serves",
        "cleanup shown": "removed: 1 instance of drill-x; a listing at then shows none at c",
    }
    # Clocks disagree: it serves, and nobody knows since when.
    none = {"told": "clocks disagree", "serving_again_seconds": None}
    untold = {**told, "deployment.deploy.drill_deployment": none}
    assert parts(done, untold)["deployment failed"] == "clocks disagree"

    targets = [
        {"name": "one", "outcome": "succeeded", "error": None},
        {"name": "two", "outcome": "failed", "error": "no capacity"},
    ]
    left = [{**place, "state": "failed", "left": ["i-1"]}]
    told |= {
        "deployment.deploy.drill_deployment": none,
        "deployment.deploy.deployment_report": {"targets": targets},
        "deployment.remove.teardown_report": {**gone, "places": left},
    }
    states = {**done, "deployment.deploy": "failed", "deployment.remove": "failed"}
    assert parts(states, told) == {
        "deployment failed": "two: failed: no capacity",
        "cleanup failed": "what was deployed is perhaps still there (c: i-1): remove: failed",
    }
    # It did not come to that; what was never begun leaves nothing.
    assert parts({"deployment.choose": "failed", "deployment.deploy": "upstream_failed"}) == {
        "deployment failed": "deploy: upstream_failed"
    }
    never = {**done, "deployment.deploy": "upstream_failed"}
    assert "cleanup failed" in parts({**never, "deployment.remove": "upstream_failed"})
    measured = steps({**OK, **never}, told).measurement
    assert measured == {"phases": {"detect_seconds": 1.0}}


def test_a_database_and_what_is_left_of_it() -> None:
    done: dict[str, str | None] = {
        f"database.{name}": "success" for name in ("snapshot", "restore", "verify", "remove")
    }
    told = {
        "database.verify.database_verification": {"outcomes": {"passed": 2, "failed": 0}},
        "database.remove.return_value": {"removed": [{"name": "x"}], "listed_at": "then"},
    }
    assert parts(done, told) == {
        "database shown": "restored from a new snapshot, and verified by SQL: 2 passed",
        "cleanup shown": "removed: x; a listing at then shows no restored database",
    }
    found = steps({**OK, **done, "database.verify": "failed", "database.remove": "failed"}, told)
    assert [(one.kind, one.outcome) for one in found.parts] == [
        (PartKind.DATABASE, PartOutcome.FAILED),
        (PartKind.CLEANUP, PartOutcome.FAILED),
    ]
    assert found.parts[0].detail == "verify: failed (2 passed)"
    assert "perhaps still there" in found.parts[1].detail
    # Nothing was restored that could be left.
    assert parts({"database.snapshot": "failed", "database.restore": "upstream_failed"}) == {
        "database failed": "snapshot: failed"
    }


def test_a_late_drill_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    alert = drill_deadline(timedelta(hours=2))
    assert alert.interval == timedelta(hours=2)
    callback = import_string(alert.callback.path)
    run = {"dag_id": "disaster_recovery", "run_id": "r1"}
    asyncio.run(callback(**alert.callback.kwargs, context={"dag_run": run}))
    assert "the drill disaster_recovery, run r1, has not ended 2:00:00 after" in caplog.text
    other = drill_deadline(timedelta(hours=1), "a.b", {"text": "late"})
    assert (other.callback.path, other.callback.kwargs) == ("a.b", {"text": "late"})

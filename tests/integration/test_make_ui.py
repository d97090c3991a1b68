"""``make ui``: the three pipelines run, and the page Multi-cloud shows what came of them.

One Airflow for the whole module, which is told nothing: all that the pages show, real runs on the
local clouds have reported. What its tests change, the last ones do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from airflow_multicloud.core.pages import duration, money

from .browser import browser, chromium
from .made_ui import MadeUi, make_ui
from .ui_browser import ways_to_look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .browser import Page

_PROGRAM = chromium()
pytestmark = pytest.mark.skipif(
    _PROGRAM is None, reason="no chromium, chromium-browser or google-chrome is on PATH"
)
PIPELINES = ("disaster_recovery", "nightly_cost", "release")
CLOUDS = ("aws", "azure", "gcp")
_ROWS = """
[...document.querySelectorAll('#' + %s + ' tbody tr, #' + %s + ' > tr')]
  .filter(row => row.cells[0].closest('thead') === null)
  .map(row => [...row.cells].map(cell => cell.innerText.trim()))
"""


@dataclass(frozen=True)
class Ran:
    """The pipelines' runs, and a browser that somebody is signed in with."""

    ui: MadeUi
    page: Page
    runs: dict[str, dict[str, Any]]

    def told(self, dag_id: str, task_id: str, key: str, map_index: int = -1) -> Any:
        return self.ui.told(self.runs[dag_id], task_id, key, map_index)

    def open(self, path: str) -> None:
        self.page.problems.clear()
        self.page.open(f"{self.ui.url}/multicloud{path}", cookie=("_token", self.ui.token))
        assert self.page.problems == []

    def rows(self, table: str) -> list[list[str]]:
        name = json.dumps(table)
        found: list[list[str]] = self.page.evaluate(_ROWS % (name, name))
        return found

    def text(self) -> str:
        return str(self.page.evaluate("document.querySelector('main').innerText"))

    def judge(self, kind: str) -> str:
        run_id = quote(self.runs["disaster_recovery"]["dag_run_id"], safe="")
        return f"/{kind}/disaster_recovery/{run_id}/judge/-1"


@pytest.fixture(scope="module")
def ran(servers_of_ui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    assert _PROGRAM is not None
    profile = tmp_path_factory.mktemp("profile")
    with make_ui(tmp_path_factory.mktemp("made")) as ui, browser(_PROGRAM, profile) as page:
        ui.until("Airflow", ui.sign_in)
        runs = {one: ui.until(f"{one} ended", partial(ui.ended_run, one)) for one in PIPELINES}
        yield Ran(ui, page, runs)


def test_the_pipelines_succeed(ran: Ran) -> None:
    for dag_id, run in ran.runs.items():
        assert len(ran.ui.ask("GET", f"dags/{dag_id}/dagRuns")["dag_runs"]) == 1
        states = {
            (one["task_id"], one["map_index"]): one["state"]
            for one in ran.ui.tasks(run)
            if one["state"] != "success"
        }
        assert run["state"] == "success", states
        # What nobody asked for in the params.
        assert {task_id for task_id, _ in states} <= _BESIDE, (dag_id, states)


_BESIDE = {
    *("canary_secret", "sync_secrets", "canary_copies", "approve"),
    *(f"database.{name}" for name in ("snapshot", "restore", "verify", "remove")),
    *(f"deployment.{name}" for name in ("choose", "deploy", "remove")),
}


def test_replicas(ran: Ran) -> None:
    ran.open("/replicas")
    rows = {row[0]: row for row in ran.rows("replicas")}
    verified = [ran.told("disaster_recovery", "verify", "report", n) for n in (0, 1)]
    whole = ran.told("disaster_recovery", "replicate", "report")
    assert rows.keys() == {one["replica"] for one in verified}
    for one in verified:
        _, lag, proven, objects, findings, at, replicated, drill = rows[one["replica"]]
        assert "within 1 h" in lag
        assert proven.splitlines()[0] == str(one["commit"])
        assert one["ledger_root"][:12] in proven
        assert objects.splitlines()[0] == f"{one['objects']:,}" == f"{whole['objects']:,}"
        assert findings == "none"
        assert "disaster_recovery" in at
        assert "disaster_recovery" in replicated
        assert drill.startswith("PASSED")


def test_drills(ran: Ran) -> None:
    judged = ran.told("disaster_recovery", "judge", "report")
    ran.open("/drills")
    ((at, verdict, rto, rpo, replicas, findings, evidence),) = ran.rows("drills")
    assert at.endswith("disaster_recovery")
    assert (verdict, evidence) == (judged["verdict"], "evidence") == ("PASSED", "evidence")
    assert rto == f"{duration(judged['rto_seconds'])} of 1 h"
    assert rpo == f"{duration(judged['rpo_seconds'])} of 1 h"
    assert replicas.split() == judged["replicas"]
    assert findings == ""
    # The same is in the evidence, which lies beside the replicas.
    written = ran.ui.page(f"{ran.judge('file')}/2").json()
    assert written["drill_id"] == judged["drill_id"]
    assert written["measurement"]["rto_seconds"] == judged["rto_seconds"]


def test_the_tab_of_a_task(ran: Ran) -> None:
    judged = ran.told("disaster_recovery", "judge", "report")
    ran.open(ran.judge("task"))
    assert judged["drill_id"] in ran.text()
    assert ran.page.evaluate("document.querySelectorAll('iframe').length") == 1
    assert ran.ui.page(f"{ran.judge('file')}/0").text.count(judged["drill_id"])
    ran.open(f"{ran.judge('file')}/0")
    ways_to_look(ran.page, "evidence", only_pictures=True)


def test_deployments(ran: Ran) -> None:
    deployed = ran.told("release", "deploy", "deployment_report")
    for row in deployments(ran, deployed):
        assert row[4].endswith("release")
        assert row[5].endswith("release")
        assert row[6] == "none"


def deployments(ran: Ran, deployed: dict[str, Any]) -> list[list[str]]:
    """The rows of what was deployed, as the release has told it."""
    ran.open("/deployments")
    rows = {row[1].splitlines()[0]: row for row in ran.rows("deployments")}
    assert tuple(sorted(rows)) == CLOUDS
    for target in deployed["targets"]:
        row = rows[target["name"]]
        assert row[0] == deployed["deployment_id"]
        assert row[2].startswith(deployed["revision"])
        assert row[3].split() == ["1", target["instances"][0]["region"]]
        assert row[4].startswith(f"{target['outcome']} {deployed['revision']}")
    return list(rows.values())


def test_costs(ran: Ran) -> None:
    report = ran.told("nightly_cost", "report", "cost_report")
    verdict = ran.told("nightly_cost", "budget", "verdict")
    savings = ran.told("nightly_cost", "recommend", "savings")
    anomalies = ran.told("nightly_cost", "anomalies", "anomalies")
    ran.open("/costs")
    rows = ran.rows("costs-1")
    assert [row[0] for row in rows] == [one["name"] for one in report["beside_last"]]
    assert [row[1] for row in rows] == [
        money(Decimal(one["so_far"])) for one in report["beside_last"]
    ]
    text = ran.text()
    assert f"{money(Decimal(report['total']))} {report['currency']}" in text
    used = f"{money(Decimal(verdict['actual']))} of {money(Decimal(verdict['amount']))}"
    assert used in text
    assert money(Decimal(savings["resource_savings"])) in text
    assert f"Anomalies\n{anomalies['anomaly_count']:,}" in text


def test_exports_of_metrics(ran: Ran) -> None:
    ran.open("/metrics")
    newest = {
        (row[0].splitlines()[-1], row[1].splitlines()[-1]): row for row in ran.rows("exports")
    }
    assert newest.keys() == {(dag_id, cloud) for dag_id in PIPELINES for cloud in CLOUDS}
    for dag_id in PIPELINES:
        for to in ran.told(dag_id, "export", "metrics_report")["destinations"]:
            row = newest[dag_id, to["cloud"]]
            names = ("points_in", "accepted", "rejected", "unknown", "dropped")
            assert row[3:8] == [f"{to[name]:,}" for name in names]
            assert row[3] == row[4] != "0"
    assert {row[0]: row[2] for row in ran.rows("clouds")} == dict.fromkeys(CLOUDS, "0")


def test_within_airflow(ran: Ran) -> None:
    run = quote(ran.runs["disaster_recovery"]["dag_run_id"])
    judge = f"/dags/disaster_recovery/runs/{run}/tasks/judge/plugin/multicloud_task"
    inner = "document.querySelector('iframe')?.contentDocument?.querySelector('h1')"
    for path, heading in (("/plugin/multicloud", "Replicas"), (judge, "judge")):
        ran.page.open(f"{ran.ui.url}{path}", cookie=("_token", ran.ui.token))
        ran.page.until(f"{inner}?.textContent === {heading!r}")
        ways_to_look(ran.page, f"airflow {heading}", only_pictures=True)


def test_a_judge_that_ran_again(ran: Ran) -> None:
    before = ran.told("disaster_recovery", "judge", "report")
    ran.ui.run_again(ran.runs["disaster_recovery"], "judge")
    after = ran.told("disaster_recovery", "judge", "report")
    assert after["evidence"] != before["evidence"]
    ran.open("/drills")
    (row,) = ran.rows("drills")
    assert row[1:3] == [after["verdict"], f"{duration(after['rto_seconds'])} of 1 h"]
    # The files of this try, not of the one before.
    assert ran.ui.page(f"{ran.judge('file')}/2").json()["drill_id"] == after["drill_id"]
    ran.open(ran.judge("task"))
    assert after["evidence"][0] in ran.text()


def test_what_still_runs_though_its_run_was_deleted(ran: Ran) -> None:
    deployed = ran.told("release", "deploy", "deployment_report")
    ran.ui.delete(ran.runs["release"])
    for row in deployments(ran, deployed):
        assert row[4].endswith("release, whose run was deleted")
        # The sensor has no outlet: that it was well, nothing tells any more.
        assert row[5] == "never"

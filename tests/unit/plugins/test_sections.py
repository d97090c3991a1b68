"""Deployments, costs, exports and drills, from what tasks have told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_multicloud.plugins.page.costs import costs_of
from airflow_multicloud.plugins.page.deployments import deployments_of
from airflow_multicloud.plugins.page.drills import drills_of
from airflow_multicloud.plugins.page.exports import exports_of

from .reports import NOW, report

DAY = timedelta(days=1)
_INSTANCE = {"id": "i", "region": "r"}
BUDGET = {
    "name": "budget",
    "amount": "100",
    "currency": "EUR",
    "period": "month",
    "state": "within",
    "actual": "40",
    "projected": "90",
}


def rollout(revision: str, **outcomes: str) -> dict[str, Any]:
    targets = [
        {
            "name": name,
            "cloud": "aws",
            "outcome": outcome,
            "instances": [{"id": "i", "region": "r"}],
        }
        for name, outcome in outcomes.items()
    ]
    return {"deployment_id": "shop", "revision": revision, "targets": targets}


class TestDeployments:
    def test_a_target_runs_what_succeeded_last_there(self) -> None:
        found = deployments_of(
            deployed=[
                report(rollout("3", eu="rolled_back", us="succeeded")),
                report(rollout("2", eu="adopted", us="failed"), ago=DAY),
                report(rollout("1", eu="succeeded"), ago=2 * DAY),
            ],
            well=[],
        )
        rows = {row.name: (row.runs, row.wanted, row.outcome) for row in found.targets}
        assert rows == {"eu": ("2", "3", "rolled_back"), "us": ("3", "3", "succeeded")}

    def test_health_and_drift(self) -> None:
        health = {
            "deployment_id": "shop",
            "targets": {"eu": [{}, {}], "us": [{}]},
            "drift": [
                {"kind": "stopped", "what": "i-1 is stopped", "target": "eu"},
                {"kind": "unexpected", "what": "i-9", "target": None},
            ],
        }
        found = deployments_of(deployed=[], well=[report(health), report({}, ago=DAY)])
        eu, us = found.targets
        assert (eu.instances, eu.drift) == (2, ("stopped: i-1 is stopped", "unexpected: i-9"))
        assert us.drift == ("unexpected: i-9",)
        assert len(found.unread) == 1

    def test_an_outcome_that_nobody_knows_costs_its_report(self) -> None:
        found = deployments_of(deployed=[report(rollout("1", eu="splendid"))], well=[])
        assert (found.targets, len(found.unread)) == ((), 1)


class TestCosts:
    def page(self, **kinds: Any) -> Any:
        none: dict[str, Any] = {"costed": [], "budgeted": [], "anomalous": [], "advised": []}
        return costs_of(**{**none, **kinds})

    def test_the_newest_of_each_dag(self) -> None:
        facts = {"currency": "EUR", "start": "2026-11-01", "end": "2026-11-30", "total": "12.5"}
        found = self.page(
            costed=[
                report(facts),
                report({**facts, "total": "1"}, ago=DAY),
                report({**facts, "total": "2"}, dag_id="other"),
            ],
            anomalous=[report({"anomaly_count": 3})],
        )
        other, shop = found.dags
        assert (shop.report.total, shop.anomalies.text) == ("12.50", "3")
        assert other.report.total == "2.00"

    def test_a_budget_is_drawn_within_its_bar(self) -> None:
        (dag,) = self.page(budgeted=[report(BUDGET)]).dags
        (budget,) = dag.budgets
        assert (budget.used, budget.coming) == (40.0, 50.0)
        over = {**BUDGET, "actual": "120", "projected": "500"}
        (dag,) = self.page(budgeted=[report(over)]).dags
        assert (dag.budgets[0].used, dag.budgets[0].coming) == (100.0, 0.0)
        credit = {**BUDGET, "actual": "-5", "projected": "50"}
        (dag,) = self.page(budgeted=[report(credit)]).dags
        assert (dag.budgets[0].used, dag.budgets[0].coming) == (0.0, 50.0)

    def test_each_budget_by_its_name(self) -> None:
        found = self.page(
            budgeted=[
                report(BUDGET),
                report({**BUDGET, "name": "second"}),
                report({**BUDGET, "actual": "1"}, ago=DAY),
            ]
        )
        assert [one.name for one in found.dags[0].budgets] == ["budget", "second"]

    def test_amounts_that_are_none(self) -> None:
        for amount in ("NaN", "Infinity", "9" * 40, "x"):
            found = self.page(budgeted=[report({**BUDGET, "actual": amount})])
            assert (found.dags, len(found.unread)) == ((), 1), amount


class TestExports:
    def test_sums_and_the_newest(self) -> None:
        def export(accepted: int) -> dict[str, Any]:
            counts = {"points_in": 10, "accepted": accepted, "rejected": 10 - accepted}
            to = {"conn_id": "a", "cloud": "aws", "succeeded": accepted == 10, **counts}
            return {"namespace": "n", "destinations": [{**to, "unknown": 0, "dropped": 0}]}

        found = exports_of(
            [report(export(7)), report(export(10), ago=DAY), report({"namespace": 1})]
        )
        (cloud,) = found.clouds
        assert (cloud.exports, cloud.failed) == (2, 1)
        assert (cloud.counts.points_in, cloud.counts.accepted, cloud.counts.rejected) == (20, 17, 3)
        (newest,) = found.newest
        assert newest.counts.accepted == 7
        assert len(found.unread) == 1


class TestDrills:
    def test_objectives_that_an_earlier_release_did_not_tell(self) -> None:
        found = drills_of([report({"verdict": "PASSED", "rto_seconds": 12.5, "rpo_seconds": None})])
        (drill,) = found.drills
        assert (drill.rto, drill.rpo) == ("12.5 s", "none")
        assert found.charts == ()

    def test_each_dag_has_a_drawing_of_its_own(self) -> None:
        facts = {"verdict": "PASSED", "rto_seconds": 1.0, "rpo_seconds": 2.0}
        reports = [
            report(facts, ago=number * DAY, dag_id=dag_id)
            for number in range(2)
            for dag_id in ("a", "b")
        ]
        charts = drills_of([*reports, report(facts, dag_id="once")]).charts
        assert [(one.dag_id, one.name) for one in charts] == [
            ("a", "RTO"),
            ("a", "RPO"),
            ("b", "RTO"),
            ("b", "RPO"),
        ]

    def test_what_can_not_be_drawn(self) -> None:
        wrong = [{"verdict": "PASSED", "rto_seconds": value} for value in (float("nan"), 1e300)]
        found = drills_of([report(facts) for facts in wrong])
        assert (found.drills, len(found.unread)) == ((), 2)
        assert found.unread[0].at == NOW

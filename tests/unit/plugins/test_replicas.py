"""The row of a replica, from what tasks have told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.replicas import Replicas, replicas_of

from .reports import NOW, report

URI = "gs://gcp@replica/data/"
HOUR = timedelta(hours=1)


def replicated(uri: str = URI, **more: Any) -> dict[str, Any]:
    there = {"uri": uri, "outcomes": {"copied": 3, "unchanged": 4}, "commit": 9}
    return {"objects": 7, "bytes": 2_000_000, "destinations": [there], **more}


def verified(**more: Any) -> dict[str, Any]:
    return {
        "replica": URI,
        "commit": 9,
        "ledger_root": "ab" * 32,
        "objects": 7,
        "findings": {"verified": 7},
        "proven": True,
        "as_of": (NOW - 2 * HOUR).isoformat(),
        **more,
    }


def drilled(**more: Any) -> dict[str, Any]:
    return {"verdict": "PASSED", "replicas": [URI], "rpo_objective_seconds": 3600.0, **more}


def shown(**kinds: list[Recorded]) -> Replicas:
    none: dict[str, list[Recorded]] = {
        "replicated": [],
        "verified": [],
        "fresh": [],
        "drilled": [],
    }
    return replicas_of(now=NOW, **{**none, **kinds})


def test_everything_that_is_known() -> None:
    found = shown(
        replicated=[report(replicated())],
        verified=[report(verified())],
        drilled=[report(drilled())],
    )
    (row,) = found.replicas
    assert (row.uri, row.objects, row.size) == (URI, 7, "2.0 MB")
    assert (row.lag, row.is_late) == ("2 h", True)
    assert (row.proven_commit, row.proven_root) == (9, "ab" * 32)
    assert (row.findings, row.is_proven) == ([], True)
    assert row.outcomes == "3 copied, 4 unchanged"
    assert row.drill is not None
    assert row.drill.facts.verdict == "PASSED"


def test_what_was_proven_last_and_what_was_found_last() -> None:
    bad = verified(proven=False, commit=11, findings={"verified": 6, "missing": 1}, as_of=None)
    found = shown(verified=[report(bad), report(verified(), ago=HOUR)])
    (row,) = found.replicas
    assert (row.is_proven, row.findings) == (False, ["1 missing"])
    assert row.proven_commit == 9
    # What was not proven does not hold every change.
    newer = verified(proven=False, as_of=NOW.isoformat())
    (row,) = shown(verified=[report(newer), report(verified(), ago=HOUR)]).replicas
    assert row.lag == "2 h"


def test_the_newest_objective_counts() -> None:
    fresh = {"replica": URI, "as_of": (NOW - HOUR).isoformat(), "max_lag_seconds": 7200.0}
    found = shown(
        fresh=[report(fresh, ago=HOUR)], verified=[report(verified())], drilled=[report(drilled())]
    )
    (row,) = found.replicas
    assert (row.lag, row.objective, row.is_late) == ("1 h", HOUR, False)
    found = shown(fresh=[report(fresh)], drilled=[report(drilled(), ago=HOUR)])
    assert found.replicas[0].objective == 2 * HOUR


def test_without_an_age_or_an_objective_nothing_is_judged() -> None:
    (row,) = shown(replicated=[report(replicated())]).replicas
    assert (row.lag, row.is_late, row.verified) == ("", None, None)
    (row,) = shown(verified=[report(verified())]).replicas
    assert (row.lag, row.is_late) == ("2 h", None)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"replica": URI},
        verified(commit="nine"),
        verified(findings=[1]),
        verified(as_of="yesterday"),
        verified(replica=None),
    ],
)
def test_a_bad_report_costs_itself(facts: dict[str, Any]) -> None:
    found = shown(verified=[report(facts), report(verified(), ago=HOUR)])
    assert [row.proven_commit for row in found.replicas] == [9]
    assert len(found.unread) == 1
    assert "the report can't be read" in found.unread[0].why


def test_times_without_a_zone_and_clocks_ahead() -> None:
    naive = verified(as_of="2026-11-30T11:00:00")
    assert shown(verified=[report(naive)]).replicas[0].lag == "1 h"
    ahead = verified(as_of="2030-01-01T00:00:00+00:00")
    assert shown(verified=[report(ahead)]).replicas[0].lag == "0 s"

"""A drill's evidence in a browser: light and dark, on a phone and on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.drill.controls import ControlKind
from airflow_multicloud.core.drill.evidence import Evidence, installed_versions
from airflow_multicloud.core.drill.history import Earlier, Past
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
from airflow_multicloud.core.drill.verdict import Verdict

from .browser import browser, check_readable, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .browser import Page

_PROGRAM = chromium()
_REPLICAS = ("gs://google_cloud_default@replica/data/", "abfs://wasb_default@replica/data/")
_AT = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    _PROGRAM is None, reason="no chromium, chromium-browser or google-chrome is on PATH"
)


def record(verdict: Verdict) -> Evidence:
    passed = verdict is Verdict.PASSED
    recovered: dict[str, Any] = {
        "objects": 1234,
        "size": 98_765_432,
        "as_of": _AT.isoformat(),
        "served": {_REPLICAS[0]: 1234},
        "verified_by": {"ledger": 1234},
        "ages": {"up to 1 min": 1200, "up to 1 h": 30, "unknown": 4},
        "failed_attempts": 1,
        "attempts": ["s3://aws_default@primary/data/ after 3 ms: …"],
    }
    who = {
        "uri": _REPLICAS[0],
        "conn_id": "google_cloud_default",
        "cloud": "gcp",
        "account_id": "project-1",
        "principal": "worker@project-1.iam.gserviceaccount.com",
        "problem": None,
    }
    measurement = {
        "fault": "unavailable",
        "fault_at": _AT.isoformat(),
        "recovered": recovered if passed else None,
        "problem": None if passed else "denied",
        "reason": None if passed else "The primary failed with permission_denied.",
        "took_seconds": 12.5,
        "rto_seconds": 12.5 if passed else None,
        "rpo_seconds": 60.0 if passed else None,
        "phases": {
            "detect_seconds": 0.4,
            "failover_seconds": 1.5 if passed else None,
            "first_verified_seconds": 2.0 if passed else None,
            "all_verified_seconds": 12.5 if passed else None,
        },
        "clock_ahead_seconds": None,
        "policy": {
            "fail_over_on": ["unavailable", "timeout"],
            "require_digest": False,
            "attempt_timeout_seconds": 300.0,
            "deadline_seconds": 3600.0,
        },
        "canary_found": passed,
        "failback": True,
        "identities": [who, who],
        "controls": [
            {"kind": kind, "replica": uri, "outcome": "rejected", "detail": "it is no good"}
            for uri in _REPLICAS
            for kind in ControlKind
        ],
    }
    proof = {
        "objects": 1234,
        "findings": {"verified": 1234},
        "found": [],
        "proven": True,
        "content": "a" * 64,
        "as_of": _AT.isoformat(),
    }
    return Evidence(
        drill_id="disaster_recovery-manual__2026-11-23T09_00_00_00_00",
        verdict=verdict,
        objectives=Objectives(
            *(timedelta(hours=1), timedelta(hours=1)),
            detect=timedelta(seconds=0.3),
            first_verified=timedelta(minutes=1),
        ),
        run={"DAG": "disaster_recovery", "triggered by": "ada@example.org"},
        versions=installed_versions(),
        measurement=measurement,
        replication=[],
        verification=[{"replica": uri, **proof} for uri in _REPLICAS],
        canary={"written_at": _AT.isoformat(), "sha256": "b" * 64},
        written_at=_AT,
        reason=None if passed else "The primary failed with permission_denied.",
        parts=(
            Part(PartKind.DATABASE, PartOutcome.SHOWN, "restored, and verified by SQL: 2 passed"),
            Part(PartKind.CLEANUP, PartOutcome.FAILED, "the directory /tmp/x is still there"),
        ),
        steps={"preflight": "success", "recover": "success", "sync_secrets": "skipped"},
        earlier=(Earlier(f"{_REPLICAS[0]}7.json", "c" * 64, "FAILED_RTO", _AT),),
        past=tuple(
            Past(
                number=number,
                written_at=_AT - timedelta(days=7 * (8 - number)),
                verdict="PASSED" if number % 3 else "FAILED_RTO",
                drill_id=f"drill-{number}",
                rto=timedelta(seconds=10 * number) if number != 5 else None,
                rpo=timedelta(seconds=500),
                rto_objective=timedelta(seconds=60),
                rpo_objective=timedelta(seconds=600),
            )
            for number in range(1, 8)
        ),
    )


@pytest.fixture(params=[Verdict.PASSED, Verdict.FAILED_INTEGRITY])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    assert _PROGRAM is not None
    file = tmp_path / "evidence.html"
    file.write_bytes(record(request.param).html())
    with browser(_PROGRAM, tmp_path / "profile") as opened:
        opened.open(file.as_uri())
        yield opened


def test_it_can_be_read_on_every_screen_and_on_paper(page: Page) -> None:
    check_readable(page)

"""What XCom, JSON and the command line show of a result is public: names, order and forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud.core.cleanup import CleanupReport, Left, Leftover
from airflow_multicloud.core.drill.canary import Canary
from airflow_multicloud.core.drill.controls import Control, ControlKind, ControlOutcome
from airflow_multicloud.core.drill.failover import Measurement, Phases
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, Provenance, TreeProvenance
from airflow_multicloud.core.replication.freshness import Freshness
from airflow_multicloud.core.replication.history import Run
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import (
    DestinationReport,
    Failure,
    ReplicationReport,
)
from airflow_multicloud.core.replication.status import Part, ReplicaStatus
from airflow_multicloud.core.replication.verification import Finding, Found, VerificationReport
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.opening.preflight import CloudProviderStatus

NOON = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)
NOON_TEXT = "2026-01-02T12:00:00.000005+00:00"
LATER = NOON + timedelta(hours=1)

FAILED = Attempt("s3://a/k", "aws", 12, ErrorKind.TIMEOUT, "too late", overtaken=True)
SERVED = Attempt("gs://b/k", "gcp", 3)

TREE = TreeProvenance(
    target="/tmp/x",
    objects=2,
    size=10,
    served={"gs://b/": 2},
    verified_by={"ledger": 2},
    digests={"sha256": 1, "blake3": 1},
    as_of=NOON,
    failed_over=True,
    failed_attempts=1,
    attempts=(FAILED,),
    left_out=1,
    left_out_names=("x",),
    findings=("a clock is ahead",),
    not_kept={"metadata:x": 1},
    encoded=1,
    encoded_names={"a//b": "/tmp/x/a/\u201b/b"},
    unfit=1,
    unfit_names={"c": "too long"},
    failed=1,
    failed_names={"d": "nobody has it"},
    oldest="a",
    unknown=1,
    unknown_names=("e",),
    ages={"up to 1 min": 1, "unknown": 1},
)
TREE_DOCUMENT = {
    "target": "/tmp/x",
    "objects": 2,
    "size": 10,
    "served": {"gs://b/": 2},
    "verified_by": {"ledger": 2},
    "digests": {"sha256": 1, "blake3": 1},
    "as_of": NOON_TEXT,
    "oldest": "a",
    "ages": {"up to 1 min": 1, "unknown": 1},
    "failed_over": True,
    "failed_attempts": 1,
    "not_kept": {"metadata:x": 1},
    "attempts": ["s3://a/k after 12 ms: timeout: too late"],
    "findings": ["a clock is ahead"],
    "left_out": 1,
    "left_out_names": ["x"],
    "encoded": 1,
    "encoded_names": {"a//b": "/tmp/x/a/\u201b/b"},
    "unfit": 1,
    "unfit_names": {"c": "too long"},
    "failed": 1,
    "failed_names": {"d": "nobody has it"},
    "unknown": 1,
    "unknown_names": ["e"],
}

SHOWN = {
    "cleanup": (
        CleanupReport(
            dry_run=False,
            found={Left.PLAN: 1},
            removed={Left.PLAN: 0},
            named=(Leftover(Left.PLAN, "s3://a/p", NOON, False, "kept"),),
        ),
        {
            "dry_run": False,
            "found": {"plan": 1},
            "removed": {"plan": 0},
            "named": [
                {
                    "kind": "plan",
                    "uri": "s3://a/p",
                    "last_used": NOON_TEXT,
                    "removed": False,
                    "reason": "kept",
                }
            ],
        },
    ),
    "canary": (
        Canary("d1", NOON, "ab" * 32),
        {"drill_id": "d1", "written_at": NOON_TEXT, "sha256": "ab" * 32},
    ),
    "fetch": (
        Provenance(
            served_by="gs://b/k",
            cloud="gcp",
            target="/tmp/k",
            size=3,
            sha256="cd" * 32,
            verified_by=None,
            digest="blake3",
            as_of=NOON,
            age_seconds=1.23456,
            failed_over=True,
            attempts=(FAILED, SERVED),
            findings=("f",),
            not_kept=("metadata:x",),
        ),
        {
            "served_by": "gs://b/k",
            "cloud": "gcp",
            "target": "/tmp/k",
            "size": 3,
            "sha256": "cd" * 32,
            "verified_by": None,
            "digest": "blake3",
            "as_of": NOON_TEXT,
            "age_seconds": 1.235,
            "failed_over": True,
            "not_kept": ["metadata:x"],
            "attempts": [
                {
                    "uri": "s3://a/k",
                    "cloud": "aws",
                    "milliseconds": 12,
                    "kind": "timeout",
                    "reason": "too late",
                },
                {
                    "uri": "gs://b/k",
                    "cloud": "gcp",
                    "milliseconds": 3,
                    "kind": None,
                    "reason": None,
                },
            ],
            "findings": ["f"],
        },
    ),
    "tree": (TREE, TREE_DOCUMENT),
    "measurement": (
        Measurement(
            fault=Fault.UNAVAILABLE,
            fault_at=NOON,
            recovered=TREE,
            problem=None,
            reason=None,
            took=timedelta(seconds=1.23456),
            as_of=NOON - timedelta(seconds=2),
            clock_ahead=None,
            policy=FailoverPolicy(
                fail_over_on=frozenset({ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT})
            ),
            canary_found=True,
            controls=(
                Control(ControlKind.CORRUPT, "gs://b/", ControlOutcome.REJECTED, "as corrupt"),
            ),
            failback=True,
            phases=Phases(
                detect=timedelta(seconds=0.25),
                failover=None,
                first_verified=None,
                all_verified=None,
            ),
        ),
        {
            "fault": "unavailable",
            "fault_at": NOON_TEXT,
            "recovered": TREE_DOCUMENT,
            "problem": None,
            "reason": None,
            "took_seconds": 1.235,
            "rto_seconds": 1.235,
            "rpo_seconds": 2.0,
            "phases": {
                "detect_seconds": 0.25,
                "failover_seconds": None,
                "first_verified_seconds": None,
                "all_verified_seconds": None,
            },
            "clock_ahead_seconds": None,
            "policy": {
                "fail_over_on": ["timeout", "unavailable"],
                "attempt_timeout_seconds": 900.0,
                "deadline_seconds": 3600.0,
                "require_digest": False,
            },
            "canary_found": True,
            "controls": [
                {
                    "kind": "corrupt",
                    "replica": "gs://b/",
                    "outcome": "rejected",
                    "detail": "as corrupt",
                }
            ],
            "failback": True,
        },
    ),
    "replication": (
        ReplicationReport(
            run_id="r",
            source="s3://a/",
            objects=2,
            bytes=5,
            bytes_read=5,
            root="ee",
            newest_source=None,
            seconds=0.12345,
            destinations=(
                DestinationReport(
                    "gs://b/",
                    {Outcome.COPIED: 1, Outcome.FAILED: 1},
                    4,
                    0,
                    {"tags": 1},
                    commit=7,
                    ledger_root="dd",
                    commit_uri="gs://b/c",
                    content="ee",
                    findings=("f",),
                ),
            ),
            failures=(Failure("k", "gs://b/", Outcome.FAILED, "timeout", "late"),),
        ),
        {
            "run_id": "r",
            "source": "s3://a/",
            "objects": 2,
            "bytes": 5,
            "bytes_read": 5,
            "root": "ee",
            "newest_source": None,
            "seconds": 0.123,
            "success_ratio": 0.5,
            "destinations": [
                {
                    "uri": "gs://b/",
                    "outcomes": {"copied": 1, "failed": 1},
                    "bytes_written": 4,
                    "deleted": 0,
                    "not_kept": {"tags": 1},
                    "commit": 7,
                    "ledger_root": "dd",
                    "commit_uri": "gs://b/c",
                    "content": "ee",
                    "retained": [],
                    "findings": ["f"],
                }
            ],
        },
    ),
    "run": (
        Run(
            run_id="r",
            replica="gs://b/x/",
            commit=7,
            ledger_root="dd",
            commit_uri="gs://b/c",
            prefix="x/",
            source="s3://a/",
            selection="all objects",
            started=NOON,
            finished=LATER,
            objects=3,
            changed=2,
            deleted=0,
        ),
        {
            "run_id": "r",
            "replica": "gs://b/x/",
            "commit": 7,
            "ledger_root": "dd",
            "commit_uri": "gs://b/c",
            "prefix": "x/",
            "source": "s3://a/",
            "selection": "all objects",
            "started": NOON_TEXT,
            "finished": LATER.isoformat(),
            "objects": 3,
            "changed": 2,
            "deleted": 0,
        },
    ),
    "status": (
        ReplicaStatus(
            replica="gs://b/",
            sources=("s3://a/",),
            run_id="r",
            as_of=NOON,
            lag=timedelta(seconds=1.23456),
            oldest="o",
            objects=3,
            proven=2,
            parts=(Part("gs://b/", "s3://a/", "all objects", NOON, "r", LATER, 3, 2, 1, 0),),
            commit=7,
            ledger_root="dd",
            commit_uri="gs://b/c",
            findings=("f",),
        ),
        {
            "replica": "gs://b/",
            "sources": ["s3://a/"],
            "run_id": "r",
            "as_of": NOON_TEXT,
            "lag_seconds": 1.235,
            "oldest": "o",
            "objects": 3,
            "proven": 2,
            "complete": False,
            "parts": [
                {
                    "place": "gs://b/",
                    "source": "s3://a/",
                    "selection": "all objects",
                    "as_of": NOON_TEXT,
                    "run_id": "r",
                    "finished": LATER.isoformat(),
                    "objects": 3,
                    "proven": 2,
                    "behind": 1,
                    "left_out": 0,
                }
            ],
            "commit": 7,
            "ledger_root": "dd",
            "commit_uri": "gs://b/c",
            "findings": ["f"],
        },
    ),
    "freshness": (
        Freshness("gs://b/", None, None, None, 0, 0, parts=1, oldest="o", unknown="u"),
        {
            "replica": "gs://b/",
            "as_of": None,
            "newest_source": None,
            "lag_seconds": None,
            "objects": 0,
            "proven": 0,
            "parts": 1,
            "oldest": "o",
            "finding": "u",
        },
    ),
    "verification": (
        VerificationReport(
            replica="gs://b/",
            run_id="r",
            commit=7,
            ledger_root="dd",
            commit_uri="gs://b/c",
            content="ee",
            as_of=NOON,
            objects=2,
            bytes_read=7,
            findings={Finding.VERIFIED: 1, Finding.MISSING: 1},
            extraneous=0,
            found=(Found("k", Finding.MISSING, "not there"),),
            seconds=2.00049,
            gone=3,
            newer_commit=8,
            oldest="o",
            open_runs=("other",),
            unfinished="u",
            signed=True,
            signed_by=("key",),
            contradictions=("c",),
            not_compared=("n",),
        ),
        {
            "replica": "gs://b/",
            "run_id": "r",
            "commit": 7,
            "ledger_root": "dd",
            "commit_uri": "gs://b/c",
            "newer_commit": 8,
            "content": "ee",
            "as_of": NOON_TEXT,
            "oldest": "o",
            "age_unknown": None,
            "objects": 2,
            "bytes_read": 7,
            "findings": {"verified": 1, "missing": 1},
            "extraneous": 0,
            "gone": 3,
            "found": ["'k' is missing: not there"],
            "open_runs": ["other"],
            "unfinished": "u",
            "signed": True,
            "signed_by": ["key"],
            "contradictions": ["c"],
            "not_compared": ["n"],
            "proven": False,
            "seconds": 2.0,
        },
    ),
    "connection": (
        CloudProviderStatus("c", "aws", False, kind=ErrorKind.TIMEOUT, problem="late"),
        {
            "conn_id": "c",
            "cloud": "aws",
            "available": False,
            "account_id": None,
            "principal": None,
            "region": None,
            "problem": "timeout: late",
        },
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_result_is_shown_as_ever(name: str) -> None:
    result, document = SHOWN[name]
    shown = to_document(result)
    assert shown == document
    assert json.dumps(shown) == json.dumps(document)  # the same order, and plain text only


def test_a_canary_is_read_back() -> None:
    canary, document = SHOWN["canary"]
    assert read_document(Canary, document, what="the canary") == canary

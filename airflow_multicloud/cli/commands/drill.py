"""``airflow multicloud drill``: a disaster-recovery drill, without a DAG."""

from __future__ import annotations

import getpass
import socket
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

from airflow_multicloud.api import DrillResult, FailoverPolicy, run_drill
from airflow_multicloud.cli import output
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.drill.findings import COPIES, why_not_in_two_clouds
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.drill.verdict import Verdict
from airflow_multicloud.core.failover.policy import OUTAGES, parse_kinds
from airflow_multicloud.documents import to_document
from airflow_multicloud.text import duration_text

_OBJECTIVE = timedelta(hours=1)
_ATTEMPT = timedelta(minutes=5)


@command(
    interrupted="no evidence was written; the replicas are what the last replication made them, "
    "and nothing at any cloud was switched off"
)
def run(args: Namespace) -> Result:
    """Hold it; any verdict but PASSED is an exit code, with the evidence written."""
    policy = FailoverPolicy(
        fail_over_on=parse_kinds(args.fail_over_on or sorted(OUTAGES)),
        attempt_timeout=args.attempt_timeout or _ATTEMPT,
    )
    alone = why_not_in_two_clouds(args.evidence or args.replica[:COPIES])
    if alone is not None and not args.quiet:
        output.say(f"warning: {alone}: the drill can't pass; name places in two with --evidence")
    with progress_bar("drilling", quiet=args.quiet):
        held = run_drill(
            args.primary,
            args.replica,
            objectives=Objectives(
                rto=_OBJECTIVE if args.rto is None else args.rto,
                rpo=_OBJECTIVE if args.rpo is None else args.rpo,
                detect=args.detect,
                failover=args.failover,
                first_verified=args.first_verified,
            ),
            fault=args.fault or "unavailable",
            policy=policy,
            places=args.evidence,
            restore_to=Path(args.restore_to) if args.restore_to else None,
            run={
                "held by": getpass.getuser(),
                "with": "airflow multicloud drill",
                "worker": socket.gethostname(),
            },
            signing_conn_id=args.signing_conn_id,
        )
    reason = held.evidence.reason
    remarks = [
        *([f"why: {reason}"] if reason else []),
        *(f"finding: {finding}" for finding in held.findings),
        *(f"no evidence at {uri}: {err.kind}: {err}" for uri, err in held.unwritten.items()),
        *(f"evidence: {uri}" for uri in held.written),
        *(f"record {one.number} has the SHA-256 {one.sha256}: {one.uri}" for one in held.records),
    ]
    sound = held.evidence.verdict is Verdict.PASSED and not held.unwritten
    return Result(
        [_row(held)],
        [
            {
                **to_document(held.evidence),
                "evidence": list(held.written),
                "records": [to_document(record) for record in held.records],
            }
        ],
        remarks,
        ExitCode.DONE if sound else ExitCode.NOT_SOUND,
    )


def _row(held: DrillResult) -> dict[str, object]:
    measured, objectives = held.evidence.measurement, held.evidence.objectives
    recovered = measured["recovered"] or {}
    return {
        "verdict": held.evidence.verdict,
        "rto": _of(measured["rto_seconds"], objectives.rto),
        "rpo": _of(measured["rpo_seconds"], objectives.rpo),
        "recovered": f"{recovered.get('objects', 0)} objects",
        "canary": "found" if measured["canary_found"] else "lost",
        "failback": measured["failback"],
        "drill_id": held.evidence.drill_id,
    }


def _of(seconds: float | None, objective: timedelta) -> str:
    measured = "none" if seconds is None else duration_text(seconds)
    return f"{measured} of {duration_text(objective.total_seconds())}"

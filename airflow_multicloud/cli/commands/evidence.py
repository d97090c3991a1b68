"""``airflow multicloud evidence``: check what drills have written, or show it over time."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from pathlib import Path

from airflow_multicloud.api import evidence_trend, verify_evidence
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.text import duration_text


@command()
def run(args: Namespace) -> Result:
    """Check a chain, or show it; one that is not sound is an exit code, not an error."""
    return _trend(args) if args.action == "trend" else _verified(args)


def _verified(args: Namespace) -> Result:
    with progress_bar("verifying", quiet=args.quiet):
        report = verify_evidence(
            args.place,
            public_keys=Path(args.public_key) if args.public_key else None,
            signed_from=1 if args.signed_from is None else args.signed_from,
            at_least=args.at_least,
            expected_sha256=args.expected_sha256,
            witnesses=args.witness or (),
        )
    row = {
        "place": report.place,
        "sound": report.sound,
        "records": report.records,
        "newest": report.newest,
        "signed": report.signed if args.public_key else "not checked",
        "findings": ", ".join(f"{n} {flaw}" for flaw, n in report.findings.items()),
        "sha256": report.sha256,
    }
    return Result(
        [row],
        [to_document(report)],
        [
            *(f"not sound: {found}" for found in report.found),
            *(f"note: {note}" for note in report.notes),
        ],
        ExitCode.DONE if report.sound else ExitCode.NOT_SOUND,
    )


def _trend(args: Namespace) -> Result:
    with progress_bar("reading", quiet=args.quiet):
        found = evidence_trend(args.place, last=20 if args.last is None else args.last)
    return Result(
        [
            {
                "record": one.number,
                "written": one.written_at.isoformat(timespec="seconds"),
                "verdict": one.verdict,
                "rto": _of(one.rto, one.rto_objective),
                "rpo": _of(one.rpo, one.rpo_objective),
                "drill_id": one.drill_id,
            }
            for one in found.drills
        ],
        [to_document(one) for one in found.drills],
        [f"record {number} can't be read; see evidence verify" for number in found.unreadable],
        ExitCode.NOT_SOUND if found.unreadable else ExitCode.DONE,
    )


def _of(measured: timedelta | None, objective: timedelta) -> str:
    said = "none" if measured is None else duration_text(measured.total_seconds())
    return f"{said} of {duration_text(objective.total_seconds())}"

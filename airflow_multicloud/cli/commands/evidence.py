"""``airflow multicloud evidence``: check what drills have written."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from airflow_multicloud.api import verify_evidence
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """Check a chain; one that is not sound is an exit code, not an error."""
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

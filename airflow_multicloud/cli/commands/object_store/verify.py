"""``airflow multicloud verify``: prove a replica against its ledger."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from airflow_multicloud.api import Depth, VerificationReport, verify_replica
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """Verify; a replica that is not proven is an exit code, not an error."""
    with progress_bar("verifying", quiet=args.quiet):
        report = verify_replica(
            args.replica,
            depth=Depth(args.depth),
            run_id=args.run_id,
            expected_root=args.expected_root,
            at_least_commit=args.at_least_commit,
            siblings=args.sibling or (),
            public_keys=Path(args.public_key) if args.public_key else None,
        )
    row = {
        "replica": report.replica,
        "proven": report.proven,
        "objects": report.objects,
        "findings": ", ".join(f"{n} {f}" for f, n in sorted(report.findings.items())),
        "extraneous": report.extraneous,
        "as_of": report.as_of.isoformat(timespec="seconds") if report.as_of else "unknown",
        "run_id": report.run_id,
        "commit": report.commit,
    }
    return Result(
        [row],
        [to_document(report)],
        [*_remarks(report)],
        ExitCode.DONE if report.proven else ExitCode.NOT_SOUND,
    )


def _remarks(report: VerificationReport) -> list[str]:
    return [
        *(f"not proven: {found}" for found in report.found),
        *([f"not proven: {report.unfinished}"] if report.unfinished else []),
        *([f"how old it is can't be told: {report.age_unknown}"] if report.age_unknown else []),
        *(f"contradicted: {sentence}" for sentence in report.contradictions),
        *(f"not compared: {sentence}" for sentence in report.not_compared),
        *(f"under way, or killed: {run}" for run in report.open_runs),
        *(f"note: the newest commit is signed by the key {key}" for key in report.signed_by),
    ]

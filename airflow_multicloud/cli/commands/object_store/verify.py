"""``airflow multicloud verify``: prove a replica against its manifest."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import Depth, verify_replica
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """Verify; a replica that is not proven is an exit code, not an error."""
    with progress_bar("verifying", quiet=args.quiet):
        report = verify_replica(args.replica, depth=Depth(args.depth), run_id=args.run_id)
    row = {
        "replica": report.replica,
        "proven": report.proven,
        "objects": report.objects,
        "findings": ", ".join(f"{n} {f}" for f, n in sorted(report.findings.items())),
        "extraneous": report.extraneous,
        "as_of": report.as_of.isoformat(timespec="seconds"),
        "run_id": report.run_id,
    }
    return Result(
        [row],
        [to_document(report)],
        [f"not proven: {found}" for found in report.found],
        ExitCode.DONE if report.proven else ExitCode.NOT_SOUND,
    )

"""``airflow multicloud upload``: one file to one cloud, and from there to others."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from airflow_multicloud.api import CloudOperationResult, plan_upload, upload_artifact
from airflow_multicloud.cli.commands.object_store.replicate import outcomes, remarks_on
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.progress import BAR_INTERVAL, progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command(
    interrupted="a file is at a cloud whole or not at all; the same command does what is missing"
)
def run(args: Namespace) -> Result:
    """Upload; a replica that failed is told, and the primary stays."""
    if args.dry_run:
        plan = asdict(
            plan_upload(
                args.file,
                args.destination,
                replicate_to=args.replicate_to or (),
                immutable=args.immutable,
                create_buckets=args.create_buckets,
            )
        )
        return Result([plan], [plan], ["nothing was changed (--dry-run)"])
    with progress_bar("uploading", quiet=args.quiet) as listener:
        result = upload_artifact(
            args.file,
            args.destination,
            replicate_to=args.replicate_to or (),
            immutable=args.immutable,
            create_buckets=args.create_buckets,
            signing_conn_id=args.signing_conn_id,
            listener=listener,
            interval=BAR_INTERVAL,
        )
    if result.success:
        return Result(_rows(result), [to_document(result)])
    remarks = [] if result.replication is None else remarks_on(result.replication)
    remarks.append(error_line(result.kind or "replication", result.error))
    return Result(_rows(result), [to_document(result)], remarks, ExitCode.NOT_SOUND)


def _rows(result: CloudOperationResult) -> list[dict[str, object]]:
    uploaded = result.uploaded
    outcome = "unchanged" if uploaded.unchanged else "uploaded"
    rows: list[dict[str, object]] = [
        {"uri": uploaded.uri, "outcome": outcome, "bytes": uploaded.size, "sha256": uploaded.sha256}
    ]
    for destination in result.replication.destinations if result.replication else ():
        done = {"outcome": outcomes(destination), "bytes": destination.bytes_written}
        rows.append({"uri": destination.uri, **done, "sha256": None})
    return rows

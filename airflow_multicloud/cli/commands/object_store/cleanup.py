"""``airflow multicloud cleanup``: remove what killed runs have left."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import Leftover, cleanup
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.text import duration_text


@command(interrupted="what was removed is gone, the rest is there; the same command goes on")
def run(args: Namespace) -> Result:
    """Remove it, or with ``--dry-run`` name it."""
    given = {} if args.older_than is None else {"older_than": args.older_than}
    report = cleanup(
        args.place,
        keep_commits=args.keep_commits,
        keep_days=args.keep_days,
        dry_run=args.dry_run,
        **given,
    )
    found = sum(report.found.values())
    remarks = [f"left: {one.uri}: {one.reason}" for one in report.named if one.reason]
    if found > len(report.named):
        remarks.append(f"note: {found} in all; the first {len(report.named)} are named")
    if args.dry_run:
        remarks.append("nothing was changed (--dry-run)")
    elif not found:
        age = "1 d" if args.older_than is None else duration_text(args.older_than.total_seconds())
        remarks.append(f"note: nothing is left that was last used more than {age} ago")
    stays = not args.dry_run and not report.clean
    return Result(
        [_row(one, dry_run=args.dry_run) for one in report.named],
        [to_document(report)],
        remarks,
        ExitCode.NOT_SOUND if stays else ExitCode.DONE,
    )


def _row(one: Leftover, *, dry_run: bool) -> dict[str, object]:
    would = "would be removed" if one.reason is None else "would stay"
    return {
        "kind": one.kind,
        "last_used": f"{one.last_used:%Y-%m-%d %H:%M}" if one.last_used else None,
        "outcome": would if dry_run else "removed" if one.removed else "stays",
        "uri": one.uri,
    }

"""Remove what killed runs have left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from airflow_multicloud.core import cleanup as _cleanup
from airflow_multicloud.core.cleanup import CleanupReport
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.pruning import Retention
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import elements
from airflow_multicloud.locations import check_template
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.registry import session


@session()
@operation("cleanup")
def cleanup(
    places: Sequence[str | Path],
    *,
    older_than: timedelta = timedelta(days=1),
    keep_commits: int | None = None,
    keep_days: int | None = None,
    dry_run: bool = False,
) -> CleanupReport:
    """Remove uploads, plans and half-written files that no run comes back to.

    :param places: URIs of prefixes that are replicated, uploaded or fetched to (a bucket is one:
        ``s3://conn@bucket/``), and local directories that are fetched to.
    :param older_than: leave alone what was begun or written since: a run may be under way, and
        the next one continues what is there.
    :param keep_commits: delete old commits of the ledgers of these buckets, but for so many of the
        newest ones (100 with ``keep_days`` alone) and
    :param keep_days: those that were the newest at any time in so many days (90 with
        ``keep_commits`` alone; at least 30). Without both all commits are kept.
    :param dry_run: only say what there is.
    :raises CloudError: naming the place that can't be looked at. What can't be removed is in the
        report.
    """
    given: tuple[str | Path, ...] = elements(
        places, "places", str, Path, what="URIs and directories"
    )
    if not given:
        raise StorageError(
            "places: none given, expected at least one", kind=ErrorKind.INVALID_ARGUMENT
        )
    if older_than < timedelta(0):
        raise StorageError(
            f"older_than: {older_than} given, expected a duration", kind=ErrorKind.INVALID_ARGUMENT
        )
    kept = {"keep_commits": keep_commits, "keep_days": keep_days}
    chosen = {name: number for name, number in kept.items() if number is not None}
    retention = Retention(**chosen) if chosen else None
    opened = [_open(place, f"places[{number}]") for number, place in enumerate(given)]
    return _cleanup.cleanup(opened, older_than=older_than, retention=retention, dry_run=dry_run)


def _open(place: str | Path, parameter: str) -> Endpoint | Path:
    if isinstance(place, str) and "://" in place:
        end = open_endpoint(place, parameter=parameter)
        if end.location.is_prefix:
            return end
        raise StorageError(
            f"{parameter}: {place} must be a prefix (end with a slash)",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    check_template(str(place), parameter=parameter)
    directory = Path(place)
    if not directory.is_dir():
        raise StorageError(f"{parameter}: {directory} is no directory", kind=ErrorKind.NOT_FOUND)
    return directory

"""What is wrong with a log entry in every cloud, and which entries a query asks for."""

from __future__ import annotations

import re

from airflow_multicloud.adapters.ages import why_not_time
from airflow_multicloud.adapters.batches import dropped
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.logs import LogEntry, LogLimits, LogQuery

_LOG = re.compile(r"[A-Za-z0-9._/-]{1,500}", re.ASCII)
_SHOWN = 80


def entry_name(entry: LogEntry) -> str:
    """What an entry is shown as."""
    return f"{entry.time.isoformat()} {entry.message[:_SHOWN]}"


def check_log(log: str, *, cloud: str) -> None:
    """Refuse what can't name a log in every cloud.

    :raises LogsError: kind ``invalid_argument``.
    """
    if not _LOG.fullmatch(log):
        raise LogsError(
            f"log: {log[:_SHOWN]!r} given, expected 1 to 500 of the characters A-Z a-z 0-9 . _ / -",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=cloud,
        )


def why_not_writable(entry: LogEntry, limits: LogLimits) -> Reason | None:
    """Why an entry can't be written to a cloud, whichever it is; its size is the hook's to check.

    :param limits: of the cloud, of which the times count here.
    """
    if not entry.message:
        return dropped(ErrorKind.INVALID_ARGUMENT, "message: it is empty")
    problem = why_not_time(entry.time, limits.oldest, limits.newest)
    return None if problem is None else dropped(ErrorKind.INVALID_ARGUMENT, problem)


def fits(entry: LogEntry, query: LogQuery) -> bool:
    """Whether a query asks for an entry.

    Clouds filter in ways of their own (some take upper for lower case); a hook asks for no less
    than this, and leaves out what does not fit.
    """
    return (
        query.since <= entry.time < query.until
        and (query.text is None or query.text in entry.message)
        and (query.severity is None or entry.severity.rank >= query.severity.rank)
        and (query.correlation_id is None or entry.correlation_id == query.correlation_id)
    )

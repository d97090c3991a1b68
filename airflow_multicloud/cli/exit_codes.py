"""What a script can tell from the exit code; ``definitions.parts.EXIT_CODES`` says it to people."""

from __future__ import annotations

from enum import IntEnum

from airflow_multicloud.api import (
    IncompleteFetchError,
    ReplicationFailedError,
    ShippingFailedError,
    SyncFailedError,
)
from airflow_multicloud.errors import CloudError, ErrorKind


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    UNEXPECTED = 1
    """An error that has no kind: most likely a defect."""
    USAGE = 2
    """The command line or a connection is wrong; also argparse's code."""
    NOT_SOUND = 3
    """It ran, and some objects failed or are not proven."""
    NOT_FOUND = 4
    DENIED = 5
    TRY_AGAIN = 6
    REFUSED = 7
    """What is there, or a stated limit, forbids it."""
    INTERRUPTED = 130
    """Ctrl-C: 128 + SIGINT, as shells have it."""
    BROKEN_PIPE = 141
    """Whoever read the result closed the pipe: 128 + SIGPIPE, likewise."""


_BY_KIND = {
    ErrorKind.INVALID_ARGUMENT: ExitCode.USAGE,
    ErrorKind.UNSUPPORTED: ExitCode.USAGE,
    ErrorKind.INTEGRITY: ExitCode.NOT_SOUND,
    ErrorKind.NOT_FOUND: ExitCode.NOT_FOUND,
    ErrorKind.UNAUTHENTICATED: ExitCode.DENIED,
    ErrorKind.PERMISSION_DENIED: ExitCode.DENIED,
    ErrorKind.UNAVAILABLE: ExitCode.TRY_AGAIN,
    ErrorKind.TIMEOUT: ExitCode.TRY_AGAIN,
    ErrorKind.THROTTLED: ExitCode.TRY_AGAIN,
    ErrorKind.CAPACITY: ExitCode.TRY_AGAIN,
    ErrorKind.SOURCE_CHANGED: ExitCode.TRY_AGAIN,
    ErrorKind.BUSY: ExitCode.TRY_AGAIN,
    ErrorKind.ALREADY_EXISTS: ExitCode.REFUSED,
    ErrorKind.PRECONDITION_FAILED: ExitCode.REFUSED,
    ErrorKind.QUOTA: ExitCode.REFUSED,
}


def of_kind(kind: ErrorKind) -> ExitCode:
    """The exit code of an error kind; every kind has one."""
    return _BY_KIND[kind]


def of_error(err: CloudError) -> ExitCode:
    """The exit code of an error; what went half-way has one of its own."""
    fetched_some = isinstance(err, IncompleteFetchError) and err.provenance is not None
    if fetched_some or isinstance(err, ReplicationFailedError | ShippingFailedError):
        return ExitCode.NOT_SOUND
    if isinstance(err, SyncFailedError) and err.report.refused is None:
        return ExitCode.NOT_SOUND
    return of_kind(err.kind)

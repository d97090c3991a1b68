"""Logs: the port that writes entries to a cloud's log service, and queries them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.windows import check_window


class Severity(StrEnum):
    """How severe, after OpenTelemetry's short names; in ascending order.

    https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    """

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    FATAL = "FATAL"

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry.

    :param time: when it happened, aware; microseconds are kept, where the cloud keeps them.
    :param message: the text, which may have lines.
    :param correlation_id: what ties it to others: the id of a trace (32 hexadecimal digits), where
        there is one.
    :param insert_id: the same for an entry that is written again, so that clouds which can tell
        keep it once.
    """

    time: datetime
    message: str
    severity: Severity = Severity.INFO
    correlation_id: str | None = None
    insert_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError("time: a datetime without a timezone given, expected an aware one")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which entries; each of what is given must fit.

    :param since: the first moment, aware.
    :param until: the moment after the last, aware.
    :param text: a part of the message; upper and lower case differ.
    :param severity: the least.
    :param correlation_id: exactly.
    """

    since: datetime
    until: datetime
    text: str | None = None
    severity: Severity | None = None
    correlation_id: str | None = None

    def __post_init__(self) -> None:
        check_window(self.since, self.until)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries, in ascending order of time, which goes on over all pages.

    :param notes: why entries may be missing from this page or those before, in words.
    """

    entries: tuple[LogEntry, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """What a cloud's log service takes, as its documentation says.

    :param entries_per_request: which the hook keeps to by itself, as to ``bytes_per_request``.
    :param bytes_per_entry: of one entry, with what the service adds to it.
    :param keeps_once: whether an entry that is written again with the same ``insert_id`` and time
        is there once.
    :param oldest: how long ago an entry may have happened; ``None`` where nothing is said.
    :param newest: how far ahead of now.
    """

    entries_per_request: int | None
    bytes_per_request: int
    bytes_per_entry: int
    keeps_once: bool
    oldest: timedelta | None = None
    newest: timedelta | None = None


class Logs(Protocol):
    """What every cloud's log service can do."""

    def describe_log_limits(self) -> LogLimits:
        """What it takes; nothing is asked of the cloud."""
        ...

    def check_entries(self, entries: Sequence[LogEntry], *, log: str) -> Sequence[Refusal]:
        """Why some of these entries can't be written here, each as dropped; nothing is sent."""
        ...

    def write_entries(self, entries: Sequence[LogEntry], *, log: str) -> Accounting:
        """Write entries, in as many requests as the limits ask for, and account for each of them.

        One that can't be written costs itself; the others are sent, in the order of their times.

        :param log: what they are written to, and found by again: letters, digits, ``.``, ``_``,
            ``/`` and ``-``. It is made where the cloud lets a writer make it.
        :raises CredentialsError: when the connection can't be used; nothing was sent then. What
            the cloud refuses later is in the accounting, also its permissions.
        """
        ...

    def query_entries(self, query: LogQuery, *, log: str) -> Iterator[LogPage]:
        """The entries that the cloud shows now, page by page.

        Order of entries with the same time: as written, where the cloud keeps that.

        :raises LogsError: when it can't be asked, also between pages; kind ``not_found`` when
            there is no such log, where the cloud tells.
        """
        ...

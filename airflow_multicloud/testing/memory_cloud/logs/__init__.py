"""Logs in memory: the port, kept to the letter."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepared,
    check_items,
    dropped,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.entries import check_log, entry_name, fits, why_not_writable
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.logs import LogEntry, LogLimits, LogPage, LogQuery
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaults
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.deliveries import carry_out, write_batch

__all__ = ["Hook", "LogSpace", "logs_of", "reset"]

_LIMITS = LogLimits(
    entries_per_request=1000,
    bytes_per_request=1_000_000,
    bytes_per_entry=250_000,
    keeps_once=True,
    oldest=timedelta(days=14),
    newest=timedelta(hours=2),
)
_PAGE = 100


@dataclass(slots=True)
class LogSpace:
    """The entries of one account, by log."""

    entries: dict[str, dict[Hashable, LogEntry]] = field(default_factory=dict)
    faults: DeliveryFaults = field(default_factory=DeliveryFaults)
    lock: threading.RLock = field(default_factory=threading.RLock)


_SPACES: defaultdict[str, LogSpace] = defaultdict(LogSpace)


def logs_of(conn_id: str) -> LogSpace:
    """The space of a connection id."""
    return _SPACES[conn_id]


def reset() -> None:
    """Forget all."""
    _SPACES.clear()


class Hook:
    """The logs of one connection id.

    :param memory_conn_id: whose; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self._space = logs_of(memory_conn_id)

    def describe_log_limits(self) -> LogLimits:
        """What it takes."""
        return _LIMITS

    def check_entries(self, entries: Sequence[LogEntry], *, log: str) -> Sequence[Refusal]:
        """Why some can't be written; see the port."""
        check_log(log, cloud=NAME)
        return check_items(entries, _prepare, name=entry_name)

    def write_entries(self, entries: Sequence[LogEntry], *, log: str) -> Accounting:
        """Keep entries, and account for each; see the port."""
        check_log(log, cloud=NAME)

        def send(batch: Sequence[Prepared[LogEntry]]) -> Sequence[Reason | None]:
            with self._space.lock:
                keep = partial(self._keep, log)
                return write_batch(self._space.faults, batch, keep, LogsError)

        return send_items(
            sorted(entries, key=lambda entry: entry.time),
            _prepare,
            send,
            name=entry_name,
            limits=BatchLimits(
                records=_LIMITS.entries_per_request or 1, size=_LIMITS.bytes_per_request
            ),
            all_or_nothing=False,
        )

    def _keep(self, log: str, one: Prepared[LogEntry]) -> Reason | None:
        for entry in one.records:
            if self._space.faults.rejects(entry.message):
                return rejected(ErrorKind.INVALID_ARGUMENT, "a fault was planted", code="planted")
            kept = self._space.entries.setdefault(log, {})
            kept.setdefault((entry.insert_id or len(kept), entry.time), entry)
        return None

    def query_entries(self, query: LogQuery, *, log: str) -> Iterator[LogPage]:
        """The entries, page by page; see the port."""
        check_log(log, cloud=NAME)
        with self._space.lock:
            if log not in self._space.entries:
                raise LogsError(f"log {log!r}: there is none", kind=ErrorKind.NOT_FOUND, cloud=NAME)
            kept = sorted(self._space.entries[log].values(), key=lambda entry: entry.time)
        found = [entry for entry in kept if fits(entry, query)]
        for first in range(0, max(len(found), 1), _PAGE):
            carry_out(self._space.faults, DeliveryCall.READ, lambda: None, LogsError)
            yield LogPage(tuple(found[first : first + _PAGE]))


def _prepare(entry: LogEntry) -> Prepared[LogEntry] | Reason:
    if (reason := why_not_writable(entry, _LIMITS)) is not None:
        return reason
    size = len(entry.message.encode("utf-8", "surrogatepass"))
    if size > _LIMITS.bytes_per_entry:
        return dropped(
            ErrorKind.INVALID_ARGUMENT, f"message: longer than {_LIMITS.bytes_per_entry} bytes"
        )
    return Prepared(name=entry_name(entry), records=(entry,), size=size)

"""Writing entries by the Logs Ingestion API.

Each batch is one call, packed here: the SDK's own division into chunks would not tell which
entries were in one that failed.
"""

from __future__ import annotations

import gzip
import io
import itertools
import uuid
from collections.abc import Sequence

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepare,
    Prepared,
    check_items,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.entries import check_log, entry_name
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.logs.client import LogsBase
from airflow_multicloud.clouds.azure.logs.converting import prepared
from airflow_multicloud.clouds.azure.logs.errors import OF_RECORDS, translated
from airflow_multicloud.clouds.azure.logs.limits import LIMITS
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.logs import LogEntry, LogLimits

_BATCHES = BatchLimits(
    records=LIMITS.bytes_per_request, size=LIMITS.bytes_per_request - len(b"[]"), overhead=1
)


class EntryWriting(LogsBase):
    """The port's ``describe_log_limits``, ``check_entries`` and ``write_entries``."""

    def describe_log_limits(self) -> LogLimits:
        """What it takes; see :mod:`.limits`."""
        return LIMITS

    def check_entries(self, entries: Sequence[LogEntry], *, log: str) -> Sequence[Refusal]:
        """Why some can't be written; see the port."""
        check_log(log, cloud=NAME)
        return check_items(entries, _preparing(log), name=entry_name)

    def write_entries(self, entries: Sequence[LogEntry], *, log: str) -> Accounting:
        """Send entries, and account for each; see the port.

        The service takes a request as a whole or not at all, so one that it refuses is sent again
        in halves. What it does not answer is never sent again: it keeps twice what it gets twice.
        Entries of the same time that have no ``insert_id`` keep their order.
        """
        check_log(log, cloud=NAME)
        client, rule = self._ingestion, self._monitor.require_rule()
        stream, doing = self._monitor.require_stream(), f"sending entries for table {self._table}"
        if entries:
            # Before there is anything of which it could be unknown what became.
            self._monitor.get_token(self._monitor.scope)

        def send(batch: Sequence[Prepared[bytes]]) -> Sequence[Reason | None]:
            body = b"[%s]" % b",".join(record for one in batch for record in one.records)
            try:
                with translated(doing), well_formed(doing, NAME, area=LogsError):
                    client.upload(rule, stream, io.BytesIO(gzip.compress(body, mtime=0)))
            except LogsError as err:
                if err.kind is not ErrorKind.INVALID_ARGUMENT or err.code in OF_RECORDS:
                    raise
                # Of the request itself, so that halves of it would fare no better.
                return [rejected(err.kind, str(err), code=err.code)] * len(batch)
            return [None] * len(batch)

        return send_items(
            sorted(entries, key=lambda entry: entry.time),
            _preparing(log),
            send,
            name=entry_name,
            limits=_BATCHES,
            all_or_nothing=True,
        )


def _preparing(log: str) -> Prepare[LogEntry, bytes]:
    """Prepares entries one after another, numbering those that have no id."""
    write, numbers = uuid.uuid4().hex, itertools.count()
    return lambda entry: prepared(entry, log, f"{write}-{next(numbers):010d}")

"""Writing entries, in requests of which each entry has its own fate.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/write

A request whose answer is lost is sent again by the client: every entry has an insert id, by which
Google tells the second from another one.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from google.api_core import exceptions as api
from google.cloud.logging_v2.types import WriteLogEntriesRequest

from airflow_multicloud.adapters.batches import (
    Prepare,
    Prepared,
    check_items,
    dropped,
    send_items,
)
from airflow_multicloud.adapters.entries import check_log, entry_name, why_not_writable
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.logs.client import REQUEST_S, LogsBase
from airflow_multicloud.clouds.gcp.logs.converting import record_of
from airflow_multicloud.clouds.gcp.logs.errors import (
    is_partial,
    partly_refused,
    translated,
)
from airflow_multicloud.clouds.gcp.logs.limits import BATCH, LIMITS, OVERHEAD
from airflow_multicloud.clouds.gcp.tries import Tries
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.logs import LogEntry, LogLimits


class GCPWriting(LogsBase):
    """Entries go to a log of the connection's project, on the monitored resource ``global``."""

    def describe_log_limits(self) -> LogLimits:
        """What Cloud Logging takes."""
        return LIMITS

    def check_entries(self, entries: Sequence[LogEntry], *, log: str) -> Sequence[Refusal]:
        """Why some can't be written; see the port.

        :raises CredentialsError: when nothing names a project, which entries with a trace do.
        """
        check_log(log, cloud=NAME)
        return check_items(entries, self._preparing(), name=entry_name)

    def write_entries(self, entries: Sequence[LogEntry], *, log: str) -> Accounting:
        """Write entries, and account for each; see the port.

        :raises CredentialsError: when the connection is of no use, or no token is to be had (kind
            ``unavailable`` for an outage of who gives them). Nothing was sent then.
        """
        check_log(log, cloud=NAME)
        client, log_name = self._logging, self._log_name(log)
        doing = f"writing to log {log!r}"
        if entries:
            # Before there is anything of which it could be unknown what became.
            with translated("asking for a token for Cloud Logging"):
                self._session.bearer.headers()

        def send(batch: Sequence[Prepared[Any]]) -> Sequence[Reason | None]:
            request = WriteLogEntriesRequest(
                log_name=log_name,
                resource={"type": "global", "labels": {"project_id": self._project}},
                partial_success=True,
            )
            WriteLogEntriesRequest.pb(request).entries.extend(
                record for one in batch for record in one.records
            )
            write = partial(client.write_log_entries, request, retry=None, timeout=REQUEST_S)
            with translated(doing):
                try:
                    Tries(self._retry, is_partial).send(write)
                except api.GoogleAPICallError as err:
                    if reasons := partly_refused(doing, err, len(batch)):
                        return reasons
                    raise
            return [None] * len(batch)

        return send_items(
            sorted(entries, key=lambda entry: entry.time),
            self._preparing(),
            send,
            name=entry_name,
            limits=BATCH,
            all_or_nothing=False,
        )

    def _preparing(self) -> Prepare[LogEntry, Any]:
        """How one write's entries are prepared.

        Google shows entries of the same time in the order of their insert ids, so that those which
        are made here ascend, within a write and from one write to the next.
        """
        project = self._project
        write = f"{time.time_ns():016x}{secrets.token_hex(8)}"
        numbers = itertools.count()

        def prepare(entry: LogEntry) -> Prepared[Any] | Reason:
            if (reason := why_not_writable(entry, LIMITS)) is not None:
                return reason
            record, changes = record_of(
                entry, project=project, insert_id=f"{write}{next(numbers):08x}"
            )
            size = record.ByteSize()
            if size + OVERHEAD > LIMITS.bytes_per_entry:
                return dropped(
                    ErrorKind.INVALID_ARGUMENT,
                    f"message and attributes: more than {LIMITS.bytes_per_entry} bytes with what "
                    "the service adds",
                )
            return Prepared(name=entry_name(entry), records=(record,), size=size, changes=changes)

        return prepare

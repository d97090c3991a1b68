"""Entries for CloudWatch Logs (``PutLogEvents``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.batches import (
    NOT_KNOWN_AFTER,
    BatchLimits,
    Prepared,
    check_items,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.entries import entry_name
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.logs.client import LogsBase
from airflow_multicloud.clouds.aws.logs.converting import Record, prepared
from airflow_multicloud.clouds.aws.logs.errors import translated
from airflow_multicloud.clouds.aws.logs.limits import LIMITS
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.logs import LogEntry, LogLimits

#: The stream of all that this package writes. "You can use parallel PutLogEvents actions on the
#: same log stream", so writers do not disturb each other there, and none makes a stream of its own.
STREAM = "airflow-multicloud"

# RejectedLogEventsInfo: what is refused of a batch, by index.
_TOO_NEW, _TOO_OLD, _EXPIRED = (
    "tooNewLogEventStartIndex",
    "tooOldLogEventEndIndex",
    "expiredLogEventEndIndex",
)


class EntryWriting(LogsBase):
    """The writing half of the port."""

    def describe_log_limits(self) -> LogLimits:
        """What CloudWatch Logs takes."""
        return LIMITS

    def check_entries(self, entries: Sequence[LogEntry], *, log: str) -> Sequence[Refusal]:
        """Why some can't be written; see the port."""
        self._check_log(log)
        return check_items(entries, prepared, name=entry_name)

    def write_entries(self, entries: Sequence[LogEntry], *, log: str) -> Accounting:
        """Write entries, each of which costs itself; see the port.

        The log group and its stream are made when they are missing, which takes the permissions
        for that. CloudWatch Logs does not know an entry again, so nothing whose answer was lost is
        sent again: it is accounted for as unknown.

        :raises LogsError: kind ``invalid_argument`` for what can't name a log.
        """
        self._check_log(log)
        writing = _Writing(log, self._writer(), self._asker())

        def send(batch: Sequence[Prepared[Record]]) -> Sequence[Reason | None]:
            return writing.put([record for one in batch for record in one.records])

        return send_items(
            sorted(entries, key=lambda entry: entry.time),
            prepared,
            send,
            name=entry_name,
            limits=BatchLimits(
                records=LIMITS.entries_per_request or 1, size=LIMITS.bytes_per_request
            ),
            # What is no matter of time is refused with the whole request.
            all_or_nothing=True,
        )


@dataclass(slots=True)
class _Writing:
    """One call's requests.

    :param writer: is not to send again what may have been carried out.
    :param asker: may.
    """

    log: str
    writer: Any
    asker: Any
    _not_made: Reason | None = None

    def put(self, records: list[Record]) -> Sequence[Reason | None]:
        """Write a batch, for which a stream is made where there is none."""
        doing = f"writing to log group {self.log!r}"
        try:
            answer = self._put(records, doing)
        except LogsError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            if (reason := self._not_made or self._why_not_made()) is not None:
                return [reason] * len(records)
            answer = self._put(records, doing)
        with well_formed(doing, NAME, area=LogsError):
            return _reasons(answer.get("rejectedLogEventsInfo") or {}, len(records))

    def _put(self, records: list[Record], doing: str) -> Mapping[str, Any]:
        with translated(doing):
            answer: Mapping[str, Any] = self.writer.put_log_events(
                logGroupName=self.log, logStreamName=STREAM, logEvents=records
            )
        return answer

    def _why_not_made(self) -> Reason | None:
        """Make the stream; an outage at this leaves no doubt that nothing was written.

        It is not tried again then.
        """
        try:
            self._make_stream()
        except LogsError as err:
            if err.kind not in NOT_KNOWN_AFTER:
                raise
            self._not_made = rejected(err.kind, str(err), code=err.code)
        return self._not_made

    def _make_stream(self) -> None:
        """Make the stream, and the group where that is missing, too."""

        def stream() -> None:
            self.asker.create_log_stream(logGroupName=self.log, logStreamName=STREAM)

        doing = f"making log stream {STREAM!r} of log group {self.log!r}"
        try:
            _made(stream, doing)
        except LogsError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            _made(
                lambda: self.asker.create_log_group(logGroupName=self.log),
                f"making log group {self.log!r}",
            )
            _made(stream, doing)


def _made(make: Callable[[], object], doing: str) -> None:
    """Make what another may be making at this moment."""
    try:
        with translated(doing):
            make()
    except LogsError as err:
        if err.kind not in (ErrorKind.ALREADY_EXISTS, ErrorKind.BUSY):
            raise


def _reasons(info: Mapping[str, int], count: int) -> list[Reason | None]:
    reasons: list[Reason | None] = [None] * count

    def refuse(places: slice, why: str, code: str) -> None:
        found = range(count)[places]
        reason = rejected(ErrorKind.INVALID_ARGUMENT, f"time: {why}", code=code)
        reasons[places] = [reason] * len(found)

    if (first := info.get(_TOO_NEW)) is not None:
        refuse(slice(first, None), "too new, says CloudWatch Logs", _TOO_NEW)
    if (end := info.get(_EXPIRED)) is not None:
        refuse(slice(end), "older than the log group keeps entries", _EXPIRED)
    if (end := info.get(_TOO_OLD)) is not None:
        refuse(slice(end), "too old, says CloudWatch Logs", _TOO_OLD)
    return reasons

"""Entries of CloudWatch Logs, queried (``FilterLogEvents``).

"The returned log events are sorted by event timestamp, the timestamp when the event was ingested by
CloudWatch Logs, and the ID of the PutLogEvents request", over all streams and pages. Entries of
one millisecond are put in the order of their microseconds here, for which the last millisecond of
a page is kept until the next one; that the rest is in order is looked at, and not assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.adapters.answers import Tokens, not_an_answer, well_formed
from airflow_multicloud.adapters.entries import fits
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.logs.client import LogsBase
from airflow_multicloud.clouds.aws.logs.converting import entry_of, milliseconds
from airflow_multicloud.clouds.aws.logs.errors import translated
from airflow_multicloud.clouds.aws.logs.filters import pattern_of
from airflow_multicloud.clouds.aws.logs.limits import SHORTEST_RETENTION
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery

#: The time of the event, and its entry.
_Stamped = tuple[int, LogEntry]


class EntryQuerying(LogsBase):
    """The reading half of the port."""

    def query_entries(self, query: LogQuery, *, log: str) -> Iterator[LogPage]:
        """The entries of a log group, of all its streams; see the port.

        What others wrote that is not JSON of this package's form is a message of severity INFO.
        Entries that came in the last seconds may not be there yet.
        """
        self._check_log(log)
        doing = f"querying log group {log!r}"
        notes = self._notes(query, log)
        held: list[_Stamped] = []
        for events in self._pages(query, log, doing):
            with well_formed(doing, NAME, area=LogsError):
                found = [(event["timestamp"], entry_of(event)) for event in events]
            _check_order([*held[-1:], *found], doing)
            held += found
            complete, held = _parted(held)
            if entries := _fitting(complete, query):
                yield LogPage(entries, notes)
        if (entries := _fitting(held, query)) or notes:
            yield LogPage(entries, notes)

    def _pages(
        self, query: LogQuery, log: str, doing: str
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        client = self._asker()
        tokens = Tokens(doing, NAME, area=LogsError)
        arguments: dict[str, Any] = {
            "logGroupName": log,
            "startTime": max(milliseconds(query.since), 0),
            # Events of this millisecond are there, too.
            "endTime": max(milliseconds(query.until), 0),
        }
        if pattern := pattern_of(query):
            arguments["filterPattern"] = pattern
        while True:
            with translated(doing):
                page = client.filter_log_events(**arguments)
            yield page.get("events", ())
            if not (token := page.get("nextToken")):
                return
            tokens.note(token)
            arguments["nextToken"] = token

    def _notes(self, query: LogQuery, log: str) -> tuple[str, ...]:
        """What the group does not keep, where it can be asked."""
        age = datetime.now(UTC) - query.since
        if age < SHORTEST_RETENTION:
            return ()
        doing = f"asking how long log group {log!r} keeps entries"
        try:
            with translated(doing):
                answer = self._asker().describe_log_groups(logGroupNamePrefix=log)
            with well_formed(doing, NAME, area=LogsError):
                groups = {one["logGroupName"]: one for one in answer["logGroups"]}
                days = int(groups.get(log, {}).get("retentionInDays") or 0)
        except LogsError as err:
            if err.kind is not ErrorKind.PERMISSION_DENIED:
                raise
            return ()
        if not days or age <= timedelta(days=days):
            return ()
        return (f"the log group keeps entries for {days} days: those from before are gone",)


def _check_order(found: Sequence[_Stamped], doing: str) -> None:
    for place in range(1, len(found)):
        if found[place][0] < found[place - 1][0]:
            raise not_an_answer(
                doing, NAME, "its events are not in the order of their times", area=LogsError
            )


def _parted(held: list[_Stamped]) -> tuple[list[_Stamped], list[_Stamped]]:
    """What comes before the last millisecond, and that."""
    place = len(held)
    while place and held[place - 1][0] == held[-1][0]:
        place -= 1
    return held[:place], held[place:]


def _fitting(found: Sequence[_Stamped], query: LogQuery) -> tuple[LogEntry, ...]:
    entries = [entry for _, entry in found if fits(entry, query)]
    return tuple(sorted(entries, key=lambda entry: entry.time))

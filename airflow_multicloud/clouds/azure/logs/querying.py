"""Querying entries by Log Analytics, page by page.

An answer holds 500,000 rows or 100 MiB at most, and is cut beyond
(https://learn.microsoft.com/azure/azure-monitor/service-limits#la-query-api). So a page asks for
few enough rows, in order of time, and the next goes on at the last one's time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import not_an_answer, well_formed
from airflow_multicloud.adapters.entries import check_log, fits
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.log_analytics import Answer, ask
from airflow_multicloud.clouds.azure.logs.client import LogsBase
from airflow_multicloud.clouds.azure.logs.converting import entry_of
from airflow_multicloud.clouds.azure.logs.errors import queried
from airflow_multicloud.clouds.azure.logs.filters import Place, kusto_of
from airflow_multicloud.errors import LogsError
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery

if TYPE_CHECKING:
    from azure.monitor.query import LogsTableRow

_ROWS = 2_000
#: With the longest fields that there can be, these fit into an answer.
_LEAST_ROWS = 500
_TOO_LARGE = "E_QUERY_RESULT_SET_TOO_LARGE"


class EntryQueries(LogsBase):
    """The port's ``query_entries``."""

    def query_entries(self, query: LogQuery, *, log: str) -> Iterator[LogPage]:
        """The entries of a log, page by page; see the port.

        Order of entries with the same time: by ``insert_id``. What the service answers only in
        part is in the notes.
        """
        check_log(log, cloud=NAME)
        workspace, table = self._monitor.require_workspace(), self._table
        return self._pages(query, log, workspace, table)

    def _pages(self, query: LogQuery, log: str, workspace: str, table: str) -> Iterator[LogPage]:
        place, size = Place(query.since), _ROWS
        while True:
            answer = self._ask(query, kusto_of(query, table, log, place, size), workspace, table)
            if _TOO_LARGE in answer.problem and size > _LEAST_ROWS:
                size = max(size // 2, _LEAST_ROWS)
                continue
            new = answer.rows[place.seen :]
            if new or answer.problem:
                yield LogPage(_entries(query, new, table), answer.notes)
            if not new or (not answer.problem and len(new) < size):
                return
            place = _next(place, answer.rows, table)

    def _ask(self, query: LogQuery, kusto: str, workspace: str, table: str) -> Answer:
        doing = _doing(table)
        with queried(doing, table), well_formed(doing, NAME, area=LogsError):
            return ask(self._queries, workspace, kusto, since=query.since, until=query.until)


def _entries(query: LogQuery, rows: Sequence[LogsTableRow], table: str) -> tuple[LogEntry, ...]:
    with well_formed(_doing(table), NAME, area=LogsError):
        found = [entry_of(row) for row in rows]
    return tuple(entry for entry in found if fits(entry, query))


def _next(place: Place, rows: Sequence[LogsTableRow], table: str) -> Place:
    """Where the page after these rows begins."""
    times = [row["TimeGenerated"] for row in rows]
    if times != sorted(times) or times[0] < place.time:
        raise not_an_answer(
            _doing(table), NAME, "its rows are not in the order asked for", area=LogsError
        )
    return Place(times[-1], times.count(times[-1]))


def _doing(table: str) -> str:
    return f"querying table {table}"

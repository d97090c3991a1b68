"""Querying a log of the project, page by page.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.adapters.entries import check_log, fits
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.logs.client import REQUEST_S, LogsBase
from airflow_multicloud.clouds.gcp.logs.converting import entry_of
from airflow_multicloud.clouds.gcp.logs.errors import translated
from airflow_multicloud.clouds.gcp.logs.filters import filter_of
from airflow_multicloud.clouds.gcp.logs.limits import PAGE
from airflow_multicloud.errors import LogsError
from airflow_multicloud.ports.logs import LogPage, LogQuery


class GCPQuerying(LogsBase):
    """Google does not tell a log that is not there from one without entries: both are empty."""

    def query_entries(self, query: LogQuery, *, log: str) -> Iterator[LogPage]:
        """The entries, page by page; see the port.

        A page may be empty while others follow: Google answers so when a search takes long.
        """
        check_log(log, cloud=NAME)
        log_name = self._log_name(log)
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{self._project}"],
            filter=filter_of(query, log_name=log_name),
            order_by="timestamp asc",
            page_size=PAGE,
        )
        return self._pages(request, query, log)

    def _pages(
        self, request: ListLogEntriesRequest, query: LogQuery, log: str
    ) -> Iterator[LogPage]:
        doing = f"querying log {log!r}"
        client, retry = self._logging, self._retry
        tokens = Tokens(doing, NAME, area=LogsError)
        while True:
            with translated(doing):
                pager = client.list_log_entries(request, retry=retry, timeout=REQUEST_S)
                answer = ListLogEntriesResponse.pb(next(iter(pager.pages)))
            with well_formed(doing, NAME, area=LogsError):
                read = [entry_of(record) for record in answer.entries if _is_of(log, record)]
            yield LogPage(tuple(entry for entry in read if fits(entry, query)))
            if not answer.next_page_token:
                return
            tokens.note(answer.next_page_token)
            request.page_token = answer.next_page_token


def _is_of(log: str, record: Any) -> bool:
    """Whether an entry is of this very log: a filter takes upper for lower case.

    The project is not looked at: Google answers its id, whether it was asked for by id or number.
    """
    _, _, log_id = record.log_name.partition("/logs/")
    return unquote(log_id) == log

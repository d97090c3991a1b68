"""One table of what several clouds' logs have, in the order of time, with what is missing."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.logs.portions import weight
from airflow_multicloud.core.telemetry import operation, submit_in_context
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.logs import LogEntry, LogPage, LogQuery, Logs, Severity

#: Notes that are kept of one connection.
_MOST_NOTES = 20


class Completeness(StrEnum):
    """Whether a table has all that was asked for of one connection."""

    COMPLETE = "complete"
    #: A limit of the question ended the table before all were in it.
    TRUNCATED = "truncated"
    #: The cloud itself says that entries may be missing.
    PARTIAL = "partial"
    #: It could not be asked, or not to the end.
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow(Documented):
    """One entry, and where it is from."""

    time: datetime
    cloud: str
    conn_id: str
    severity: Severity
    message: str
    correlation_id: str | None
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer(Documented):
    """What one connection had to say.

    :param rows: how many of its entries are in the table.
    :param notes: why entries may be missing, as its cloud says.
    :param seconds: how long it was waited for.
    """

    conn_id: str
    cloud: str
    completeness: Completeness
    rows: int
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    error_kind: ErrorKind | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What ends a table.

    :param rows: at most; ``None``: all.
    :param characters: of messages and attributes, at most; ``None``: any number.
    """

    rows: int | None
    characters: int | None = None


class LogTable:
    """The rows, once; then what each connection had to say.

    No more than two pages of each connection are in memory.
    """

    def __init__(self, readings: Sequence[_Reading], bounds: Bounds) -> None:
        self._readings = readings
        self._bounds = bounds

    def rows(self) -> Iterator[LogRow]:
        """All rows in ascending order of time; of the same time, in the order of connections.

        :raises WorkCancelledError: between two rows, when the work is to stop.
        """
        heap: list[tuple[datetime, int, LogRow]] = []
        sources = [iter(reading) for reading in self._readings]
        for number, source in enumerate(sources):
            if (row := next(source, None)) is not None:
                heap.append((row.time, number, row))
        heapq.heapify(heap)
        given = characters = 0
        while heap:
            _, number, row = heap[0]
            characters += weight(row)
            if given == self._bounds.rows or _beyond(characters, self._bounds.characters):
                break
            given += 1
            self._readings[number].rows += 1
            yield row
            following = next(sources[number], None)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (following.time, number, following))
        for _, number, _ in heap:
            self._readings[number].truncated = True

    def answers(self) -> tuple[LogAnswer, ...]:
        """What each connection had to say, in their order; after the rows."""
        return tuple(reading.answer() for reading in self._readings)


@contextmanager
def log_table(
    sources: Sequence[Destination[Logs]], query: LogQuery, *, log: str, bounds: Bounds
) -> Iterator[LogTable]:
    """Ask all connections at once, and merge what they answer while it is read.

    What fails at one costs that one; the table tells.
    """
    with cancellation.pool(max(len(sources), 1), "multicloud-logs") as pool:
        yield LogTable([_Reading(pool, one, query, log) for one in sources], bounds)


def why_not_enough(answers: Sequence[LogAnswer], least: int) -> tuple[str, ErrorKind] | None:
    """What to say when fewer connections than that have answered, and the kind of it.

    The kind is retryable where a retry can help.

    :param least: how many must answer, also if in part.
    """
    failed = [one for one in answers if one.completeness is Completeness.FAILED]
    if len(answers) - len(failed) >= least:
        return None
    told = "; ".join(f"{one.conn_id}: {one.error_kind}: {one.error}" for one in failed)
    kinds = [one.error_kind for one in failed if one.error_kind is not None]
    kind = next((kind for kind in kinds if kind.retryable), kinds[0])
    answered = len(answers) - len(failed)
    return f"{answered} of {len(answers)} connections answered, expected {least}: {told}", kind


class _Reading:
    """One connection's rows, of which the next page is fetched ahead."""

    def __init__(
        self, pool: Executor, source: Destination[Logs], query: LogQuery, log: str
    ) -> None:
        self.rows = 0
        self.truncated = False
        self._pool = pool
        self._source = source
        self._pages: Iterator[LogPage] | None = None
        self._query = query
        self._log = log
        self._notes: dict[str, None] = {}
        self._error = source.error
        self._seconds = 0.0
        self._coming = None if source.hook is None else self._ask()

    def __iter__(self) -> Iterator[LogRow]:
        while self._coming is not None:
            page = self._arrived(self._coming)
            if page is None:
                self._coming = None
                return
            self._coming = self._ask()
            for note in page.notes:
                if len(self._notes) < _MOST_NOTES:
                    self._notes[note] = None
            for entry in page.entries:
                yield self._row(entry)

    def answer(self) -> LogAnswer:
        """What came of asking."""
        if self._error is not None:
            completeness = Completeness.FAILED
        elif self.truncated:
            completeness = Completeness.TRUNCATED
        else:
            completeness = Completeness.PARTIAL if self._notes else Completeness.COMPLETE
        return LogAnswer(
            conn_id=self._source.conn_id,
            cloud=self._source.cloud,
            completeness=completeness,
            rows=self.rows,
            notes=tuple(self._notes),
            seconds=self._seconds,
            error_kind=None if self._error is None else self._error.kind,
            error=None if self._error is None else str(self._error),
        )

    def _ask(self) -> Future[LogPage | None]:
        return submit_in_context(self._pool, self._next_page)

    def _next_page(self) -> LogPage | None:
        started = time.monotonic()
        try:
            with operation(
                "query_logs.page",
                cloud__provider=self._source.cloud,
                multicloud__conn_id=self._source.conn_id,
            ) as span:
                if self._pages is None:
                    if self._source.hook is None:
                        return None
                    self._pages = self._source.hook.query_entries(self._query, log=self._log)
                page = next(self._pages, None)
                span.set_attribute("multicloud.rows", len(page.entries) if page else 0)
                return page
        finally:
            self._seconds += time.monotonic() - started

    def _arrived(self, coming: Future[LogPage | None]) -> LogPage | None:
        cancellation.wait_for([coming])
        cancellation.check()
        try:
            return coming.result()
        except CloudError as err:
            self._error = err
            return None

    def _row(self, entry: LogEntry) -> LogRow:
        return LogRow(
            time=entry.time,
            cloud=self._source.cloud,
            conn_id=self._source.conn_id,
            severity=entry.severity,
            message=entry.message,
            correlation_id=entry.correlation_id,
            attributes=dict(entry.attributes),
        )


def _beyond(characters: int, most: int | None) -> bool:
    return most is not None and characters > most

"""A table of log rows as a file: JSON lines, or CSV for people and spreadsheets."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any

from airflow_multicloud.core.logs.querying import LogRow
from airflow_multicloud.documents import to_document
from airflow_multicloud.text import printable, printable_data, write_csv

COLUMNS = ("time", "cloud", "conn_id", "severity", "message", "correlation_id", "attributes")
_AT_ONCE = 500


class TableFormat(StrEnum):
    """How rows are written."""

    #: Exactly, an object a line; what :class:`ShipLogsOperator` reads.
    JSON_LINES = "jsonl"
    #: For people: control characters as escapes, nothing that a spreadsheet runs.
    CSV = "csv"


def format_of_table(name: str) -> TableFormat | None:
    """The format by the ending of a file's name; ``None`` for another."""
    if name.endswith((".jsonl", ".ndjson")):
        return TableFormat.JSON_LINES
    return TableFormat.CSV if name.endswith(".csv") else None


def written(rows: Iterable[LogRow], into: TableFormat) -> Iterator[bytes]:
    """The file's bytes, some hundred rows at a time."""
    write: Callable[[Sequence[LogRow], bool], str] = (
        _csv if into is TableFormat.CSV else _json_lines
    )
    left = iter(rows)
    first = True
    while (some := [*islice(left, _AT_ONCE)]) or first:
        yield write(some, first).encode()
        first = False


def cells(row: LogRow) -> dict[str, Any]:
    """A row for a table that people read: nothing in it but what shows as itself."""
    attributes = json.dumps(dict(row.attributes), ensure_ascii=False, sort_keys=True)
    return {
        "time": row.time.isoformat(),
        "cloud": row.cloud,
        "conn_id": row.conn_id,
        "severity": row.severity.value,
        "message": printable(row.message),
        "correlation_id": None if row.correlation_id is None else printable(row.correlation_id),
        "attributes": printable(attributes) if row.attributes else None,
    }


def _csv(rows: Sequence[LogRow], first: bool) -> str:
    out = io.StringIO()
    write_csv(out, COLUMNS, map(cells, rows))
    text = out.getvalue()
    return text if first else text.partition("\n")[2]


def _json_lines(rows: Sequence[LogRow], _first: bool) -> str:
    return "".join(f"{printable_data(json.dumps(to_document(row)))}\n" for row in rows)

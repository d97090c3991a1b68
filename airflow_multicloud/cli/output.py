"""Results on stdout, in Airflow's output formats; everything else on stderr, one line each."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.sdk._shared.secrets_masker import redact
from rich.cells import cell_len, set_cell_size
from rich.markup import escape

from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.text import printable, write_csv


@dataclass(frozen=True, slots=True)
class Result:
    """What a command ends with.

    :param rows: for the output formats that are tables; ``None`` is an empty cell.
    :param document: for JSON and YAML. Airflow prints each value as a string.
    :param remarks: lines for stderr.
    """

    rows: Sequence[Mapping[str, Any]]
    document: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = ()
    code: ExitCode = ExitCode.DONE


def show(result: Result, output: str) -> None:
    """Print a result in one of Airflow's output formats, then its remarks."""
    data: list[dict[str, Any]] | None = None
    if output == "csv":
        _csv(result.rows)
    elif output == "plain":
        _plain([{name: _cell(value, output) for name, value in row.items()} for row in result.rows])
    elif output == "table":
        data = [{name: _cell(value, output) for name, value in row.items()} for row in result.rows]
    else:
        data = [dict(entry) for entry in result.document]
    if data is not None:
        AirflowConsole().print_as(data, output)
    for remark in result.remarks:
        say(remark)


def _csv(rows: Sequence[Mapping[str, Any]]) -> None:
    write_csv(sys.stdout, list(rows[0]) if rows else (), rows)


def _plain(rows: Sequence[Mapping[str, str]]) -> None:
    """Columns of cells as they are: Airflow's plain table makes 1.23457e+06 of 1234567.89."""
    if not rows:
        sys.stdout.write("No data found\n")
        return
    columns = [(name, *(row[name] for row in rows)) for name in rows[0]]
    widths = [max(map(cell_len, column)) for column in columns]
    for cells in zip(*columns, strict=True):
        padded = (set_cell_size(c, w) for c, w in zip(cells, widths, strict=True))
        sys.stdout.write(f"{'  '.join(padded).rstrip()}\n")


def _cell(value: object, output: str) -> str:
    text = "" if value is None else printable(str(value))
    return escape(text) if output == "table" else text  # Rich takes [x] in a table for markup.


def say(text: str) -> None:
    """Tell the person something that is no result, in one line, with known secrets masked."""
    sys.stderr.write(f"{printable(str(redact(text)))}\n")


def say_traceback() -> None:
    """Tell where the exception being handled comes from.

    Indented: the message of an error may have lines of its own, which must not pass for ours.
    """
    for line in traceback.format_exc().rstrip().split("\n"):
        say(f"  {line}")


def error_line(kind: ErrorKind | str, message: object) -> str:
    """An error in one line."""
    return f"error ({kind}): {' '.join(str(message).split())}"

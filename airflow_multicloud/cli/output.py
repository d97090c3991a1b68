"""Results on stdout, in Airflow's output formats; everything else on stderr, one line each."""

from __future__ import annotations

import csv
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.sdk._shared.secrets_masker import redact
from rich.markup import escape

from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.text import printable

#: The output formats for people and for line tools; the others are for programs.
_TABULAR = ("table", "plain")


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
    elif output in _TABULAR:
        data = [{name: _cell(value, output) for name, value in row.items()} for row in result.rows]
    else:
        data = [dict(entry) for entry in result.document]
    if data is not None:
        AirflowConsole().print_as(data, output)
    for remark in result.remarks:
        say(remark)


def _csv(rows: Sequence[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, rows[0] if rows else (), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


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

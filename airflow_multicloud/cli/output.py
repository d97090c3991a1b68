"""Results on stdout, in Airflow's output formats; everything else on stderr, one line each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, BinaryIO

import msgspec
from airflow.providers.common.compat.sdk import redact
from airflow.utils import yaml
from rich.cells import cell_len

from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.text import printable, printable_data, traceback_text, write_csv

#: Between two columns of a table; below a header it is drawn as ``=+=``.
_GAP = " | "

_NOTHING = "No data found\n"

#: Money stays exact: 0.1 and not 0.1000000000000000055.
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command ends with.

    :param rows: for the output formats that are tables; ``None`` is an empty cell.
    :param document: for JSON and YAML, where numbers, truth values and absent ones stay what
        they are.
    :param remarks: lines for stderr.
    :param content: what goes to stdout instead of all that, byte by byte; closed afterwards.
    """

    rows: Sequence[Mapping[str, Any]]
    document: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = ()
    code: ExitCode = ExitCode.DONE
    content: BinaryIO | None = None


def show(result: Result, output: str, *, quiet: bool = False) -> None:
    """Print a result in one of Airflow's output formats, then its remarks.

    :param quiet: leave the remarks out, unless something is the matter.
    """
    if result.content is not None:
        with result.content:
            shutil.copyfileobj(result.content, sys.stdout.buffer)
    elif output == "csv":
        _csv(result.rows)
    elif output == "json":
        sys.stdout.write(_json(result.document))
    elif output == "yaml":
        # By way of JSON, so that both have the same types.
        sys.stdout.write(_yaml(msgspec.json.decode(_json(result.document))))
    else:
        cells = [
            {printable(name): _cell(value) for name, value in row.items()} for row in result.rows
        ]
        sys.stdout.write(_plain(cells) if output == "plain" else _table(cells))
    sys.stdout.flush()  # So that remarks come after it where both go to one place.
    if not quiet or result.code is not ExitCode.DONE:
        for remark in result.remarks:
            say(remark)


def _csv(rows: Sequence[Mapping[str, Any]]) -> None:
    rows = [_masked(row) for row in rows]
    if sys.stdout.isatty():
        # For eyes; a file or a pipe gets the data exactly.
        rows = [{printable(n): _readable(value) for n, value in row.items()} for row in rows]
    write_csv(sys.stdout, list(rows[0]) if rows else (), rows)


def _readable(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _json(document: object) -> str:
    encoded = _encoder.encode(_masked(document))
    return printable_data(msgspec.json.format(encoded, indent=2).decode()) + "\n"


#: Of its own, for what it does with text.
_YamlDumper: Any = type("_YamlDumper", (yaml.SafeDumper,), {})


def _quoted(dumper: Any, text: str) -> Any:
    """What has to be escaped must stand in quotes."""
    style = None if printable(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_YamlDumper.add_representer(str, _quoted)


def _yaml(document: object) -> str:
    text = yaml.dump_all([document], Dumper=_YamlDumper, sort_keys=False, allow_unicode=True)
    return printable_data(str(text), wide="\\U{:08x}")


def _masked(value: object, name: str | None = None) -> Any:
    """A value as JSON can hold it, with known secrets masked at any depth.

    :param name: the key it stands under: what stands under ``password`` is masked as a whole.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return redact(value, name)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(redact(str(key))): _masked(held, str(key)) for key, held in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _masked(asdict(value), name)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(held, name) for held in value]
    return value


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(redact(str(value))))


def _plain(rows: Sequence[Mapping[str, str]]) -> str:
    """Columns with spaces between, each row on one line, for line tools."""
    return _lines(rows, "  ") if rows else _NOTHING


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """A table, or a block of lines for each row where that is wider than the terminal.

    Nothing is ever broken over lines or cut off: ids and URIs can be copied whole. What is no
    terminal has 80 columns (``COLUMNS`` says otherwise).
    """
    if not rows:
        return _NOTHING
    widths = _widths(rows)
    if sum(widths) + len(_GAP) * (len(widths) - 1) > shutil.get_terminal_size().columns:
        return _blocks(rows)
    rule = "=+=".join("=" * column for column in widths)
    head, *body = _lines(rows, _GAP).splitlines()
    return "\n".join([head, rule, *body, ""])


def _blocks(rows: Sequence[Mapping[str, str]]) -> str:
    names = max(cell_len(name) for name in rows[0])
    return "\n".join(
        "".join(f"{f'{name:<{names}}  {value}'.rstrip()}\n" for name, value in row.items())
        for row in rows
    )


def _widths(rows: Sequence[Mapping[str, str]]) -> list[int]:
    return [max(cell_len(name), *(cell_len(row[name]) for row in rows)) for name in rows[0]]


def _lines(rows: Sequence[Mapping[str, str]], gap: str) -> str:
    widths = _widths(rows)
    lines = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
    return "".join(
        gap.join(
            text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def say(text: str) -> None:
    """Tell the person something that is no result, in one line, with known secrets masked."""
    sys.stderr.write(f"{printable(str(redact(text)))}\n")


def say_traceback() -> None:
    """Tell where the exception being handled comes from.

    Indented: the message of an error may have lines of its own, which must not pass for ours.
    """
    if (err := sys.exception()) is not None:
        for line in traceback_text(err).split("\n"):
            say(line)


def error_line(kind: ErrorKind | str, message: object) -> str:
    """An error in one line."""
    return f"error ({kind}): {' '.join(str(message).split())}"

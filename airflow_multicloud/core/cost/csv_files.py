"""CSV files, exactly or not at all.

The query engine would guess a file's columns from its first rows, and a wrong guess drops rows
without a word (a row that is longer than the header) or invents columns (a part without a header).
So the header is read here, and the engine is told what it says: a row with fewer or more values is
an error then.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

from airflow_multicloud.core.cost.focus import TEXT, lacking, literal

#: More than any header has; the rest of the file is not looked at here.
_HEADER_LIMIT = 1 << 20


class UnreadableFileError(Exception):
    """A file that can't be what it is said to be; the message names it."""


def csv_relation(files: Sequence[Path]) -> str:
    """CSV files as SQL, every value a text, with the column ``filename``.

    :raises UnreadableFileError: for a file without a header, or without one of the columns that
        FOCUS requires (as when its header was cut).
    """
    groups: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        names = header_of(file)
        if absent := lacking(names):
            raise UnreadableFileError(
                f"{file.name} is no FOCUS export: column{'s' * (len(absent) > 1)} missing: "
                f"{', '.join(absent)}"
            )
        groups.setdefault(names, []).append(file)
    chosen = [f"SELECT * FROM {_read(names, group)}" for names, group in groups.items()]
    return f"({' UNION ALL BY NAME '.join(chosen)})"


def header_of(file: Path) -> tuple[str, ...]:
    """The names of a file's columns.

    :raises UnreadableFileError: when it is empty or no CSV file.
    """
    try:
        with _opened(file) as stream:
            head = stream.read(_HEADER_LIMIT)
        text = head.decode("utf-8-sig", errors="replace")
        record = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except (OSError, EOFError, zlib.error, csv.Error) as err:
        raise UnreadableFileError(f"a file can't be read: {file.name}: {err}") from err
    names = [name.strip() for name in record]
    if not any(names):
        raise UnreadableFileError(
            f"{file.name} is empty, it has not even a header: it was cut or is still being written"
        )
    return _distinct(names)


def _opened(file: Path) -> io.BufferedIOBase | gzip.GzipFile:
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb")


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, numbered where one is empty or there again: the first is the one that counts."""
    found: list[str] = []
    seen: set[str] = set()
    for number, name in enumerate(names):
        unique = name if name and name.lower() not in seen else f"{name}#{number}"
        seen.add(unique.lower())
        found.append(unique)
    return tuple(found)


def _read(names: Sequence[str], files: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(file)) for file in files)
    columns = ", ".join(f"{literal(name)}: '{TEXT}'" for name in names)
    return (
        f"read_csv([{listed}], columns = {{{columns}}}, auto_detect = false, header = true, "
        "filename = true, quote = '\"', escape = '\"', delim = ',', strict_mode = true, "
        "hive_partitioning = false)"
    )

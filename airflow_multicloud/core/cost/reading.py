"""Exported files of any FOCUS version as canonical rows, exactly or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.csv_files import UnreadableFileError, csv_relation
from airflow_multicloud.core.cost.disk import full_disk
from airflow_multicloud.core.cost.engine_texts import gist
from airflow_multicloud.core.cost.focus import (
    COLUMNS,
    TAGS,
    TEXT,
    TIME,
    Column,
    lacking,
    literal,
    quoted,
)
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import FetchedPeriod, FileFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Raised whenever the canonical form changes, so that stored days are written again.
READER_VERSION = 2

#: Texts that stand for no value; 'NULL' is none of any FOCUS column, but some exports write it.
NULL_WORDS = ("NULL", "null")

# A list that names a key twice, or has an entry without one, is no map: the last one counts.
_MAP_OF_LIST = """
    CASE WHEN {raw} IS NULL THEN NULL ELSE map(
        list_distinct([x.key FOR x IN {raw} IF x.key IS NOT NULL]),
        [list_filter({raw}, lambda y: y.key = k)[-1].value
         FOR k IN list_distinct([x.key FOR x IN {raw} IF x.key IS NOT NULL])]
    ) END
"""

_NESTED = ("MAP(", "STRUCT(")
_TAG_LIST = "STRUCT(key VARCHAR, value VARCHAR)[]"


@dataclass(frozen=True, slots=True)
class Source:
    """An export's files, ready to be queried.

    :param relation: the files as SQL.
    :param columns: the file's columns → their types.
    """

    relation: str
    columns: dict[str, str]
    text: bool

    def select(self, *, day: str = "ChargeDate") -> str:
        """The canonical rows, with the UTC day of the charge."""
        kept = [c for c in COLUMNS if c.since is None or c.name in self.later()]
        chosen = ",\n".join(f"{self.value(c)} AS {quoted(c.name)}" for c in kept)
        return f"SELECT {chosen}, {self.day()} AS {quoted(day)} FROM {self.relation}"

    def day(self) -> str:
        """The UTC day that a row is charged for, as SQL."""
        return f"CAST({self.cast('ChargePeriodStart')} AS DATE)"

    def cast(self, name: str) -> str:
        """One canonical column, as SQL."""
        return self.value(next(c for c in COLUMNS if c.name == name))

    def name_of(self, column: Column) -> str | None:
        """What the file calls a canonical column."""
        lowered = {name.lower(): name for name in self.columns}
        for name in (column.name, *column.aliases):
            if name.lower() in lowered:
                return lowered[name.lower()]
        return None

    def has(self, name: str) -> bool:
        """Whether the file has a canonical column, by this name or another version's."""
        return self.name_of(next(c for c in COLUMNS if c.name == name)) is not None

    def missing(self) -> list[str]:
        """FOCUS's mandatory columns that the file lacks."""
        return [c.name for c in COLUMNS if c.mandatory and self.name_of(c) is None]

    def later(self) -> tuple[str, ...]:
        """The columns that versions after 1.2 added, as far as the file has them."""
        return tuple(c.name for c in COLUMNS if c.since and self.name_of(c) is not None)

    def raw(self, column: Column) -> str:
        """A column as the file has it, with the texts that stand for nothing made null.

        Files of FOCUS 1.3 have the old name and the new: the first that has a value counts.
        """
        lowered = {name.lower(): name for name in self.columns}
        names = (lowered.get(name.lower()) for name in (column.name, *column.aliases))
        present = [self._text(name) for name in names if name is not None]
        if not present:
            return "NULL"
        return present[0] if len(present) == 1 else f"coalesce({', '.join(present)})"

    def _text(self, name: str) -> str:
        if self.columns[name] != TEXT:
            return quoted(name)
        value = f"nullif(trim({quoted(name)}), '')"
        for word in NULL_WORDS:
            value = f"nullif({value}, '{word}')"
        return value

    def value(self, column: Column, *, cast: str = "CAST") -> str:
        """A canonical column's value, as SQL.

        :param cast: ``TRY_CAST``: null for what can't be read, which is an error otherwise.
        """
        name = self.name_of(column)
        raw = self.raw(column)
        kind = TEXT if name is None else self.columns[name]
        if column.type == TEXT and kind.startswith(_NESTED):
            # AWS's Parquet has SkuPriceDetails as a map; the store keeps JSON.
            return f"{cast}(to_json({raw}) AS {TEXT})"
        if column.type != TAGS or name is None:
            return f"{cast}({raw} AS {column.type})"
        if kind == TEXT:
            json = f"{cast}({raw} AS JSON)"
            listed = _MAP_OF_LIST.format(raw=f"{cast}({json} AS {_TAG_LIST})")
            return (
                f"CASE WHEN starts_with({raw}, '[') THEN {cast}({listed} AS {TAGS}) "
                f"ELSE {cast}({json} AS {TAGS}) END"
            )
        if kind.endswith("[]"):
            # BigQuery's ARRAY<STRUCT<key, value>>.
            return f"{cast}({_MAP_OF_LIST.format(raw=raw)} AS {TAGS})"
        return f"{cast}({raw} AS {TAGS})"


def open_source(connection: DuckDBPyConnection, fetched: FetchedPeriod) -> Source:
    """Look at the files' columns.

    :raises CostAnalysisError: kind ``integrity`` when a file can't be read or a required
        column is missing.
    """
    what = f"billing period {fetched.period.billing_period:%Y-%m} of {fetched.period.export}"
    if not fetched.files:
        raise CostAnalysisError(f"{what}: the export has no files", kind=ErrorKind.INTEGRITY)
    text = fetched.format is FileFormat.CSV
    with reading_errors(what):
        relation = csv_relation(fetched.files) if text else _parquet(fetched.files)
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    columns = {row[0]: str(row[1]) for row in described}
    columns.pop("filename", None)
    source = Source(relation, columns, text)
    if absent := lacking(columns):
        raise CostAnalysisError(
            f"{what}: this is no FOCUS export: column{'s' * (len(absent) > 1)} missing: "
            f"{', '.join(absent)}",
            kind=ErrorKind.INTEGRITY,
        )
    return source


def check_values(connection: DuckDBPyConnection, source: Source, what: str) -> None:
    """Find the value that can't be read, after a query over the source failed on one.

    :raises CostAnalysisError: kind ``integrity``, naming column, file and value.
    """
    for column in COLUMNS:
        name = source.name_of(column)
        if name is None or column.type in {TEXT, source.columns[name]}:
            continue
        raw = source.raw(column)
        parsed = source.value(column, cast="TRY_CAST")
        bad = connection.execute(
            f"SELECT {raw}, filename FROM {source.relation} "
            f"WHERE {raw} IS NOT NULL AND {parsed} IS NULL LIMIT 1"
        ).fetchone()
        if bad:
            raise CostAnalysisError(
                f"{what}: column {name} of {Path(bad[1]).name} has {_shown(bad[0])}, which is no "
                f"{_meant(column)}",
                kind=ErrorKind.INTEGRITY,
            )


def check_required(empty_rows: Mapping[Column, int], what: str) -> None:
    """Refuse rows without a value in a required column.

    :param empty_rows: required column → rows without a value in it.
    :raises CostAnalysisError: kind ``integrity``, naming the columns and how many rows.
    """
    empty = [f"{column.name} ({rows})" for column, rows in empty_rows.items() if rows]
    if empty:
        raise CostAnalysisError(
            f"{what}: rows without a value in {', '.join(empty)}", kind=ErrorKind.INTEGRITY
        )


@contextmanager
def reading_errors(what: str) -> Iterator[None]:
    """Have the query engine's errors say what was read; a full disk is told elsewhere."""
    import duckdb  # optional: extra "cost"

    try:
        yield
    except duckdb.OutOfMemoryException as err:
        if full_disk(err):
            raise
        raise CostAnalysisError(
            f"{what}: reading it needs more memory than the store allows itself: {gist(err)}",
            kind=ErrorKind.QUOTA,
        ) from err
    except duckdb.Error as err:
        if full_disk(err):
            raise  # in writing; the export's files are as they should be
        raise CostAnalysisError(
            f"{what}: a file can't be read: {gist(err)}", kind=ErrorKind.INTEGRITY
        ) from err
    except UnreadableFileError as err:
        raise CostAnalysisError(f"{what}: {err}", kind=ErrorKind.INTEGRITY) from err


def _parquet(files: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(file)) for file in files)
    return (
        f"read_parquet([{listed}], union_by_name = true, filename = true, "
        "hive_partitioning = false)"
    )


def _meant(column: Column) -> str:
    if column.type == TAGS:
        return "JSON object or list of tags, each key once"
    return "time" if column.type == TIME else "number"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - enough to find it

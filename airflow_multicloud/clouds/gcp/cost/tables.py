"""Billing tables in BigQuery: which form one has, and the SQL that each form needs.

Google adds rows and never changes one, so a billing month's latest export time is its version,
and the rows after an export time are what is new
(https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables).
"""
# ruff: noqa: S608 - the table is checked against its pattern, values are parameters

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from google.cloud.bigquery import SchemaField, Table

#: https://cloud.google.com/bigquery/docs/tables#table_naming and …/datasets#dataset-naming;
#: a project may have a domain in front ("example.com:project").
_LOCATION = re.compile(
    r"(?P<project>[a-z0-9.:-]{4,80})/(?P<dataset>\w{1,1024})/(?P<table>[\w\- ]{1,1024})"
)

_VERSION = "%Y-%m-%dT%H:%M:%S.%fZ"
#: How the pseudo column of tables partitioned by ingestion time is called.
_INGESTION = "_PARTITIONTIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingForm:
    """How one form of table is read.

    :param name: for messages.
    :param billing_period: the first day of the billing month, as SQL.
    :param export_time: the column with the time of the export.
    :param select: the wanted columns, as SQL.
    :param source: the tables and joins, as SQL, with ``{table}`` for the table; the alias of
        its rows is ``row``.
    :param one_to_one: whether each of the table's rows is one row of the result.
    """

    name: str
    billing_period: str
    export_time: str
    select: str
    source: str
    one_to_one: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table's schema has, by lower-case dotted path (names don't heed case)."""

    fields: dict[str, SchemaField]

    @classmethod
    def of(cls, schema: Iterable[SchemaField]) -> Columns:
        """Every field, nested ones too."""
        found: dict[str, SchemaField] = {}

        def walk(fields: Iterable[SchemaField], prefix: str) -> None:
            for field in fields:
                path = f"{prefix}{field.name.lower()}"
                found[path] = field
                walk(field.fields, f"{path}.")

        walk(schema, "")
        return cls(found)

    def has(self, path: str) -> bool:
        """Whether there is such a field."""
        return path.lower() in self.fields

    def get(self, path: str, otherwise: str = "NULL") -> str:
        """The field of ``row`` as SQL, or what to say when the table lacks it."""
        return f"row.{path}" if self.has(path) else otherwise

    def numeric(self, path: str) -> str:
        """A field of ``row`` as NUMERIC; floating point numbers by their shortest text."""
        if not self.has(path):
            return "CAST(NULL AS NUMERIC)"
        exact = self.fields[path.lower()].field_type == "NUMERIC"
        return f"row.{path}" if exact else as_numeric(f"row.{path}")

    def tags(self, paths: Sequence[str]) -> str:
        """Lists of key and value as one without repeated keys, as SQL; earlier lists win."""
        lists = [
            path
            for path in paths
            if self.has(f"{path}.key")
            and self.has(f"{path}.value")
            and self.fields[path.lower()].mode == "REPEATED"
        ]
        if not lists:
            return "CAST(NULL AS STRING)"
        pairs = " UNION ALL ".join(
            f"SELECT tag.key AS key, tag.value AS value, {rank} AS rank "
            f"FROM UNNEST(row.{path}) AS tag"
            for rank, path in enumerate(lists)
        )
        return (
            "ARRAY(SELECT AS STRUCT pair.key AS key, "
            "ARRAY_AGG(pair.value ORDER BY pair.rank LIMIT 1)[OFFSET(0)] AS value "
            f"FROM ({pairs}) AS pair WHERE pair.key IS NOT NULL GROUP BY pair.key)"
        )


def as_numeric(number: str) -> str:
    """A floating point number as NUMERIC, rounded to its nine decimals, as SQL."""
    return f"PARSE_NUMERIC(CAST({number} AS STRING))"


def table_id(export: str) -> str:
    """``project/dataset/table`` as BigQuery writes it.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    found = _LOCATION.fullmatch(export)
    if found is None:
        raise CostAnalysisError(
            f"export: {export!r} given, allowed is project/dataset/table",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    return f"{found['project']}.{found['dataset']}.{found['table']}"


def version_of(exported_at: datetime) -> str:
    """An export time as a version, to the microsecond that BigQuery keeps."""
    return exported_at.astimezone(UTC).strftime(_VERSION)


def watermark(name: str, version: str) -> datetime:
    """The export time in a version.

    :raises CostAnalysisError: kind ``invalid_argument``, naming the parameter.
    """
    try:
        return datetime.strptime(version, _VERSION).replace(tzinfo=UTC)
    except ValueError as err:
        raise CostAnalysisError(
            f"{name}: {version!r} given, allowed is a version that list_billing_periods gave, "
            "like '2026-10-02T03:04:05.678900Z'",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        ) from err


def periods_sql(form: BillingForm, table: str) -> str:
    """The billing months, with their latest export time and how many rows there are."""
    return (
        f"SELECT {form.billing_period} AS BillingPeriod, "
        f"MAX(row.{form.export_time}) AS ExportTime, COUNT(*) AS RowCount "
        f"FROM `{table}` AS row GROUP BY BillingPeriod ORDER BY BillingPeriod"
    )


def where_sql(form: BillingForm, *, after: bool) -> str:
    """One month's rows up to a version; parameters ``period``, ``version`` and ``after``."""
    later = f" AND row.{form.export_time} > @after" if after else ""
    return f"{form.billing_period} = @period AND row.{form.export_time} <= @version{later}"


def extent_sql(form: BillingForm, table: Table, *, after: bool) -> str:
    """Where the wanted rows lie: partition days, and the latest export time in each.

    Reads a few narrow columns. Which partition a row is in can't be told from its month (a
    correction may lie with the usage that it corrects), so it is asked instead of assumed.
    """
    day = _partition_day(table) or "CAST(NULL AS DATE)"
    return (
        f"SELECT {day} AS Day, MAX(row.{form.export_time}) AS ExportTime "
        f"FROM `{_name(table)}` AS row WHERE {where_sql(form, after=after)} "
        "GROUP BY Day ORDER BY Day"
    )


def rows_sql(form: BillingForm, table: Table, days: Sequence[date | None], *, after: bool) -> str:
    """The rows themselves, from the partitions of these days only."""
    source = form.source.format(table=f"`{_name(table)}`")
    conditions = where_sql(form, after=after)
    partition_day = _partition_day(table)
    if partition_day and days and None not in days:
        listed = ", ".join(f"DATE '{day}'" for day in days)
        conditions += f" AND {partition_day} IN ({listed})"
    return f"SELECT {form.select} FROM {source} WHERE {conditions}"


def _name(table: Table) -> str:
    return f"{table.project}.{table.dataset_id}.{table.table_id}"


def _partition_day(table: Table) -> str | None:
    """The day of a row's partition as SQL that BigQuery prunes partitions by."""
    partitioning = table.time_partitioning
    if partitioning is None or table.table_type != "TABLE":
        return None
    if not partitioning.field:
        return f"DATE({_INGESTION})"
    return day_sql(table.schema, str(partitioning.field))


def day_sql(schema: Iterable[SchemaField], column: str) -> str:
    """The day of a date or time, as SQL."""
    types = {field.name.lower(): field.field_type for field in schema}
    return f"row.{column}" if types.get(column.lower()) == "DATE" else f"DATE(row.{column})"

"""Google's own FOCUS export table: nearly everything is there already.

https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/focus-export
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.cost.tables import BillingForm, Columns, day_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.cloud.bigquery import SchemaField

EXPORT_TIME = "x_ExportTime"
_PERIOD = "BillingPeriodStart"
_TAGS = "Tags"

#: Where tags may be: the labels of the resource and of its project may stand apart.
_TAG_LISTS = (_TAGS, "x_Labels", "x_ProjectLabels")

#: Types that Parquet's readers don't take, or not exactly.
_AS_TEXT = {
    "BIGNUMERIC": "CAST(row.{0} AS STRING) AS {0}",
    "BIGDECIMAL": "CAST(row.{0} AS STRING) AS {0}",
    "JSON": "TO_JSON_STRING(row.{0}) AS {0}",
}


def focus_form(schema: Sequence[SchemaField]) -> BillingForm | None:
    """How a FOCUS export is read; ``None`` when the table is none."""
    columns = Columns.of(schema)
    if not (columns.has(EXPORT_TIME) and columns.has(_PERIOD) and columns.has("BilledCost")):
        return None
    return BillingForm(
        name="FOCUS export",
        billing_period=f"DATE_TRUNC({day_sql(schema, _PERIOD)}, MONTH)",
        export_time=EXPORT_TIME,
        select=", ".join(_column(field, columns) for field in schema),
        source="{table} AS row",
        one_to_one=True,
    )


def _column(field: SchemaField, columns: Columns) -> str:
    quoted = f"`{field.name}`"
    if field.name.lower() == _TAGS.lower() and field.mode == "REPEATED":
        return f"{columns.tags(_TAG_LISTS)} AS {quoted}"
    if field.mode != "REPEATED" and field.field_type in _AS_TEXT:
        return _AS_TEXT[field.field_type].format(quoted)
    return f"row.{quoted}"

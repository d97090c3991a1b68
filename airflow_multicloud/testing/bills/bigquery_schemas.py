"""The schemas of Google's BigQuery billing exports.

https://docs.cloud.google.com/billing/docs/how-to/export-data-bigquery-tables
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_multicloud.testing.bills.files import FOCUS_COLUMNS, kind_of


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a BigQuery table."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple[Field, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the API's ``TableFieldSchema`` has it."""
        found: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.fields:
            found["fields"] = [field.as_json() for field in self.fields]
        return found


def _key_values(name: str, *more: Field) -> Field:
    pair = (Field("key", "STRING"), Field("value", "STRING"), *more)
    return Field(name, "RECORD", "REPEATED", pair)


_BIGQUERY_TYPES = {"number": "NUMERIC", "time": "TIMESTAMP", "text": "STRING"}

#: The FOCUS table's columns.
FOCUS_SCHEMA: tuple[Field, ...] = (
    *(
        _key_values("Tags") if name == "Tags" else Field(name, _BIGQUERY_TYPES[kind_of(name)])
        for name in FOCUS_COLUMNS
    ),
    Field("x_ExportTime", "TIMESTAMP"),
)

#: The standard table's columns; the detailed one has ``resource`` as well.
STANDARD_SCHEMA: tuple[Field, ...] = (
    Field("billing_account_id", "STRING"),
    Field("service", "RECORD", fields=(Field("id", "STRING"), Field("description", "STRING"))),
    Field("sku", "RECORD", fields=(Field("id", "STRING"), Field("description", "STRING"))),
    Field("usage_start_time", "TIMESTAMP"),
    Field("usage_end_time", "TIMESTAMP"),
    Field(
        "project",
        "RECORD",
        fields=(
            Field("id", "STRING"),
            Field("number", "STRING"),
            Field("name", "STRING"),
            _key_values("labels"),
        ),
    ),
    _key_values("labels"),
    _key_values("system_labels"),
    Field(
        "location",
        "RECORD",
        fields=tuple(Field(name, "STRING") for name in ("location", "country", "region", "zone")),
    ),
    Field("export_time", "TIMESTAMP"),
    Field("cost", "FLOAT"),
    Field("currency", "STRING"),
    Field("currency_conversion_rate", "FLOAT"),
    Field(
        "usage",
        "RECORD",
        fields=(
            Field("amount", "FLOAT"),
            Field("unit", "STRING"),
            Field("amount_in_pricing_units", "FLOAT"),
            Field("pricing_unit", "STRING"),
        ),
    ),
    Field(
        "credits",
        "RECORD",
        "REPEATED",
        (
            Field("name", "STRING"),
            Field("amount", "FLOAT"),
            Field("full_name", "STRING"),
            Field("id", "STRING"),
            Field("type", "STRING"),
        ),
    ),
    Field("invoice", "RECORD", fields=(Field("month", "STRING"),)),
    Field("cost_type", "STRING"),
    Field(
        "adjustment_info",
        "RECORD",
        fields=tuple(Field(name, "STRING") for name in ("id", "description", "mode", "type")),
    ),
    Field("cost_at_list", "FLOAT"),
    Field("transaction_type", "STRING"),
    Field("seller_name", "STRING"),
)
DETAILED_SCHEMA: tuple[Field, ...] = (
    *STANDARD_SCHEMA,
    Field(
        "resource",
        "RECORD",
        fields=(Field("name", "STRING"), Field("global_name", "STRING")),
    ),
)

"""A bill as a view: usage, what follows from it, and how it was restated."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.fixed_rows import create_fixed
from airflow_multicloud.testing.bills.restated_rows import restated_rows
from airflow_multicloud.testing.bills.usage_rows import create_usage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.testing.bills.options import BillOptions, Restatement


def create_bill(
    connection: DuckDBPyConnection, options: BillOptions, restatements: tuple[Restatement, ...]
) -> None:
    """Create the view ``bill``; usage is never held, the few other rows are a table."""
    create_usage(connection, options)
    create_fixed(connection, options)
    connection.execute(
        "CREATE VIEW bill_0 AS SELECT * FROM usage UNION ALL BY NAME SELECT * FROM fixed"
    )
    for version, restatement in enumerate(restatements, 1):
        sql = restated_rows(f"bill_{version - 1}", version, options, restatement)
        connection.execute(f"CREATE VIEW bill_{version} AS {sql}")
    connection.execute(f"CREATE VIEW bill AS SELECT * FROM bill_{len(restatements)}")

"""A part of the Kusto Query Language, over rows in memory.

After https://learn.microsoft.com/kusto/query/ and the grammar that Microsoft publishes
(https://github.com/microsoft/Kusto-Query-Language): string literals with all their forms, the
operators that log queries need, and errors for whatever is not here.
"""

from __future__ import annotations

from airflow_multicloud.testing.local_clouds.azure.logs.kql.parsing import parse
from airflow_multicloud.testing.local_clouds.azure.logs.kql.pipelines import Database, run
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSemanticError,
    KqlSyntaxError,
    Relation,
)

__all__ = ["Database", "KqlSemanticError", "KqlSyntaxError", "Relation", "ask"]


def ask(query: str, database: Database) -> Relation:
    """What a query finds.

    :param database: the tables by name.
    :raises KqlSyntaxError: when it is no query, or of a part of the language that is not here.
    :raises KqlSemanticError: when it names what is not there, or compares what can't be compared.
    """
    return run(parse(query), database)

"""Daily sums, whichever version of this package wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.core.cost.focus import COSTS, ROLLUP
from airflow_multicloud.core.cost.store.engine import files_relation
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.names import digest_in

#: What a rollup has: its dimensions, the sums, and of how many rows they are.
ROLLUP_COLUMNS = (*ROLLUP, *COSTS, "Charges")
_ADDED = "BillingAccountId"


def is_former(name: str) -> bool:
    """Whether a rollup is of before the billing account was one of its dimensions."""
    return digest_in(name) is None


def rollups(files: Files, names: Sequence[str], *, where: str = "") -> str:
    """Rollups as a query with :data:`ROLLUP_COLUMNS`.

    :param names: at least one.
    :param where: a condition on each row, as SQL.
    """
    condition = f" WHERE {where}" if where else ""
    kinds = ([n for n in names if not is_former(n)], [n for n in names if is_former(n)])
    stand_in = f"CAST(NULL AS VARCHAR) AS {_ADDED}"
    return " UNION ALL ".join(
        f"SELECT {', '.join(stand_in if former and c == _ADDED else c for c in ROLLUP_COLUMNS)} "
        f"FROM {files_relation(files.local(group))}{condition}"
        for former, group in enumerate(kinds)
        if group
    )

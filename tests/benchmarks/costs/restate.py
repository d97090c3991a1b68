"""``python -m tests.benchmarks.costs.restate CACHE ROWS``: one restated day of one month.

The store has the first version; the section is :meth:`CostStore.ingest` of the second, whose
files were fetched already. It must have found just the day that differs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from airflow_multicloud.core.cost.store import CostStore
from tests.benchmarks.costs.data import MONTH, RESTATED_DAY, copy_store, one_month
from tests.benchmarks.section import measured


def main() -> None:
    """Ingest and check."""
    import duckdb  # noqa: F401 - before the section, as every import

    cache, rows = Path(sys.argv[1]), int(sys.argv[2])
    root, _, second = one_month(cache, rows)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        place = Path(directory)
        copy_store(root, place / "store")
        fetched = second.fetched(place / "fetched", export="focus", version="2")
        store = CostStore.open(place / "store")
        with measured():
            change = store.ingest("aws", fetched)
        if change.days_written != (MONTH.replace(day=RESTATED_DAY),) or not change.restatements:
            raise SystemExit(f"days {change.days_written} were written again")
        with store.connect() as connection:
            sums = ", ".join(f"sum({c})" for c in COSTS)
            for view in ("costs", "rollup"):
                found = connection.execute(f"SELECT {sums} FROM {view}").fetchone()
                if found != second.costs:
                    raise SystemExit(f"{view} has {found}, the bill {second.costs}")


COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")

if __name__ == "__main__":
    main()

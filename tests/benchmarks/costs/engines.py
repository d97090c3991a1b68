"""``python -m tests.benchmarks.costs.engines ENGINE DIMENSION STORE OUT``: one breakdown.

What the section measures starts after the imports. The costs found are written to OUT, as
``[[cloud, dimension's value, charge category, billed, effective, list, contracted], …]``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from tests.benchmarks.costs.data import END, MONTH
from tests.benchmarks.section import measured

Rows = list[tuple[str, str, str, Decimal, Decimal, Decimal, Decimal]]
_COSTS = ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"]
#: How often the warm one asks before it is measured.
_WARM = 5


def ours(dimension: str, store: Path, *, warm: bool = False) -> Rows:
    """``CloudCostAnalyzer.compare_costs``, with the connection to the store."""
    from airflow_multicloud.api.cost.analyzer import CloudCostAnalyzer

    _import_questions()
    analyzer = CloudCostAnalyzer(store)
    for _ in range(_WARM if warm else 0):
        analyzer.compare_costs(MONTH, END, group_by=("Cloud", dimension))
    with measured():
        found = analyzer.compare_costs(MONTH, END, group_by=("Cloud", dimension))
    return [
        (*line.group, category, costs.billed, costs.effective, costs.list, costs.contracted)
        for report in found.reports
        for line in report.lines
        for category, costs in line.by_category.items()
    ]


def ours_warm(dimension: str, store: Path) -> Rows:
    """The same, in a process that has asked before."""
    return ours(dimension, store, warm=True)


def polars(dimension: str, store: Path) -> Rows:
    """A lazy scan, streamed."""
    import polars as pl

    keys = ["Cloud", dimension, "ChargeCategory"]
    with measured():
        found = (
            pl.scan_parquet(_files(store))
            .group_by(keys)
            .agg([pl.col(cost).sum() for cost in _COSTS])
            .collect(engine="streaming")
        )
    return [_row(row) for row in found.select([*keys, *_COSTS]).rows()]


def pandas(dimension: str, store: Path) -> Rows:
    """Only the columns needed, in Arrow's types."""
    import pandas as pd
    import pyarrow  # noqa: F401, ICN001 - before the section, as every import

    keys = ["Cloud", dimension, "ChargeCategory"]
    with measured():
        frame = pd.read_parquet(
            _files(store),
            engine="pyarrow",
            columns=[*keys, *_COSTS],
            dtype_backend="pyarrow",
            partitioning=None,
        )
        found = frame.groupby(keys, dropna=False)[_COSTS].sum().reset_index()
    return [_row(row) for row in found.itertuples(index=False)]


ENGINES: dict[str, Callable[[str, Path], Rows]] = {
    "ours": ours,
    "ours, warm": ours_warm,
    "Polars": polars,
    "pandas": pandas,
}


def _import_questions() -> None:
    import currency_converter  # noqa: F401
    import duckdb  # noqa: F401

    import airflow_multicloud.core.cost.compare
    import airflow_multicloud.core.cost.store  # noqa: F401


def _files(store: Path) -> list[str]:
    return [str(file) for file in sorted((store / "focus").rglob("*.parquet"))]


def _row(row: tuple[object, ...]) -> tuple[str, str, str, Decimal, Decimal, Decimal, Decimal]:
    cloud, value, category, *costs = row
    billed, effective, listed, contracted = (Decimal(str(cost)) for cost in costs)
    named = value if isinstance(value, str) and value else "(none)"
    return str(cloud), named, str(category), billed, effective, listed, contracted


def main() -> None:
    """Ask, and keep the answer."""
    engine, dimension, store, out = sys.argv[1:]
    rows = ENGINES[engine](dimension, Path(store))
    # Sorted and without trailing zeros: the same costs give the same text.
    texts = sorted([*row[:3], *(f"{cost.normalize():f}" for cost in row[3:])] for row in rows)
    Path(out).write_text(json.dumps(texts))


if __name__ == "__main__":
    main()

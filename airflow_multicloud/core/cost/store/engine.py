"""The embedded query engine, bounded and in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import literal
from airflow_multicloud.extras import require_extra

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: DuckDB's own bound; what does not fit is spilled to disk.
MEMORY_LIMIT = "256MB"

#: Each thread needs buffers of its own; with one a core, many cores would not fit the bound.
THREADS = 2


@contextmanager
def open_engine(spill: Path) -> Iterator[DuckDBPyConnection]:
    """A connection of its own, in memory.

    Its memory is bounded, and it neither loads nor installs extensions: nothing is fetched.

    :param spill: where what exceeds memory goes; DuckDB's default is the working directory.
    """
    require_extra("duckdb", "cost")
    import duckdb  # optional: extra "cost"

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": THREADS,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Row order means nothing here, and keeping it costs memory.
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def files_relation(files: Sequence[Path]) -> str:
    """Parquet files of one schema, as SQL; directories called ``a=b`` mean nothing."""
    listed = ", ".join(literal(str(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"

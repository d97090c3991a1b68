"""Query results as a Parquet file, a few thousand rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Rows of one row group, also what is held at once: DuckDB's own size.
_GROUP_ROWS = 122_880
#: Less when rows are wide.
_GROUP_BYTES = 64 << 20


def write_parquet(batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write batches as they come; returns the number of rows. No batch: no file."""
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for group in _groups(batches):
            if writer is None:
                writer = pq.ParquetWriter(path, group.schema, compression="zstd")
            writer.write_table(group, row_group_size=_GROUP_ROWS)
            rows += group.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)

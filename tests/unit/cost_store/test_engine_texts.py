"""What DuckDB says in words alone: another version may say it otherwise, and these tests tell."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.core.cost.engine_texts import (
    IN_FILE,
    NO_ROOM_TO_SPILL,
    WRONG,
    full_disk_in,
    gist,
)

CHANGED = (
    f"DuckDB {duckdb.__version__} says it in other words; have airflow_multicloud/core/cost/"
    "engine_texts.py look for these:\n"
)


def refused(content: bytes, path: Path) -> duckdb.Error:
    """What the engine says of a CSV file of two columns."""
    path.write_bytes(content)
    with duckdb.connect() as engine, pytest.raises(duckdb.Error) as caught:
        engine.execute(
            f"FROM read_csv('{path}', columns = {{'a': 'VARCHAR', 'b': 'VARCHAR'}}, "
            "auto_detect = false, header = true, strict_mode = true, quote = '\"', "
            "escape = '\"', delim = ',')"
        ).fetchall()
    return caught.value


#: Text → a file about which it is said.
BROKEN = {
    "Expected Number of Columns": b"a,b\n1,2\n1,2,3\n",
    "Value with unterminated quote": b'a,b\n1,"2\n',
    "Invalid unicode": b"a,b\n1,\xff\xfe\n",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_broken_file_and_what_is_wrong_with_it(words: str, tmp_path: Path) -> None:
    content = BROKEN[words]
    err = refused(content, tmp_path / "bill.csv")
    lines = [line.strip() for line in str(err).splitlines()]
    assert any(IN_FILE.fullmatch(line) for line in lines), f"{CHANGED}the file's name: {err}"
    assert any(line.startswith(words) for line in lines), f"{CHANGED}{words}: {err}"
    assert gist(err).startswith("bill.csv: ")
    assert words in gist(err)


def test_no_room_to_spill(tmp_path: Path) -> None:
    bounds: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(tmp_path),
        "memory_limit": "20MB",
        "max_temp_directory_size": "1MB",
        "threads": 1,
    }
    with (
        duckdb.connect(config=bounds) as engine,
        pytest.raises(duckdb.OutOfMemoryException) as caught,
    ):
        engine.execute("SELECT range, random() AS r FROM range(10000000) ORDER BY r").fetchall()
    assert NO_ROOM_TO_SPILL in str(caught.value), f"{CHANGED}{caught.value}"
    assert full_disk_in(caught.value, ()) == os.strerror(errno.ENOSPC)


def test_a_full_device() -> None:
    with duckdb.connect() as engine, pytest.raises(duckdb.Error) as caught:
        engine.execute("COPY (SELECT range FROM range(100000)) TO '/dev/full' (FORMAT csv)")
    words = full_disk_in(caught.value, (errno.ENOSPC,))
    assert words == os.strerror(errno.ENOSPC), f"{CHANGED}{type(caught.value)}: {caught.value}"


def test_what_is_no_full_disk() -> None:
    with duckdb.connect() as engine, pytest.raises(duckdb.IOException) as caught:
        engine.execute("FROM read_csv('/absent.csv')")
    assert full_disk_in(caught.value, (errno.ENOSPC,)) is None
    assert full_disk_in(OSError(errno.ENOSPC, "No space left on device"), (errno.ENOSPC,)) is None

"""Puts DuckDB's spatial extension where DuckDB looks for it; runs in bqemulator's own venv.

``python extension.py`` copies it from its package to ``duckdb/extensions`` of the working
directory, the layout of ``~/.duckdb``:
https://duckdb.org/docs/stable/extensions/installing_extensions
"""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import duckdb


def main() -> None:
    """Copy the one file, and load it to be sure that it fits."""
    version = f"v{duckdb.__version__}"
    ((platform,),) = duckdb.execute("PRAGMA platform").fetchall()
    target = Path("duckdb", "extensions", version, str(platform))
    target.mkdir(parents=True)
    package = files("duckdb_extension_spatial")
    with as_file(package / "extensions" / version / "spatial.duckdb_extension") as source:
        shutil.copy(source, target)
        duckdb.connect(config={"extension_directory": str(target.parents[1])}).load_extension(
            "spatial"
        )


if __name__ == "__main__":
    main()

"""What the query engine's errors say in words alone.

DuckDB tells kinds of errors apart by class, but not which file is broken, what is wrong with it,
or that a disk is full: that is in the texts. All texts that are relied on are here, and
``tests/unit/cost_store/test_engine_texts.py`` says which one another version of DuckDB changed.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: The line of an error about a CSV file that names it.
IN_FILE = re.compile(r"file = (.+)")
#: How the lines begin that say what is wrong with it.
WRONG = ("Expected Number of Columns", "Value with unterminated quote", "Invalid unicode")
#: The engine looks up how much room there is for what it spills, and refuses before the disk does.
NO_ROOM_TO_SPILL = "failed to offload data block"


def full_disk_in(err: BaseException, codes: Iterable[int]) -> str | None:
    """In the system's words what is full, when an error of the engine says so.

    :param codes: numbers of errors of the system that mean it.
    """
    # Where the engine was not loaded, the error is not the engine's.
    duckdb: Any = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(err, (duckdb.IOException, duckdb.OutOfMemoryException)):
        return None
    if NO_ROOM_TO_SPILL in str(err):
        return os.strerror(errno.ENOSPC)
    return next((words for words in map(os.strerror, sorted(codes)) if words in str(err)), None)


def gist(err: Exception) -> str:
    """What a reader needs of an error's many lines: what is wrong, where, in which file."""
    first, *more = str(err).splitlines() or [type(err).__name__]
    file = next((m[1] for line in more if (m := IN_FILE.fullmatch(line.strip()))), None)
    wrong = next((line for line in more if line.startswith(WRONG)), None)
    parts = [f"{Path(file).name}: {first}" if file else first, *([wrong] if wrong else [])]
    return ": ".join(parts)[:500]

"""How much room there is."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_space(directory: Path) -> str:
    """The bytes free in a directory, in words."""
    try:
        return f"{shutil.disk_usage(directory).free:,} bytes"
    except OSError:
        return "an unknown number of bytes"

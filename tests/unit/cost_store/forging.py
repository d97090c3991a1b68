"""What somebody who may write to a store's place can put there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path


def snapshot_name(text: bytes, sequence: int = 99) -> str:
    """The name that vouches for a snapshot."""
    digest = hashlib.sha256(text).hexdigest()
    return f"snapshots/{sequence:08d}-20261101T000000Z-0123abcd-{digest}.json"


def forge(root: Path, change: Callable[[str], str]) -> str:
    """Make a changed copy of the current snapshot of a directory the current one."""
    pointer = root / "CURRENT"
    text = change((root / pointer.read_text()).read_text()).encode()
    name = snapshot_name(text)
    (root / name).write_bytes(text)
    pointer.write_text(name)
    return name

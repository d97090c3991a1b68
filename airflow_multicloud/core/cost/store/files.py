"""What a cost store needs of the place where it keeps its files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from airflow_multicloud.ports.object_store import IfUnchanged


@dataclass(frozen=True, slots=True)
class Pointer:
    """The name of the current snapshot, and what tells it from any other pointer."""

    snapshot: str
    token: IfUnchanged | None = None


class Files(Protocol):
    """What a store needs of a place."""

    @property
    def directory(self) -> Path:
        """Where it writes on local disk."""
        ...

    def place(self, name: str) -> str:
        """For messages: where a file is."""
        ...

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        ...

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        ...

    def publish(self, file: Path, name: str) -> None:
        """Keep a local file under a new name; it may be moved away. Durable on return."""
        ...

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files on local disk, brought there if need be.

        :raises CostAnalysisError: kind ``integrity`` when one is missing or is not what its name
            says.
        """
        ...

    def read(self, name: str) -> bytes:
        """A small file's content as it is; the caller holds it against its name."""
        ...

    def names(self) -> Iterator[str]:
        """Every file's name but the pointer's."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file that nothing refers to; one that is gone is no error."""
        ...

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """An empty directory, on the file system that :meth:`publish` moves to."""
        ...

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs that nothing was added to since ``before``."""
        ...

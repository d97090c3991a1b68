"""The store's current snapshot, the pointer that names it, and the one that is to follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from airflow_multicloud.core.cost.store.decode import snapshot_of
from airflow_multicloud.core.cost.store.files import Files, Pointer
from airflow_multicloud.core.cost.store.snapshot import Snapshot
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

#: How often the pointer is swapped again when another run was first.
TRIES = 20


@dataclass(frozen=True, slots=True)
class State:
    """The current snapshot and the pointer that named it."""

    pointer: Pointer | None
    snapshot: Snapshot


def load(files: Files) -> State:
    """The current state; an empty snapshot in a new store."""
    pointer = files.pointer()
    if pointer is None:
        return State(None, Snapshot())
    return State(pointer, read_snapshot(files, pointer.snapshot))


def read_snapshot(files: Files, name: str) -> Snapshot:
    """A snapshot, once it is the one that its name says.

    :raises CostAnalysisError: kind ``unsupported`` when another version of this package wrote
        it; kind ``integrity`` when it is not there or damaged.
    """
    return snapshot_of(files.read(name), name, files.place(""))


def write_snapshot(
    files: Files, snapshot: Snapshot, run: str, publish: Callable[[Path, str, str], str]
) -> str:
    """Write a snapshot that no pointer names yet; returns its name.

    :param run: the run's name.
    :param publish: what keeps the file, and says its name.
    """
    with files.workspace() as directory:
        path = Path(directory) / "snapshot.json"
        path.write_bytes(snapshot.to_json())
        return publish(path, f"snapshots/{snapshot.sequence:08d}-{run}", ".json")


def outrun() -> CostAnalysisError:
    """What is raised when every try found that another run was first."""
    return CostAnalysisError(
        f"cost store: other runs changed it {TRIES} times in a row", kind=ErrorKind.UNAVAILABLE
    )

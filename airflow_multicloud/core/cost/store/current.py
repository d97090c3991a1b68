"""The store's current snapshot, and the pointer that names it."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_multicloud.core.cost.store.decode import snapshot_of
from airflow_multicloud.core.cost.store.files import Files, Pointer
from airflow_multicloud.core.cost.store.snapshot import Snapshot


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

"""The store's current snapshot, and the pointer that names it."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_multicloud.core.cost.store.files import Files, Pointer
from airflow_multicloud.core.cost.store.snapshot import Snapshot
from airflow_multicloud.errors import CostAnalysisError, ErrorKind


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
    (path,) = files.local([pointer.snapshot])
    try:
        text = path.read_bytes()
    except FileNotFoundError as err:
        raise CostAnalysisError(
            f"cost store: snapshot {pointer.snapshot}, which CURRENT names, is not there",
            kind=ErrorKind.INTEGRITY,
        ) from err
    return State(pointer, Snapshot.from_json(text, pointer.snapshot))

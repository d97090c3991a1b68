"""Taking an export out of the store again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from airflow_multicloud.core.cost.store.current import load
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.names import run_name, sha256_of
from airflow_multicloud.core.cost.store.snapshot import Period, Snapshot
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.locations import parse_location

_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which periods are meant.

    :param export: the store's name of it, or its URI.
    """

    export: str
    cloud: str | None
    billing_period: date | None

    def of(self, snapshot: Snapshot) -> tuple[Period, ...]:
        """Those of a snapshot.

        :raises CostAnalysisError: kind ``not_found``, naming what there is; kind
            ``invalid_argument`` when several clouds have such an export.
        """
        name = self.export.rstrip("/")
        if "://" in name:
            location = parse_location(name, parameter="export")
            name = f"{location.bucket}/{location.key}".rstrip("/")
        found = tuple(
            period
            for period in snapshot.periods
            if period.export == name
            and self.cloud in {None, period.cloud}
            and self.billing_period in {None, period.billing_period}
        )
        if not found:
            held = sorted({f"{p.cloud} {p.export}" for p in snapshot.periods})
            month = f"{self.billing_period:%Y-%m} of " if self.billing_period else ""
            raise CostAnalysisError(
                f"export: the cost store has no {month}{self.cloud or ''} {name}".replace("  ", " ")
                + f"; it has: {', '.join(held) or 'none'}",
                kind=ErrorKind.NOT_FOUND,
                cloud=self.cloud,
            )
        clouds = sorted({period.cloud for period in found})
        if len(clouds) > 1:
            raise CostAnalysisError(
                f"cloud: {', '.join(clouds)} each have an export {name}; say which is meant",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return found


def remove(files: Files, chosen: Chosen, *, now: datetime) -> tuple[Period, ...]:
    """Make a snapshot without these periods the current one; returns what is gone."""
    for _ in range(_TRIES):
        state = load(files)
        gone = chosen.of(state.snapshot)
        snapshot = state.snapshot.without(gone)
        with files.workspace() as directory:
            path = Path(directory) / "snapshot.json"
            path.write_bytes(snapshot.to_json())
            name = f"snapshots/{snapshot.sequence:08d}-{run_name(now)}-{sha256_of(path)}.json"
            files.publish(path, name)
        if files.swap(state.pointer, name):
            return gone
        pointer = files.pointer()
        if pointer is not None and pointer.snapshot == name:
            return gone  # the answer of the write was lost, and it was sent again
    raise CostAnalysisError(
        f"cost store: other runs changed it {_TRIES} times in a row", kind=ErrorKind.UNAVAILABLE
    )

"""Taking an export out of the store again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.exports import export_name
from airflow_multicloud.core.cost.store.current import TRIES, load, outrun, write_snapshot
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.names import name_of, run_name
from airflow_multicloud.core.cost.store.snapshot import Period, Snapshot
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.locations import parse_location


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
            name = export_name(parse_location(name, parameter="export"))
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


@operation("cost.remove_export")
def remove(files: Files, chosen: Chosen, *, now: datetime) -> tuple[Period, ...]:
    """Make a snapshot without these periods the current one; returns what is gone."""

    def publish(file: Path, stem: str, ending: str) -> str:
        name = name_of(file, stem, ending)
        files.publish(file, name)
        return name

    with disk_errors(files.directory, f"removing {chosen.export}"):
        for _ in range(TRIES):
            state = load(files)
            gone = chosen.of(state.snapshot)
            snapshot = state.snapshot.without(gone)
            if files.swap(state.pointer, write_snapshot(files, snapshot, run_name(now), publish)):
                return gone
    raise outrun()

"""What is odd about a bill: reported, never dropped.

The rules are those that readers of bills trip over: see each rule's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.quality.exported import export_rules
from airflow_multicloud.core.cost.quality.findings import QualityFinding, Severity
from airflow_multicloud.core.cost.quality.stored import (
    NO_ROWS,
    duplicates,
    left_out,
    row_rules,
    totals,
)
from airflow_multicloud.core.cost.reading import reading_errors
from airflow_multicloud.core.cost.store import CostStore, Snapshot
from airflow_multicloud.core.cost.store.charges import charges
from airflow_multicloud.core.cost.store.engine import open_engine
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

__all__ = ["QualityFinding", "QualityReport", "Severity", "check_quality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What was found in one billing period."""

    cloud: str
    export: str
    billing_period: date
    rows: int
    findings: tuple[QualityFinding, ...]

    DOCUMENT: ClassVar = Document(
        ("cloud", "export", "billing_period", "rows", "sound", "findings")
    )

    @property
    def sound(self) -> bool:
        """Whether there is no error; warnings may be."""
        return not any(f.severity is Severity.ERROR for f in self.findings)


@operation("cost.check_quality")
def check_quality(
    store: CostStore,
    cloud: str,
    export: str,
    billing_period: date,
    *,
    snapshot: Snapshot | None = None,
) -> QualityReport:
    """Check one ingested period.

    :param snapshot: of :meth:`CostStore.snapshot`, so that several checks have the same.
    :raises CostAnalysisError: kind ``not_found`` when the store has no such period; kind
        ``integrity`` for a file that can't be read.
    """
    held = snapshot or store.snapshot()
    period = held.period(cloud, export, billing_period)
    if period is None:
        raise CostAnalysisError(
            f"the cost store {store.root} has no {billing_period:%Y-%m} of {cloud} {export}",
            kind=ErrorKind.NOT_FOUND,
            cloud=cloud,
        )
    with (
        disk_errors(store.files.directory, f"checking {billing_period:%Y-%m} of {export}"),
        store.files.workspace() as spill,
        open_engine(Path(spill)) as engine,
        reading_errors(f"{billing_period:%Y-%m} of {export} in the cost store"),
    ):
        findings = tuple(left_out(engine, store.files, held, period))
        if period.rows:
            engine.execute(f"CREATE VIEW bill AS {charges(store.files, period.days())}")
            findings = (
                *row_rules(engine, period),
                *duplicates(engine),
                *export_rules(engine, store, period),
                *totals(engine, period),
                *findings,
            )
        else:
            findings = (NO_ROWS, *findings)
    return QualityReport(
        cloud=cloud,
        export=export,
        billing_period=billing_period,
        rows=period.rows,
        findings=findings,
    )

"""Billing exports by URI, and whether they have what a night's run needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.locations import Location
from airflow_multicloud.months import first_of_month
from airflow_multicloud.ports.cost import Cost, ExportedPeriod


@dataclass(frozen=True, slots=True)
class Export:
    """One cloud's billing export."""

    cloud: str
    location: Location
    hook: Cost

    @property
    def path(self) -> str:
        """Where it is, without scheme and connection: its name in the cost store."""
        return export_name(self.location)

    def periods(self, first: date | None = None, last: date | None = None) -> list[ExportedPeriod]:
        """The complete billing periods from the month of ``first`` to that of ``last``.

        :raises CostAnalysisError: as :meth:`Cost.list_billing_periods`.
        """
        found: Sequence[ExportedPeriod] = self.hook.list_billing_periods(self.path)
        return [
            period
            for period in found
            if since(period, first) and (last is None or period.billing_period <= last)
        ]


def export_name(location: Location) -> str:
    """What the cost store calls the export of a place, however it is reached."""
    return f"{location.bucket}/{location.key}".rstrip("/")


def since(period: ExportedPeriod, first: date | None) -> bool:
    """Whether a billing period is the month of ``first``, or a later one."""
    return first is None or period.billing_period >= first_of_month(first)


@dataclass(frozen=True, slots=True)
class ExportFreshness:
    """How old the newest version of a billing period is."""

    uri: str
    billing_period: date | None
    exported_at: datetime | None
    age: timedelta | None

    DOCUMENT: ClassVar = Document((("export", "uri"), "billing_period", "exported_at", "age"))

    def within(self, max_age: timedelta) -> bool:
        """Whether there is a version, no older than this."""
        return self.age is not None and self.age <= max_age


@operation("cost.export_freshness")
def export_freshness(export: Export, billing_period: date) -> ExportFreshness:
    """What the export has of one month; a period that is being written does not count."""
    uri = str(export.location)
    found = export.periods(billing_period, billing_period)
    # Days of a month that were exported again say nothing of the month's others.
    for period in [p for p in found if p.days is None] or found[-1:]:
        age = datetime.now(UTC) - period.exported_at
        return ExportFreshness(uri, period.billing_period, period.exported_at, age)
    return ExportFreshness(uri, None, None, None)

"""What a store has, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from airflow_multicloud.core.cost.store.snapshot import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPeriod:
    """One month of one export.

    :param exported_at: when the cloud wrote its newest version.
    :param final: whether it will change no more.
    """

    cloud: str
    export: str
    billing_period: date
    rows: int
    exported_at: datetime
    final: bool

    @property
    def month(self) -> str:
        """``YYYY-MM``."""
        return f"{self.billing_period:%Y-%m}"


def stored_period(period: Period) -> StoredPeriod:
    """A period without its files."""
    return StoredPeriod(
        cloud=period.cloud,
        export=period.export,
        billing_period=period.billing_period,
        rows=period.rows,
        exported_at=period.exported_at,
        final=period.final,
    )

"""Figures and words that AWS's sources of advice share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from airflow_multicloud.ports.cost import Effort

#: ImplementationEffort of Cost Optimization Hub, MigrationEffort of Compute Optimizer
#: (botocore's service models).
EFFORTS: Mapping[str, Effort] = {
    "VeryLow": Effort.LOW,
    "Low": Effort.LOW,
    "Medium": Effort.MEDIUM,
    "High": Effort.HIGH,
    "VeryHigh": Effort.HIGH,
}


def savings(amount: float | str | None) -> Decimal | None:
    """An amount that is saved; ``None`` where nothing is, or nothing is said."""
    saved = Decimal(str(amount or 0))
    return saved if saved > 0 else None


def in_utc(moment: datetime | None) -> datetime | None:
    """A time as botocore gives it (in the machine's time zone), in UTC."""
    return None if moment is None else moment.astimezone(UTC)

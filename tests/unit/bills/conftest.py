"""Bills that the tests of the generator share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from airflow_multicloud.testing.bills import Bill, BillOptions

CLOUDS = ("aws", "gcp", "azure")


def small_bill(cloud: str = "aws", **changes: object) -> Bill:
    """Twenty days with every kind of row, Azure's in euros."""
    euros = cloud == "azure"
    options = BillOptions(
        cloud=cloud,
        billing_period=date(2026, 9, 1),
        days=20,
        rows=3000,
        currency="EUR" if euros else "USD",
        exchange_rate=Decimal("0.92") if euros else Decimal(1),
    )
    return Bill(replace(options, **changes))  # type: ignore[arg-type]


@pytest.fixture(params=CLOUDS)
def bill(request: pytest.FixtureRequest) -> Bill:
    return small_bill(request.param)

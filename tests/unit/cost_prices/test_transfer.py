"""Transfer estimates against a reference worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from airflow_multicloud.core.cost.prices import BYTES_PER_GB, Meter
from airflow_multicloud.core.cost.prices.file import bundled_prices
from airflow_multicloud.core.cost.prices.transfer import (
    Place,
    Shipment,
    TransferEstimate,
    estimate_transfer,
)
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CostAnalysisError

TODAY = date(2026, 11, 24)
TABLE = bundled_prices(max_age=timedelta(days=1000))


def to(cloud: str, gigabytes: int, requests: int = 0, name: str | None = None) -> Shipment:
    return Shipment(
        name=name or cloud, place=Place(cloud), size=gigabytes * BYTES_PER_GB, requests=requests
    )


def estimate(*shipments: Shipment, source: str = "aws", **options: object) -> TransferEstimate:
    size = max(s.size for s in shipments)
    values: dict[str, object] = {"reads": 0, "read_bytes": size, "today": TODAY, **options}
    return estimate_transfer(Place(source), shipments, TABLE, **values)  # type: ignore[arg-type]


def egress(result: TransferEstimate) -> Decimal:
    return sum((x.amount for x in result.lines if x.meter is Meter.EGRESS), Decimal(0))


def test_egress_over_a_tier_edge() -> None:
    # AWS: 100 GB free, then 0.09 to 10,000 GB, then 0.085.
    result = estimate(to("gcp", 12_000))
    assert egress(result) == 9_900 * Decimal("0.09") + 2_000 * Decimal("0.085")
    assert result.monthly == 12_000 * Decimal("0.020")
    assert result.complete


def test_egress_used_before_decides_the_tier() -> None:
    result = estimate(to("gcp", 10), egress_used={"aws": Decimal(9_995)})
    assert egress(result) == 5 * Decimal("0.09") + 5 * Decimal("0.085")


def test_fan_out_pays_egress_for_each_destination_and_shares_the_tiers() -> None:
    result = estimate(to("gcp", 80), to("azure", 80))
    assert egress(result) == 60 * Decimal("0.09")
    assert {x.name for x in result.lines if x.amount} == {"gcp", "azure"}


def test_a_task_that_runs_elsewhere_pays_the_source_once() -> None:
    result = estimate(to("gcp", 1_000), to("azure", 1_000), runs_in=Place("gcp"))
    # Out of AWS once (900 GB beyond the free ones), then from Google to Azure only.
    assert egress(result) == 900 * Decimal("0.09") + 1_000 * Decimal("0.12")


def test_within_a_region_is_free_and_between_regions_is_not() -> None:
    assert egress(estimate(to("aws", 50))) == 0
    other = Shipment(name="b", place=Place("aws", "eu-west-1"), size=BYTES_PER_GB, requests=0)
    result = estimate_transfer(
        Place("aws", "us-east-1"), [other], TABLE, reads=0, read_bytes=BYTES_PER_GB, today=TODAY
    )
    assert egress(result) == Decimal("0.02")
    # The table has no storage price of that region: said, not guessed.
    assert not result.complete
    assert str(result).startswith("at least ")


def test_requests_are_priced() -> None:
    result = estimate(to("gcp", 1, requests=20_000), reads=10_000)
    amounts = {x.meter: x.amount for x in result.lines}
    assert amounts[Meter.WRITES] == Decimal("0.1")
    assert amounts[Meter.READS] == Decimal("0.004")


def test_stale_prices_make_a_lower_bound_not_a_guess() -> None:
    table = bundled_prices(max_age=timedelta(days=1))
    result = estimate_transfer(
        Place("aws"), [to("gcp", 5)], table, reads=1, read_bytes=1, today=TODAY
    )
    assert not result.lines
    assert any("older than 1 days" in r.reason for r in result.unpriced)


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(CostAnalysisError, match="can't be negative"):
        estimate(to("gcp", 1, requests=-1))


@pytest.mark.parametrize("size", [1, 7, 123_456_789_123, 10**16 + 1, 5 * 2**50 + 3])
@pytest.mark.parametrize("used", ["0", "99.9", "0.000000001"])
def test_a_complete_estimate_says_so_whatever_the_bytes(size: int, used: str) -> None:
    """A byte is 2**-30 GB: thirty decimals, more than Python's context keeps."""
    shipment = Shipment(name="b", place=Place("gcp"), size=size, requests=3)
    result = estimate_transfer(
        Place("aws"),
        [shipment],
        bundled_prices(),
        reads=3,
        read_bytes=size,
        today=TODAY,
        egress_used={"aws": Decimal(used)},
    )
    assert result.unpriced == ()
    assert to_document(result)["complete"] is True
    assert not str(result).startswith("at least")
    moved = sum(
        (Fraction(x.quantity) for x in result.lines if x.meter is Meter.EGRESS), Fraction(0)
    )
    assert moved == Fraction(size, 2**30)

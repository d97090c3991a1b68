"""Which prices serve a workload: its offers, each of which is one way to buy one meter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.prices import FREE_ALLOWANCE, Meter, Price

if TYPE_CHECKING:
    from airflow_multicloud.core.cost.prices.workload import Workload

_TABLE_EGRESS = frozenset({"internet", FREE_ALLOWANCE})


def offers_of(prices: Sequence[Price], workload: Workload, meter: Meter) -> list[list[Price]]:
    """What serves the workload: each offer is one SKU with its tiers, or all egress tiers."""
    offers: dict[tuple[str, str, str], list[Price]] = {}
    for price in prices:
        if meter is Meter.EGRESS:
            suits = price.sku != "inter-region"
            # A table's tiers and its free allowance are one offer; of a bill each SKU is.
            sku = price.family if price.sku in _TABLE_EGRESS else price.sku
        else:
            suits, sku = _suits(price, workload, meter), price.sku
        if suits:
            offers.setdefault((sku, price.region_id, price.currency), []).append(price)
    return list(offers.values())


def _suits(price: Price, workload: Workload, meter: Meter) -> bool:
    if meter is not Meter.COMPUTE:
        return price.family == "standard"
    if price.vcpus is None or price.memory_gib is None:
        return False
    enough = price.vcpus >= workload.vcpus and price.memory_gib >= workload.memory_gib
    return enough and (workload.burstable or price.family == "standard")

"""The customer's own unit prices, read from the bill.

What the bill charged for one unit of a SKU (``ContractedCost / PricingQuantity`` over its
on-demand rows) is a better price than any list: it has the discount in it, and its date is
the day of the last charge. A machine is what a row of a virtual machine's service says it is, never
a database's or a cluster's that runs on one; of several SKUs that name the same machine the dearest
is its price, as the others are surcharges on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.prices import UNITS, Meter, Price, Refused

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Instance types with shared cores: AWS T, Azure B, Google's shared-core E2, F1 and G1.
_BURSTABLE = re.compile(
    r"t[234][a-z]*\.|(Standard_)?B\d|e2-(micro|small|medium)$|f1-|g1-", re.IGNORECASE
)

#: How many days of the bill are looked at.
WINDOW = timedelta(days=31)

# Of FOCUS's category Compute, but no machine of one's own: what runs on one, and charges for it.
_NOT_MACHINES = (
    "relational|database|rds|lambda|function|fargate|container|kubernetes|eks|aks|ecs|emr|mapreduce"
    "|batch|lightsail|app service|app engine|cloud run|sagemaker|databricks|dataproc|dataflow|glue"
    "|marketplace|workspaces|outposts|vmware"
)
# A machine's extras, and Google's halves of one, which have hours of their own.
_SURCHARGES = (
    "ebs.?optimi|cpucredit|surcharge|licen[cs]e|premium|unused|unusedbox|reservedcapacity|elasticip"
    "|ip address|nat.?gateway|load.?balanc|snapshot|volume|monitoring|rhel|red hat|suse|sles"
    "|windows|sql ?server|ubuntu pro|instance core|instance ram|per cpu"
)
# Object storage of a standard class is what is priced: no cooler class, no disk, no copy.
_NOT_STANDARD = (
    "cool|cold|archive|glacier|infrequent|nearline|snapshot|backup|volume|ebs|disk|persistent|elastic"
    "|\\befs\\b|fsx|filestore|netapp|tape"
)

# SkuPriceDetails' property names are FOCUS's: CoreCount, MemorySize (GiB), InstanceType,
# OperatingSystem, StorageClass. Tenancy is none of them: AWS tells it in the usage type
# ("DedicatedUsage:", "HostUsage:"), the others in the meter's name. Cooler storage classes
# charge for reading, so their price per month alone can't be compared.
_SQL = r"""
WITH priced AS (
    SELECT
        Cloud,
        coalesce(RegionId, '') AS region,
        coalesce(SkuPriceDetails ->> '$.InstanceType', SkuPriceDetails ->> '$.StorageClass',
                 SkuMeter, SkuId, ServiceName) AS sku,
        TRY_CAST(SkuPriceDetails ->> '$.CoreCount' AS DECIMAL(18, 4)) AS cores,
        TRY_CAST(SkuPriceDetails ->> '$.MemorySize' AS DECIMAL(18, 4)) AS memory,
        coalesce(SkuPriceDetails ->> '$.OperatingSystem', 'Linux') AS os,
        coalesce(SkuId, SkuMeter, ChargeDescription) AS part,
        lower(concat_ws(' ', SkuMeter, SkuId, ChargeDescription,
                        SkuPriceDetails ->> '$.StorageClass')) AS words,
        lower(ServiceName) AS service,
        lower(PricingUnit) AS unit,
        ServiceCategory, PricingCategory, BillingCurrency, ChargeDate,
        ContractedCost, PricingQuantity
    FROM costs
    WHERE ChargeCategory = 'Usage' AND ChargeClass IS NULL AND PricingQuantity > 0
      AND ChargeDate >= $first AND ChargeDate <= $last
), metered AS (
    SELECT *, CASE
        WHEN cores IS NOT NULL AND ServiceCategory = 'Compute'
             AND regexp_matches(unit, '^(1 )?h(ou)?rs?$')
             AND NOT regexp_matches(service, $not_machines) THEN 'compute'
        WHEN ServiceCategory = 'Storage'
             AND regexp_matches(unit, '^(1 )?(gi?b|gi[bg]\w*byte)[- /]mo(nth)?s?$')
             AND NOT regexp_matches(words, $not_standard)
             THEN 'storage'
        WHEN regexp_matches(unit, '^(1 )?(gi?bs?|gi[bg]\w*bytes?)$')
             AND regexp_matches(words, 'egress|transfer out|datatransfer-out|internet')
             THEN 'egress'
        WHEN ServiceCategory = 'Storage' AND regexp_matches(unit, 'request|operation|^[0-9]+k$')
             AND regexp_matches(words, '\bput\b|write|class a|tier1') THEN 'writes'
        WHEN ServiceCategory = 'Storage' AND regexp_matches(unit, 'request|operation|^[0-9]+k$')
             AND regexp_matches(words, '\bget\b|read|class b|tier2') THEN 'reads'
        END AS meter,
        CASE
        WHEN regexp_matches(words, 'dedicatedusage|hostusage|dedicated host|sole tenan')
            THEN 'dedicated tenancy'
        WHEN PricingCategory = 'Dynamic' THEN 'spot price'
        WHEN PricingCategory = 'Committed' THEN 'commitment price'
        WHEN cores IS NOT NULL AND os NOT ILIKE '%linux%' THEN 'operating system ' || os
        WHEN cores IS NOT NULL AND regexp_matches(words, $surcharges)
            THEN 'a surcharge on a machine, or a part of one'
        WHEN region = '' THEN 'no region'
        END AS refusal
    FROM priced
)
SELECT CASE WHEN meter = 'compute' THEN part END AS part,
       Cloud, meter, sku, region, BillingCurrency, cores, memory, unit, refusal,
       sum(ContractedCost), sum(PricingQuantity), max(ChargeDate)
FROM metered
WHERE meter IS NOT NULL
GROUP BY ALL
ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """Unit prices of the bill, and those that can't be compared."""

    prices: tuple[Price, ...]
    refused: tuple[Refused, ...]


def own_prices(
    connection: DuckDBPyConnection, *, today: date, window: timedelta = WINDOW
) -> OwnPrices:
    """What the bill's last days charged per unit, per cloud, SKU, region and currency.

    :param connection: with the view ``costs``.
    :return: a price a SKU; spot, committed, dedicated-tenancy, non-Linux and zero prices are
        in ``refused``.
    """
    good: list[Price] = []
    refused: list[Refused] = []
    asked = {
        "first": today - window,
        "last": today,
        "not_machines": _NOT_MACHINES,
        "not_standard": _NOT_STANDARD,
        "surcharges": _SURCHARGES,
    }
    machines: dict[tuple[str, ...], Price] = {}
    for row in connection.execute(_SQL, asked).fetchall():
        _part, *of_price = row
        price, reason = _price(*of_price)
        reason = reason or price.refusal(today, window)
        if reason:
            refused.append(Refused(f"{price} (bill)", reason))
        elif price.meter is not Meter.COMPUTE:
            good.append(price)
        else:
            key = (price.cloud, price.sku, price.region_id, price.currency)
            other = machines.get(key)
            dearer = other is None or price.list_unit_price > other.list_unit_price
            if other is not None:
                less = other if dearer else price
                refused.append(Refused(f"{less} (bill)", "another SKU of the machine is dearer"))
            if dearer:
                machines[key] = price
    return OwnPrices((*machines.values(), *good), tuple(refused))


def _price(
    cloud: str,
    meter: str,
    sku: str,
    region: str,
    currency: str,
    cores: Decimal | None,
    memory: Decimal | None,
    unit: str,
    refusal: str | None,
    cost: Decimal,
    quantity: Decimal,
    last: date,
) -> tuple[Price, str | None]:
    kind = Meter(meter)
    per_unit = cost / quantity
    if kind in {Meter.WRITES, Meter.READS}:
        per_unit = per_unit / _counted(unit) * 1000
    price = Price(
        cloud=cloud,
        meter=kind,
        sku=sku,
        region_id=region,
        unit=UNITS[kind],
        list_unit_price=per_unit,
        currency=currency,
        tier_start=Decimal(0),
        vcpus=cores,
        memory_gib=memory,
        family="burstable" if _BURSTABLE.match(sku) else "standard",
        source="the bill (ContractedCost / PricingQuantity)",
        as_of=last,
    )
    return price, refusal


def _counted(unit: str) -> int:
    """How many requests one pricing unit is: ``10k``, ``1000 requests``, ``1k requests``."""
    number = "".join(_leading_digits(unit)) or "1"
    rest = unit[len(number) :].lstrip() if unit.startswith(number) else unit
    return int(number) * (1000 if rest[:1] == "k" else 1)


def _leading_digits(text: str) -> Iterator[str]:
    for letter in text:
        if not letter.isdigit():
            return
        yield letter

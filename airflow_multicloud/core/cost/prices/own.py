"""The customer's own unit prices, read from the bill.

What the bill charged for one unit of a SKU (``ContractedCost / PricingQuantity`` over its
on-demand rows) is a better price than any list: it has the discount in it, and its date is
the day of the last charge. Only rows that were charged for count: an allowance's are free up to its
end, and a refund is of other rows. A machine is what a row of a virtual machine's service says it
is, never a database's or a cluster's that runs on one, and without a licence; of several SKUs that
name the same machine the dearest is its price, as the others are surcharges on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.prices import UNITS, Meter, Price, Refused
from airflow_multicloud.core.telemetry import operation

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Instance types with shared cores: AWS T, Azure B, Google's shared-core E2, F1 and G1.
_BURSTABLE = re.compile(
    r"t[234][a-z]*\.|(Standard_)?B\d|e2-(micro|small|medium)$|f1-|g1-", re.IGNORECASE
)

#: Of the number of requests in a pricing unit.
_MOST_DIGITS = 15
#: How many days of the bill are looked at.
WINDOW = timedelta(days=31)

# The services that sell machines, by the names that the clouds give them in FOCUS.
_MACHINES = r"elastic compute cloud|\bec2\b|virtual machine|compute engine"
# What has such a name too, and runs on a machine or is sold for one.
_NOT_MACHINES = "container|kubernetes|batch|licen[cs]e|marketplace|vmware|app engine"
# Nothing is paid for these; all others, also those of Linux with something, are licences.
_FREE_SYSTEMS = (
    r"(amazon|generic|alma|rocky|free|centos|debian|ubuntu) ?(linux)?|linux( ?/ ?unix)?|almalinux"
    r"|(container|cos).*|na|n/a|none|-|"
)
# A machine's extras, and Google's halves of one, which have hours of their own.
_SURCHARGES = (
    "ebs.?optimi|cpucredit|surcharge|licen[cs]e|premium|unused|unusedbox|reservedcapacity|elasticip"
    r"|ip address|nat.?gateway|load.?balanc|snapshot|volume|monitoring|rhel|red ?hat|\bsuse|\bsles"
    r"|windows|\bsql|\boracle|linux with|ubuntu pro|instance core|instance ram|per cpu"
)
# Object storage of a standard class is what is priced: no cooler class, no disk, no copy.
_NOT_STANDARD = (
    "cool|cold|archive|glacier|infrequent|nearline|snapshot|backup|volume|ebs|disk|persistent|elastic"
    "|\\befs\\b|fsx|filestore|netapp|tape"
)

# SkuPriceDetails' property names are FOCUS's: CoreCount, MemorySize (GiB), InstanceType,
# OperatingSystem, StorageClass. Tenancy is none of them: AWS tells it in the usage type
# ("DedicatedUsage:", "HostUsage:"), the others in the meter's name. Cooler storage classes
# charge for reading, so their price per month alone can't be compared. The engine refuses the
# whole query for one text that is no JSON.
_SQL = r"""
WITH charged AS (
    SELECT * REPLACE (
        CASE WHEN json_valid(SkuPriceDetails) THEN SkuPriceDetails END AS SkuPriceDetails)
    FROM costs
), priced AS (
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
        lower(coalesce(ServiceName, 'no service')) AS service,
        lower(PricingUnit) AS unit,
        ServiceCategory, PricingCategory, BillingCurrency, ChargeDate,
        ContractedCost, PricingQuantity
    FROM charged
    WHERE ChargeCategory = 'Usage' AND ChargeClass IS NULL AND PricingQuantity > 0
      AND ChargeDate >= $first AND ChargeDate <= $last
), metered AS (
    SELECT *, CASE
        WHEN cores IS NOT NULL AND ServiceCategory = 'Compute'
             AND regexp_matches(unit, '^(1 )?h(ou)?rs?$')
             THEN 'compute'
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
        WHEN ContractedCost = 0 THEN 'price is 0: an allowance, or part of another charge'
        WHEN ContractedCost < 0 THEN 'price is negative: a refund or a discount'
        WHEN cores IS NOT NULL AND NOT (
             regexp_matches(service, $machines) AND NOT regexp_matches(service, $not_machines)
             AND NOT regexp_matches(lower(sku), '^(db|cache|ml|dms|dax)\.|\.search$'))
            THEN 'no virtual machine but ' || service
        WHEN cores IS NOT NULL AND NOT regexp_full_match(lower(os), $free_systems)
            THEN 'operating system ' || os
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


@operation("cost.own_prices")
def own_prices(
    connection: DuckDBPyConnection, *, today: date, window: timedelta = WINDOW
) -> OwnPrices:
    """What the bill's last days charged per unit, per cloud, SKU, region and currency.

    :param connection: with the view ``costs``.
    :return: a price a SKU; spot, committed, dedicated-tenancy, licensed, free and negative ones,
        and those of other services that run on machines, are in ``refused``.
    """
    good: list[Price] = []
    refused: list[Refused] = []
    asked = {
        "first": today - window,
        "last": today,
        "machines": _MACHINES,
        "not_machines": _NOT_MACHINES,
        "free_systems": _FREE_SYSTEMS,
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
        requests = _counted(unit)
        if requests:
            per_unit = per_unit / requests * 1000
        else:
            refusal = refusal or f"a pricing unit of no usable number of requests: {unit!r}"
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
    """How many requests one pricing unit is: ``10k``, ``1000 requests``, ``1k requests``.

    0 for a number that no unit has.
    """
    number = re.match(r"[0-9]+", unit)
    if number and len(number[0]) > _MOST_DIGITS:
        return 0
    rest = unit[number.end() :].lstrip() if number else unit
    return (int(number[0]) if number else 1) * (1000 if rest[:1] == "k" else 1)

"""What an instance is expected to cost by the hour, from a table of list prices."""

from __future__ import annotations

from datetime import date

from airflow_multicloud.core.cost.prices import Meter, PriceTable
from airflow_multicloud.core.rollout.plans import HourlyPrice
from airflow_multicloud.ports.compute import LaunchSpec

#: Azure's name of a size begins so; in price tables it may or may not
#: (learn.microsoft.com/azure/virtual-machines/vm-naming-conventions).
_AZURE_BEGINS = "Standard_"


def hourly_price(
    table: PriceTable, cloud: str, spec: LaunchSpec, *, today: date
) -> HourlyPrice | None:
    """The list price of a size in its region; ``None`` where the table has none that may be used.

    It is of the machine alone: disks, addresses and traffic cost more.

    :param today: decides whether a price is too old, where the table has a limit.
    """
    usable, _ = table.usable(cloud, Meter.COMPUTE, today=today, region_id=spec.region)
    wanted = spec.size.name.removeprefix(_AZURE_BEGINS)
    for price in usable:
        if price.sku.removeprefix(_AZURE_BEGINS) == wanted:
            return HourlyPrice(
                amount=price.list_unit_price,
                currency=price.currency,
                source=f"{price.source}, of {price.as_of}",
            )
    return None

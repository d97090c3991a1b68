"""What a replication will cost, before a byte moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from airflow_multicloud.api.cost.price_tables import read_prices
from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.api.object_store.replicas import replication
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.cost.prices.transfer import (
    Place,
    Shipment,
    TransferEstimate,
    estimate_transfer,
)
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.plans import Plan
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.registry import session


@session()
@operation("cost.estimate_transfer")
def estimate_transfer_cost(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    runs_in: str | None = None,
    prices: str | Path | PriceTable | None = None,
    egress_used: Mapping[str, Decimal] | None = None,
    today: date | None = None,
) -> TransferEstimate:
    """Plan a replication and price the plan: egress, requests and storage per destination.

    :param runs_in: where the task runs, ``cloud`` or ``cloud/region``; beside the source by
        default, so that bytes leave a cloud once for each destination elsewhere.
    :param prices: list prices: a table, or the path or URI of one that
        :func:`~airflow_multicloud.api.cost.price_tables.refresh_prices` wrote; the packaged ones by
        default, which are of one region per cloud (each line says which, and how old it is).
    :param egress_used: cloud → GB that left it this month already, which decides the tier.
    :raises CloudError: as :func:`plan_replication`.
    """
    return estimate_replication(
        replication(source, destinations, options),
        runs_in=runs_in,
        prices=prices,
        egress_used=egress_used,
        today=today,
    )


@session()
@operation("cost.estimate_transfer")
def estimate_replication(
    prepared: Replication,
    *,
    runs_in: str | None = None,
    prices: str | Path | PriceTable | None = None,
    egress_used: Mapping[str, Decimal] | None = None,
    today: date | None = None,
    plans: Sequence[Plan] | None = None,
) -> TransferEstimate:
    """:func:`estimate_transfer_cost` of a replication that is resolved already.

    :param plans: what it would do, where that is known already.
    """
    table = read_prices(prices)
    plans = engine.plan(prepared) if plans is None else plans
    shipments = [
        Shipment(
            name=plan.uri,
            place=_place(end, table),
            size=plan.bytes,
            requests=plan.requests,
            storage_class=end.storage_class,
        )
        for plan, end in zip(plans, prepared.destinations, strict=True)
    ]
    worker = None
    if runs_in is not None:
        cloud, _, region = runs_in.partition("/")
        worker = _priced(Place(cloud, region or None), table)
    return estimate_transfer(
        _place(prepared.source, table),
        shipments,
        table,
        # Each object is read once, for the destination that needs most.
        reads=max(plan.requests for plan in plans),
        read_bytes=max(plan.bytes for plan in plans),
        today=today or datetime.now(UTC).date(),
        runs_in=worker,
        egress_used=egress_used,
    )


def _place(endpoint: Endpoint, table: PriceTable) -> Place:
    try:
        location = endpoint.store.stat_bucket(endpoint.bucket).location
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        location = None  # It is to be created, where the connection says.
    return _priced(Place(endpoint.cloud, location.lower() if location else None), table)


def _priced(place: Place, table: PriceTable) -> Place:
    known = table.regions(place.cloud)
    if place.region_id in known or not known:
        return place
    return Place(place.cloud, place.region_id, priced_as=known[0])

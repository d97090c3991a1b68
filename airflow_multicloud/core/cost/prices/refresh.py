"""A newer price table, from the clouds' own price lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from airflow_multicloud.core.cost.prices import FREE_ALLOWANCE, Price, PriceTable
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.cost import ListPrice, PriceLists, PriceQuery

_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A renewed table.

    :param renewed: prices that a list answered for.
    :param changed: those of them that are other than before, or new.
    :param kept: the prices that no list answered for, still of old date.
    :param failed: cloud → why its list could not be asked.
    """

    table: PriceTable
    renewed: tuple[Price, ...]
    changed: tuple[Price, ...]
    kept: tuple[Price, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


def refresh(
    table: PriceTable,
    lists: Mapping[str, PriceLists],
    *,
    regions: Mapping[str, Sequence[str]] | None = None,
) -> Refreshed:
    """Ask each cloud's price list for the table's prices again, and for those of more regions.

    :param lists: cloud → its hook, which can list prices.
    :param regions: cloud → regions that are wanted besides the table's own.
    """
    prices: list[Price] = []
    renewed: list[Price] = []
    changed: list[Price] = []
    kept: list[Price] = []
    failed: dict[str, str] = {}
    for cloud in dict.fromkeys([*(price.cloud for price in table.prices), *lists]):
        mine = [price for price in table.prices if price.cloud == cloud]
        elsewhere = _elsewhere(mine, (regions or {}).get(cloud, ()))
        try:
            answers = _answers(lists[cloud], [*mine, *elsewhere]) if cloud in lists else {}
        except CloudError as err:
            failed[cloud], answers = str(err), {}
        for old in mine:
            answer = answers.get(_place(old), {}).get(old.tier_start)
            if answer is None or answer.unit != old.unit:
                kept.append(old)
                prices.append(old)
                continue
            new = _renewed(old, answer)
            renewed.append(new)
            prices.append(new)
            if (new.list_unit_price, new.currency) != (old.list_unit_price, old.currency):
                changed.append(new)
        for like in elsewhere:
            tiers = answers.get(_place(like), {})
            # A SKU whose first tier is not known would look free up to the next.
            new_ones = [_renewed(like, tiers[start]) for start in sorted(tiers) if 0 in tiers]
            for mentioned in (prices, renewed, changed):
                mentioned.extend(new_ones)
    return Refreshed(
        replace(table, prices=tuple(prices)), tuple(renewed), tuple(changed), tuple(kept), failed
    )


def _elsewhere(mine: Sequence[Price], regions: Iterable[str]) -> list[Price]:
    """A price for each SKU, as far as they are not in the table, in other regions."""
    known = {_place(price) for price in mine}
    skus = {(p.meter, p.sku): p for p in mine if p.sku != FREE_ALLOWANCE}
    likes = [
        replace(p, region_id=region) for region in dict.fromkeys(regions) for p in skus.values()
    ]
    return [like for like in likes if _place(like) not in known]


def _answers(lists: PriceLists, wanted: Sequence[Price]) -> dict[_Place, dict[Decimal, ListPrice]]:
    """By meter, SKU and region: tier → price."""
    asked = dict.fromkeys(_place(p) for p in wanted if p.sku != FREE_ALLOWANCE)
    queries = [PriceQuery(meter=m, sku=s, region_id=r) for m, s, r in asked]
    found: dict[_Place, dict[Decimal, ListPrice]] = {}
    for answer in lists.list_prices(queries) if queries else ():
        found.setdefault(_place(answer), {})[answer.tier_start] = answer
    return found


def _place(price: Price | ListPrice) -> _Place:
    return str(price.meter), price.sku, price.region_id


def _renewed(old: Price, answer: ListPrice) -> Price:
    return replace(
        old,
        unit=answer.unit,
        tier_start=answer.tier_start,
        list_unit_price=answer.list_unit_price,
        currency=answer.currency,
        source=answer.source,
        as_of=answer.as_of,
    )

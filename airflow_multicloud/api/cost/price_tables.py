"""Price tables: read where they are kept, and renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from airflow_multicloud import registry
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.cost.prices.file import (
    MAX_BYTES,
    bundled_prices,
    format_prices,
    parse_prices,
)
from airflow_multicloud.core.cost.prices.refresh import Refreshed, refresh
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.cost.files import check_place, find_place, read_place, write_place
from airflow_multicloud.ports.cost import Cost, PriceLists
from airflow_multicloud.registry import session
from airflow_multicloud.text import given_text


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedPrices:
    """What a refresh did.

    :param uri: where the table is.
    :param renewed: how many prices were refreshed.
    :param changed: those of them that are other than before.
    :param kept: those that no list
        answered for.
    :param oldest: the oldest price of the table.
    :param failed: cloud → why its list could not be asked; its prices were kept.
    """

    uri: str
    renewed: int
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    oldest: date
    failed: Mapping[str, str] = field(default_factory=dict)


@session()
@operation("cost.read_prices")
def read_prices(
    prices: str | Path | PriceTable | None, *, max_age: timedelta | None = None
) -> PriceTable:
    """A price table.

    :param prices: the path or URI of one, or a table; ``None``: the packaged one.
    :param max_age: older prices are refused when it is used; ``None``: as a given table says.
    :raises CloudError: naming the file and the line that can't be read.
    """
    if isinstance(prices, PriceTable):
        return prices if max_age is None else replace(prices, max_age=max_age)
    if prices is None or not str(prices):
        return bundled_prices(max_age=max_age)
    content = read_place("prices", prices, MAX_BYTES)
    return parse_prices(content, str(prices), max_age=max_age)


@session()
@operation("cost.refresh_prices")
def refresh_prices(
    target: str | Path,
    conn_ids: Sequence[str],
    *,
    regions: Mapping[str, Sequence[str]] | None = None,
) -> RefreshedPrices:
    """Read the clouds' price lists again, and put the table in place, whole or not at all.

    The table that is there is renewed, else the packaged one.

    :param target: a file's path or an object's URI.
    :param conn_ids: a connection for each cloud that is to be asked. The lists are public; AWS's
        needs ``pricing:GetProducts``, Google's the Cloud Billing API.
    :param regions: cloud → regions that are wanted besides those in the table.
    :raises CloudError: when no list answered, naming each reason; what is there stays.
    """
    check_place("target", target)
    wanted = _regions(regions)
    before = find_place("target", target, MAX_BYTES)
    table = bundled_prices() if before is None else parse_prices(before, str(target))
    lists: dict[str, PriceLists] = {}
    for conn_id in _connections(conn_ids):
        cloud = registry.cloud_of(conn_id).name
        hook = registry.resolve(Cost, conn_id)
        if not isinstance(hook, PriceLists):
            raise ProviderNotAvailableError(
                f"connection {conn_id!r}: {cloud} has no price list",
                kind=ErrorKind.UNSUPPORTED,
                cloud=cloud,
            )
        lists[cloud] = hook
    found = refresh(table, lists, regions=wanted)
    if not found.renewed:
        raise CostAnalysisError(
            f"no price was refreshed: {_why_none(found, tuple(lists))}", kind=ErrorKind.UNAVAILABLE
        )
    return RefreshedPrices(
        uri=write_place("target", target, format_prices(found.table)),
        renewed=len(found.renewed),
        changed=tuple(f"{p}: {p.list_unit_price} {p.currency} a {p.unit}" for p in found.changed),
        kept=tuple(f"{price}: of {price.as_of}" for price in found.kept),
        oldest=min(price.as_of for price in found.table.prices),
        failed=found.failed,
    )


def _connections(given: object) -> tuple[str, ...]:
    return texts(
        given,
        "conn_ids",
        what="connection ids",
        error=CostAnalysisError,
        if_empty="name at least one connection",
    )


def _regions(given: Mapping[str, object] | None) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping | None):
        raise CostAnalysisError(
            f"regions: {given_text(given)} given, expected cloud → regions",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return {
        cloud: texts(of, f"regions[{cloud!r}]", what="regions", error=CostAnalysisError)
        for cloud, of in (given or {}).items()
    }


def _why_none(found: Refreshed, asked: Sequence[str]) -> str:
    if found.failed:
        return "; ".join(f"{cloud}: {why}" for cloud, why in found.failed.items())
    return f"the lists asked ({', '.join(asked)}) know none of the table's prices"

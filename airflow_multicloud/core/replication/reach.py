"""Destinations that nothing can be written to for now: others are not kept waiting for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.base import Base, base_or_refusal
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import CloudError


def check_any_left(refused: Mapping[int, CloudError], destinations: Collection[object]) -> None:
    """Go on only when a destination is left to work for.

    :raises CloudError: what is the matter with the first.
    """
    if len(refused) == len(destinations):
        raise refused[min(refused)]


def base_at(end: Endpoint, err: CloudError | None) -> Base:
    """What a destination's ledger is at.

    :param err: why the destination is out of reach, if that is known already.
    """
    return Base(refused=err) if err else base_or_refusal(end)


def refused(bases: Sequence[Base]) -> Mapping[int, CloudError]:
    """The destinations, by index, that nothing can be written to, and why."""
    return {n: base.refused for n, base in enumerate(bases) if base.refused is not None}


def finding(err: CloudError) -> str:
    """What a reader should know of such a destination."""
    return f"nothing can be written there: {err}"


def give_up(catalog: Catalog, bases: Sequence[Base]) -> None:
    """Fail every open item at the destinations that nothing can be written to."""
    for index, err in refused(bases).items():
        catalog.put_items(failed_at(catalog, index, err, "nothing can be written there"))


def failed_at(catalog: Catalog, index: int, err: CloudError, what: str) -> Iterator[Item]:
    """Every open item of the catalog, failed at one destination.

    :param what: went wrong there, in front of the error's own words.
    """
    for item in catalog.open_items():
        if index in item.open_replicas:
            state = item.replicas[index].failed(Outcome.FAILED, err.kind, f"{what}: {err}")
            yield item.with_replica(index, state)

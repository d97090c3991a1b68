"""Taking stock: what lies where, and what ledgers know of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.attributes import fingerprint
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger.base import Base, base_or_refusal
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import reach
from airflow_multicloud.core.replication.ahead import Ahead
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectMeta
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: A ledger may know so many keys, and so many times as many as there are objects: what the source
#: had once, and what was deleted by others.
_FEW, _TIMES = 100_000, 10


def listing(endpoint: Endpoint, *, attributes: bool = False) -> Iterator[Listed]:
    """What lies at an endpoint, this package's own objects left out.

    A location that is no prefix is one object, with the empty name.

    :param attributes: have their fingerprint, where the listing tells them.
    """
    location = endpoint.location
    if location.is_prefix:
        for meta in endpoint.objects(location.key):
            if not meta.key.startswith(RESERVED_PREFIX):
                yield _listed(meta, meta.key[len(location.key) :], attributes=attributes)
        return
    try:
        yield _listed(endpoint.store.stat_object(location.ref), "", attributes=attributes)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise


def _listed(meta: ObjectMeta, name: str, *, attributes: bool) -> Listed:
    return Listed(
        name,
        meta.size,
        meta.etag,
        meta.version,
        meta.last_modified,
        meta.digests,
        fingerprint(meta.attributes) if attributes else None,
        meta.declared.md5,
    )


def take_stock(
    catalog: Catalog,
    source: Endpoint,
    destinations: Sequence[Endpoint],
    *,
    absent: Collection[int] = (),
    check: Callable[[], Mapping[int, CloudError]] = dict,
    attributes: bool = False,
) -> tuple[Base, ...]:
    """Fill the catalog with every listing, and with what the destinations' ledgers know.

    All are read at the same time, and stored one after the other.

    :param absent: destinations whose buckets are not there yet: nothing lies in them.
    :param check: looks at the buckets while the ledgers are asked for, and says which destinations
        are out of reach; an error of it is the one that counts.
    :param attributes: note what the source's listing tells of them.
    :return: what each destination's ledger is at; one that is damaged counts for nothing, and
        nothing is to be written where one is refused: another release wrote it, or the destination
        is out of reach.
    :raises CloudError: when the source can't be listed, or no destination is left.
    """
    streams = 1 + 2 * len(destinations)
    with (
        cancellation.pool(streams, "multicloud-list") as pool,
        ExitStack() as reading,
    ):
        # Before the listings: what is proven later is none of this run's.
        asked = {
            n: telemetry.submit_in_context(pool, base_or_refusal, end)
            for n, end in enumerate(destinations)
            if n not in absent
        }
        out_of_reach = check()
        bases = [
            Base(refused=out_of_reach[n])
            if n in out_of_reach
            else asked[n].result()
            if n in asked
            else Base()
            for n in range(len(destinations))
        ]
        refused = reach.refused(bases)
        reach.check_any_left(refused, destinations)
        listed = [
            reading.enter_context(
                Ahead(
                    pool,
                    iter(())
                    if n - 1 in absent or n - 1 in refused
                    else listing(end, attributes=attributes and end is source),
                )
            )
            for n, end in enumerate((source, *destinations))
        ]
        known = [
            reading.enter_context(Ahead(pool, known_at(end, base)))
            for end, base in zip(destinations, bases, strict=True)
        ]
        catalog.add_listing(SOURCE, listed[0])
        for side, end in enumerate(destinations):
            base = bases[side]
            try:
                catalog.add_listing(side, listed[side + 1])
                most = _FEW + _TIMES * (catalog.count_listed(SOURCE) + catalog.count_listed(side))
                if err := _damage(catalog, side, _bounded(end, known[side], most)):
                    base = base.without_unreadable(end.location.key, str(err))
                    if err := _damage(catalog, side, _bounded(end, known_at(end, base), most)):
                        base = base.without_state(str(err))
            except CloudError as failed:
                if not failed.kind.is_outage:
                    raise
                catalog.forget_listing(side)  # It may have broken off in the middle.
                catalog.forget_known(side)
                base = Base(refused=failed)
            bases[side] = base
            reach.check_any_left(reach.refused(bases), destinations)
            if why := base.damaged or base.partly:
                _log.warning(
                    "%s: its ledger counts for nothing, and every object is compared with the "
                    "source: %s"
                    if bases[side].damaged
                    else "%s: its ledger is damaged, and these objects are compared with the "
                    "source: %s",
                    printable(str(end.location)),
                    printable(why),
                )
    return tuple(bases)


def _damage(catalog: Catalog, side: int, known: Iterable[tuple[str, Entry]]) -> CloudError | None:
    """Store what a ledger knows; what is wrong with it if that can't be read, and is forgotten."""
    try:
        catalog.add_known(side, known)
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        catalog.forget_known(side)
        return err
    return None


def _bounded(
    end: Endpoint, known: Iterable[tuple[str, Entry]], most: int
) -> Iterator[tuple[str, Entry]]:
    """What a ledger knows; a forged one could fill the disk of a run that others depend on."""
    for number, one in enumerate(known):
        if number >= most:
            raise StorageError(
                f"{end.location}: its ledger has more than {most} entries, for far fewer objects",
                kind=ErrorKind.INTEGRITY,
                cloud=end.cloud,
            )
        yield one


def known_at(end: Endpoint, base: Base) -> Iterator[tuple[str, Entry]]:
    """What a ledger knows at an endpoint, by name below it."""
    location = end.location
    if location.is_prefix:
        for entry in base.entries(location.key):
            yield entry.key[len(location.key) :], entry
    elif found := base.entry(location.key):
        yield "", found

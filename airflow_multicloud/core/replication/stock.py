"""Taking stock: what lies where, and what ledgers know of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.base import Base, base_or_refusal
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import following, one_pass, pages, reach
from airflow_multicloud.core.replication.ahead import Ahead
from airflow_multicloud.core.replication.alike import Alike
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog
from airflow_multicloud.core.replication.one_pass import IsUntouched
from airflow_multicloud.core.replication.pages import Known, Page
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: A ledger may know so many keys, and so many times as many as there are objects: what the source
#: had once, and what was deleted by others.
_FEW, _TIMES = 100_000, 10

_Listed = Sequence[Iterable[Page]]
_Known = Sequence[Iterable[Known]]


def take_stock(
    catalog: Catalog,
    source: Endpoint,
    destinations: Sequence[Endpoint],
    *,
    absent: Collection[int] = (),
    check: Callable[[], Mapping[int, CloudError]] = dict,
    attributes: bool = False,
    is_untouched: IsUntouched | None = None,
    alike: Alike | None = None,
) -> tuple[Base, ...]:
    """Fill the catalog with every listing, and with what the destinations' ledgers know.

    All are read at the same time. What is untouched is settled as it comes; if that can't be
    finished, all is read again, and stored one after the other.

    :param absent: destinations whose buckets are not there yet: nothing lies in them.
    :param check: looks at the buckets while the ledgers are asked for, and says which destinations
        are out of reach; an error of it is the one that counts.
    :param attributes: note what the source's listing tells of them.
    :param is_untouched: tells which objects the catalog need not have, and
    :param alike: the same of many at a time, where it is certain.
    :return: what each destination's ledger is at; one that is damaged counts for nothing, and
        nothing is to be written where one is refused: another release wrote it, or the destination
        is out of reach.
    :raises CloudError: when the source can't be listed, or no destination is left.
    """
    ends = _Ends(source, destinations, absent, attributes)
    with cancellation.pool(1 + 2 * len(destinations), "multicloud-list") as pool:
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
        reach.check_any_left(reach.refused(bases), destinations)
        if is_untouched is not None and all(base.head for base in bases):
            with ends.read(pool, bases) as (listed, known):
                try:
                    one_pass.settle(catalog, listed, known, is_untouched, _most_known, alike)
                except following.UnfinishedError as unfinished:
                    catalog.forget()
                    _check_goes_on(unfinished, bases, destinations)
                else:
                    return tuple(bases)
        with ends.read(pool, bases) as (listed, known):
            _store(catalog, destinations, bases, listed, known)
    return tuple(bases)


@dataclass(frozen=True, slots=True)
class _Ends:
    """What is read; see :func:`take_stock`."""

    source: Endpoint
    destinations: Sequence[Endpoint]
    absent: Collection[int]
    attributes: bool

    @contextmanager
    def read(self, pool: Executor, bases: Sequence[Base]) -> Iterator[tuple[_Listed, _Known]]:
        """Begin to read the listings of source and destinations, and the ledgers."""
        none = {*self.absent, *reach.refused(bases)}
        with ExitStack() as reading:
            listed = [Ahead(pool, pages.pages(self.source, attributes=self.attributes))]
            listed += [
                Ahead(pool, iter(()) if n in none else pages.pages(end))
                for n, end in enumerate(self.destinations)
            ]
            known = [
                Ahead(pool, pages.known_of(known_at(end, base)))
                for end, base in zip(self.destinations, bases, strict=True)
            ]
            for one in listed:
                reading.enter_context(one)
            for entries in known:
                reading.enter_context(entries)
            yield listed, known


def _check_goes_on(
    unfinished: following.UnfinishedError, bases: list[Base], destinations: Sequence[Endpoint]
) -> None:
    """Leave a destination out that is out of reach by now; what is damaged is looked at again.

    :raises CloudError: anything else that was the matter.
    """
    err = unfinished.err
    if err is None or err.kind is ErrorKind.INTEGRITY:
        return
    if not err.kind.is_outage:
        raise err
    bases[unfinished.side] = Base(refused=err)
    reach.check_any_left(reach.refused(bases), destinations)


def _store(
    catalog: Catalog,
    destinations: Sequence[Endpoint],
    bases: list[Base],
    listed: _Listed,
    known: _Known,
) -> None:
    """Store one after the other, and note in the bases what is wrong with them."""
    catalog.add_listing(SOURCE, pages.objects_of(listed[0]))
    for side, end in enumerate(destinations):
        base = bases[side]
        try:
            catalog.add_listing(side, pages.objects_of(listed[side + 1]))
            most = _most_known(catalog.count_listed(SOURCE) + catalog.count_listed(side))
            if err := _damage(catalog, side, _bounded(end, pages.entries_of(known[side]), most)):
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


def _most_known(listed: int) -> int:
    """How many keys a ledger may know.

    :param listed: so many objects are at the source and at its destination together.
    """
    return _FEW + _TIMES * listed


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
        start = len(location.key)
        for entry in base.entries(location.key):
            yield entry.key[start:], entry
    elif found := base.entry(location.key):
        yield "", found

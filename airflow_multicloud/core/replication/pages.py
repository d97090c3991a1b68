"""Listings by pages: most objects of most runs are only compared, and no value is made of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import lt

from airflow_multicloud.adapters.listed_pages import page_of, pages_of
from airflow_multicloud.core.attributes import fingerprint
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint, has_capability
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, ListedPage, ObjectMeta, PagedListings

_SOME = 1000

_Texts = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of one side, in the order of its listing.

    :param names: their keys below the prefix.
    :param columns: what else is listed of them.
    :param attributes: whether the listing tells attributes that are looked at.
    :param ordered: whether each name is greater than the one before it.
    """

    names: list[str]
    columns: ListedPage
    attributes: bool
    ordered: bool

    def at(self, n: int) -> Listed:
        """The object at a place."""
        columns = self.columns
        return Listed(
            self.names[n],
            columns.sizes[n],
            columns.etags[n],
            columns.versions[n] if columns.versions else None,
            columns.modified[n],
            Digests(
                md5=_at(columns.md5s, n),
                crc32c=_at(columns.crc32cs, n),
                sha256=_at(columns.sha256s, n),
            ),
            fingerprint(columns.meta(n).attributes) if self.attributes else None,
            _at(columns.declared_md5s, n),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """Some entries of a ledger, in its order.

    :param names: their keys below the prefix.
    """

    names: list[str]
    entries: list[Entry]
    ordered: bool

    def at(self, n: int) -> Entry:
        """What is known at a place."""
        return self.entries[n]


def known_of(found: Iterable[tuple[str, Entry]]) -> Iterator[Known]:
    """What a ledger knows, by name below a prefix, some at a time."""
    rest = iter(found)
    while some := list(islice(rest, _SOME)):
        names = [name for name, _ in some]
        yield Known(names, [entry for _, entry in some], _ordered(names))


def listing(endpoint: Endpoint, *, attributes: bool = False) -> Iterator[Listed]:
    """What :func:`pages` has, one by one."""
    return objects_of(pages(endpoint, attributes=attributes))


def below(endpoint: Endpoint, start: str) -> Iterator[Listed]:
    """What lies at an endpoint, as far as its name begins like this.

    :param start: of names below the prefix.
    """
    prefix = endpoint.location.key
    for page in _pages(endpoint, prefix + start):
        yield from objects_of([_page(page, len(prefix), attributes=False)])


def one(endpoint: Endpoint, name: str) -> Listed:
    """One object, as a listing shows it.

    :raises CloudError: as the store does.
    """
    found = endpoint.store.stat_object(endpoint.ref(endpoint.key_of(name)))
    return _page(page_of([found]), len(endpoint.location.key), attributes=False).at(0)


def objects_of(found: Iterable[Page]) -> Iterator[Listed]:
    """The objects of pages, one by one."""
    return (page.at(n) for page in found for n in range(len(page.names)))


def entries_of(found: Iterable[Known]) -> Iterator[tuple[str, Entry]]:
    """The entries of such parts, by name, one by one."""
    return (one for part in found for one in zip(part.names, part.entries, strict=True))


def pages(endpoint: Endpoint, *, attributes: bool = False) -> Iterator[Page]:
    """What lies at an endpoint, this package's own objects left out.

    A location that is no prefix is one object, with the empty name.

    :param attributes: have their fingerprint, where the listing tells them.
    """
    location = endpoint.location
    if not location.is_prefix:
        try:
            found = endpoint.store.stat_object(location.ref)
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return
        yield _page(page_of([found]), len(found.key), attributes=attributes)
        return
    prefix = location.key
    for page in _pages(endpoint, prefix):
        yield _page(page, len(prefix), attributes=attributes)


def _pages(endpoint: Endpoint, prefix: str) -> Iterator[ListedPage]:
    """What is below a prefix.

    :raises StorageError: kind ``integrity`` for a page with a key that is not, or not in the form
        of one.
    """
    store = endpoint.store
    if not has_capability(store, PagedListings):
        yield from pages_of(endpoint.objects(prefix))
        return
    for page in store.list_pages(endpoint.bucket, prefix):
        for key in page.keys:
            if not key.startswith(prefix):
                raise endpoint.not_under(prefix, key)
        yield page


def _page(page: ListedPage, start: int, *, attributes: bool) -> Page:
    keys = page.keys
    ordered = _ordered(keys)
    if _may_have_own(keys, ordered=ordered):
        shown = [not key.startswith(RESERVED_PREFIX) for key in keys]
        page = _some(page, shown)
    names = [key[start:] for key in page.keys]
    return Page(names, page, attributes and page.tells_attributes, ordered)


def _may_have_own(keys: Sequence[str], *, ordered: bool) -> bool:
    if not ordered:
        return any(key.startswith(RESERVED_PREFIX) for key in keys)
    place = bisect_left(keys, RESERVED_PREFIX)
    return place < len(keys) and keys[place].startswith(RESERVED_PREFIX)


def _some(page: ListedPage, shown: Sequence[bool]) -> ListedPage:
    """Some objects of a page."""
    places = [*compress(range(len(shown)), shown)]

    def meta(n: int) -> ObjectMeta:
        return page.meta(places[n])

    def texts(column: _Texts) -> _Texts:
        return [*compress(column, shown)]

    return ListedPage(
        keys=[page.keys[n] for n in places],
        sizes=[page.sizes[n] for n in places],
        etags=[page.etags[n] for n in places],
        modified=[page.modified[n] for n in places],
        meta=meta,
        md5s=texts(page.md5s),
        declared_md5s=texts(page.declared_md5s),
        crc32cs=texts(page.crc32cs),
        sha256s=texts(page.sha256s),
        versions=texts(page.versions),
        tells_attributes=page.tells_attributes,
    )


def _ordered(names: Sequence[str]) -> bool:
    return all(map(lt, names, names[1:]))


def _at(column: _Texts, n: int) -> str | None:
    return column[n] if column else None

"""Optional capability: listings by whole pages, for runs that find most objects unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.values import ObjectMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """Objects of a listing, column by column: what has the same place is of one object.

    All of it is what the :class:`~airflow_multicloud.ports.object_store.ObjectMeta` of each object
    says, without a value being made for each.

    :param md5s: that the service computed, as are the others. Where none of the objects has one,
        such a column may be empty; so may those of versions.
    :param declared_md5s: that a writer may have set to anything.
    :param tells_attributes: whether ``meta`` has attributes.
    :param meta: the object at a place, whole. It may raise what a listing raises.
    """

    keys: Sequence[str]
    sizes: Sequence[int]
    etags: Sequence[str]
    modified: Sequence[datetime]
    meta: Callable[[int], ObjectMeta]
    md5s: Sequence[str | None] = ()
    declared_md5s: Sequence[str | None] = ()
    crc32cs: Sequence[str | None] = ()
    sha256s: Sequence[str | None] = ()
    versions: Sequence[str | None] = ()
    tells_attributes: bool = False


@runtime_checkable
class PagedListings(Protocol):
    """Optional capability: the objects of ``list_objects``, in its order, page by page."""

    def list_pages(self, bucket: str, prefix: str = "") -> Iterator[ListedPage]:
        """Every object whose key begins with ``prefix``; some at a time, as the service sends them.

        :raises StorageError: as ``list_objects`` does; before the page that can't be read.
        """
        ...

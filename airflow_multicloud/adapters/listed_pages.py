"""Pages of a listing, for hooks and stores that list objects one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from airflow_multicloud.adapters.answers import listed_moment, listed_size, size_of
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import ListedPage, ObjectMeta

#: Objects of a page that is put together here.
_PAGE = 1000


def page_of(metas: Sequence[ObjectMeta]) -> ListedPage:
    """A page of objects that are known already."""
    return ListedPage(
        keys=[meta.key for meta in metas],
        sizes=[meta.size for meta in metas],
        etags=[meta.etag for meta in metas],
        modified=[meta.last_modified for meta in metas],
        meta=metas.__getitem__,
        md5s=_if_any([meta.digests.md5 for meta in metas]),
        declared_md5s=_if_any([meta.declared.md5 for meta in metas]),
        crc32cs=_if_any([meta.digests.crc32c for meta in metas]),
        sha256s=_if_any([meta.digests.sha256 for meta in metas]),
        versions=_if_any([meta.version for meta in metas]),
        tells_attributes=any(meta.attributes is not None for meta in metas),
    )


def pages_of(listed: Iterable[ObjectMeta]) -> Iterator[ListedPage]:
    """A listing by pages of 1,000 objects.

    Where it breaks off, what came before is a page as well.
    """
    page: list[ObjectMeta] = []
    try:
        for meta in listed:
            page.append(meta)
            if len(page) == _PAGE:
                yield page_of(page)
                page = []
    except CloudError:
        if page:
            yield page_of(page)
        raise
    if page:
        yield page_of(page)


def metas_of(page: ListedPage) -> Iterator[ObjectMeta]:
    """The objects of a page, one by one."""
    return map(page.meta, range(len(page.keys)))


def sizes_of(texts: Sequence[str | None]) -> list[int]:
    """The sizes in a column; 0 for one that is none, as :func:`answers.listed_size` has it."""
    try:
        sizes = [int(text or "") for text in texts]
        if sizes:
            size_of(min(sizes))
            size_of(max(sizes))
    except ValueError:
        return [listed_size(text) for text in texts]
    return sizes


def moments_of(
    texts: Sequence[str | None], parse: Callable[[str], datetime] | None = None
) -> list[datetime]:
    """The times in a column, unknown where one is none; many objects have the same one."""
    known = {text: listed_moment(text, parse) for text in {*texts}}
    return [known[text] for text in texts]


def _if_any(column: list[str | None]) -> Sequence[str | None]:
    return column if any(one is not None for one in column) else ()

"""Answers that nothing vouches for, held against those who know better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.references import Contract, Reference
    from airflow_multicloud.ports.object_store import ObjectMeta

#: Who vouches for what the same answer brought.
BY_ITSELF = frozenset({"store", "metadata"})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
# A key itself comes before all that begins with it, where a listing has an order.
_LOOKED_THROUGH = 1000


def may_be_page(meta: ObjectMeta) -> bool:
    """Whether this may be the page of a proxy or a sign-in portal, which may have digests too."""
    given = (meta.attributes and meta.attributes.content_type) or ""
    return given.partition(";")[0].strip().lower() in _PAGES


def corroborated(
    candidate: Endpoint,
    meta: ObjectMeta,
    contract: Contract,
    others: Callable[[], Iterable[Reference]],
) -> Contract:
    """What the bytes must be by those who know better than the answer that they came with.

    The store's own listing shows the object by its ETag and size. A manifest of another candidate
    holds for what was not modified since that run began.

    :raises StorageError: kind ``integrity`` when the listing shows another object, or none.
    """
    listed = _listed(candidate)
    if listed is not None:
        if listed.etag != meta.etag:
            raise StorageError(
                f"{candidate.location}: what was answered is not the object that the listing shows "
                f"(ETag {meta.etag!r} instead of {listed.etag!r}); it was replaced just now, or "
                "something on the way (a proxy, a sign-in page) answered",
                kind=ErrorKind.INTEGRITY,
                cloud=candidate.cloud,
            )
        contract = replace(contract, size=listed.size)
    for known in others():
        if known.contract and known.as_of and meta.last_modified <= known.as_of:
            return known.contract
    return contract


def _listed(candidate: Endpoint) -> ObjectMeta | None:
    key = candidate.location.key
    try:
        for meta in islice(candidate.objects(key), _LOOKED_THROUGH):
            if meta.key == key:
                return meta
    except CloudError as err:
        if err.kind not in (ErrorKind.PERMISSION_DENIED, ErrorKind.UNSUPPORTED):
            raise
        return None  # Reading may be all that is allowed.
    raise StorageError(
        f"{candidate.location}: an object was answered, but the listing has none of this key; "
        "something on the way (a proxy, a sign-in page) answered, it seems",
        kind=ErrorKind.INTEGRITY,
        cloud=candidate.cloud,
    )

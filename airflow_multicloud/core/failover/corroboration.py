"""Answers that nothing vouches for, held against those who know better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import StreamDigest, compare, identifies
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.references import Contract, Reference
    from airflow_multicloud.ports.object_store import Digests, ObjectMeta

_PAGES = frozenset({"text/html", "application/xhtml+xml"})
# A key itself comes before all that begins with it, where a listing has an order.
_LOOKED_THROUGH = 1000


def may_be_page(meta: ObjectMeta) -> bool:
    """Whether this may be the page of a proxy or a sign-in portal, which may have digests too."""
    given = (meta.attributes and meta.attributes.content_type) or ""
    return given.partition(";")[0].strip().lower() in _PAGES


@dataclass(frozen=True, slots=True)
class Asked:
    """What the bytes must be, and who else knows them.

    :param contract: what they must be.
    :param others: what the other candidates' ledgers say of the object.
    :param needed: whether one of the others must know these very bytes, if any knows the object.
    """

    contract: Contract
    others: tuple[Contract, ...] = ()
    needed: bool = False

    def digest(self) -> StreamDigest:
        """What computes all that is asked for, and the SHA-256, which is told of what arrives."""
        every = (one.digests for one in (self.contract, *self.others))
        return StreamDigest.like(*every, sha256=True)

    def why_not(self, found: Digests) -> str | None:
        """Why bytes with these digests are not the object, if they are not."""
        compared = compare(self.contract.digests, found)
        if compared is not None and not compared.equal:
            said = f"the one of {self.contract.by}" if self.contract.by else "what is said of it"
            return f"the content's {compared.name} is not {said}; it is corrupt or another object"
        if self.needed and self.others and self._other(found) is None:
            return "the other candidates' ledgers know the object with another content"
        return None

    def vouching(self, found: Digests) -> str | None:
        """Who says that these are the right bytes; ``None`` for nobody."""
        return (self._other(found) or self.contract).by

    def compared_by(self, found: Digests) -> str | None:
        """The strongest digest by which they are the right bytes; ``None``: there is none."""
        compared = compare((self._other(found) or self.contract).digests, found)
        return None if compared is None else compared.name

    def _other(self, found: Digests) -> Contract | None:
        for other in self.others:
            if (compared := compare(other.digests, found)) is not None and compared.identical:
                return other
        return None


def corroborated(
    candidate: Endpoint,
    meta: ObjectMeta,
    contract: Contract,
    others: Callable[[], Iterable[Reference]],
) -> Asked:
    """What the bytes must be by those who know better than the answer that they came with.

    The store's own listing shows the object by its ETag and size. A ledger of another candidate
    holds for what was not modified since it was looked at. It can vouch for the bytes, but what
    lies at one candidate is no reason to refuse another: only where there is no listing to ask must
    it know them.

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
        if contract.by is not None:
            return Asked(contract)
    known = tuple(
        one.contract
        for one in others()
        if one.contract
        and one.as_of
        and meta.last_modified <= one.as_of
        and identifies(one.contract.digests)
    )
    return Asked(contract, known, needed=listed is None)


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

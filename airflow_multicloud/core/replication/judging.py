"""What becomes of one object of a replica that is verified: by the ledger, the store, its bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from airflow_multicloud.adapters.digests import StreamDigest, compare
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.entries import Behind, Entry, Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.standing import Standing, holds, shown, standing
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, ObjectMeta
from airflow_multicloud.text import printable


class Depth(StrEnum):
    """How to prove content that is no more the object of the proven write.

    With the same ETag and version it is: then only ``read`` looks at it, and whatever the listing
    shows must agree.
    """

    CHECKSUMS = "checksums"
    """By the digests that the store computed; an object it reports none of is not proven."""
    AUTO = "auto"
    """By the digests that the store computed; objects it reports none of are read."""
    READ = "read"
    """By reading every byte, whatever the ETag."""


class Finding(StrEnum):
    """What verification can find of one object."""

    VERIFIED = "verified"
    DAMAGED = "damaged"
    """It is still the object of the proven write, and its content is another one."""
    CHANGED = "changed"
    """It was written again since, and its content is another one, or can't be told."""
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"
    NOT_REPLICATED = "not_replicated"
    """The ledger itself says that the newest copy failed; an earlier one may be there."""
    RESERVED = "reserved"
    """It was left out: its key is among this package's own files here. Nothing is amiss."""

    @property
    def contradicts(self) -> bool:
        """Whether what is there is not what the ledger says."""
        return self in (Finding.DAMAGED, Finding.CHANGED, Finding.MISSING)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one object."""

    name: str
    finding: Finding
    reason: str = ""

    def __str__(self) -> str:
        """One line."""
        return printable(f"{self.name!r} is {self.finding}: {self.reason}")


def by_listing(name: str, entry: Entry, listed: Listed | None, depth: Depth) -> Found | None:
    """What a listing tells of an object; ``None``: it must be looked at. Pure.

    :param entry: what the ledger says of it, which has not gone.
    """
    proof, behind = entry.proof, entry.behind
    if behind is not None and not behind.outcome.owed:
        return Found(name, Finding.RESERVED, _why(behind))
    if proof is None:
        reason = _why(behind) if behind else "the ledger proves nothing of it"
        return Found(name, Finding.NOT_REPLICATED, reason)
    found = _by_listing(name, proof, listed, depth)
    return None if found is None else _also_behind(found, entry)


def look_closer(
    replica: Endpoint, name: str, entry: Entry, listed: Listed, depth: Depth
) -> tuple[Found, int]:
    """Settle what a listing did not; returns the bytes read as well."""
    proof = entry.proof
    if proof is None:
        raise AssertionError(f"{name!r}: without a proof the listing settles it")
    found, size = _look_closer(replica, name, proof, listed, depth)
    return _also_behind(found, entry), size


def look_afresh(replica: Endpoint, name: str, entry: Entry, depth: Depth) -> tuple[Found, int]:
    """Judge an object by what is there now; returns the bytes read as well."""
    try:
        meta = replica.store.stat_object(replica.ref(replica.key_of(name)))
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            return Found(name, Finding.UNVERIFIABLE, f"{err.kind}: {err}"), 0
        listed = None
    else:
        listed = _listed(name, meta)
    found = by_listing(name, entry, listed, depth)
    if found is None and listed is not None:
        return look_closer(replica, name, entry, listed, depth)
    if found is None:
        raise AssertionError(f"{name!r}: what is not there is missing")
    return found, 0


def _by_listing(
    name: str, proof: Proof, listed: Listed | None, depth: Depth, *, sure: bool = False
) -> Found | None:
    """See :func:`by_listing`.

    :param sure: whether a digest tells other content also where it is the ETag: listings of S3 do
        not say which ETags only look like an MD5.
    """
    if listed is None:
        return Found(name, Finding.MISSING, "there is no object of this key")
    if depth is not Depth.READ and holds(proof, listed):
        return Found(name, Finding.VERIFIED)
    if listed.size != proof.size:
        return _other(name, proof, listed, f"{listed.size} bytes instead of {proof.size}")
    differs = compare(proof.digests, _telling(proof, listed, sure=sure))
    if differs is not None and not differs.equal:
        why = f"the store's {differs.name} differs from the ledger's"
        return _other(name, proof, listed, why)
    same = compare(proof.digests, listed.digests)
    proven = same is not None and same.identical
    return Found(name, Finding.VERIFIED) if proven and depth is not Depth.READ else None


def _telling(proof: Proof, listed: Listed, *, sure: bool) -> Digests:
    """The digests that can tell that an object has another content."""
    if _is_proven_write(proof, listed):
        return shown(listed, proof.confirmed)
    if sure or listed.digests.md5 != listed.etag:
        return listed.digests
    return replace(listed.digests, md5=None)


def _look_closer(
    replica: Endpoint, name: str, proof: Proof, listed: Listed, depth: Depth
) -> tuple[Found, int]:
    ref = replica.ref(replica.key_of(name))
    digest: StreamDigest | None = None
    try:
        if depth is not Depth.READ:  # A stat may report digests that a listing does not.
            listed = _listed(name, replica.store.stat_object(ref))
            known = _by_listing(name, proof, listed, depth, sure=True)
            if known is not None:
                return known, 0
            if depth is Depth.CHECKSUMS:
                return _untold(name, proof, listed, "the store reports no digest to compare"), 0
        digest = StreamDigest.like(proof.digests)
        for chunk in replica.store.get_object(ref):
            cancellation.check()
            digest.update(chunk)
            if digest.size > proof.size:
                break
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return Found(name, Finding.MISSING, "it was deleted meanwhile"), 0
        return _untold(name, proof, listed, f"{err.kind}: {err}"), digest.size if digest else 0
    return _by_content(name, proof, listed, digest), digest.size


def _by_content(name: str, proof: Proof, listed: Listed, digest: StreamDigest) -> Found:
    if digest.size != proof.size:
        more = "more than " if digest.size > proof.size else f"{digest.size} bytes instead of "
        return _other(name, proof, listed, f"its content has {more}{proof.size}")
    compared = compare(proof.digests, digest.digests())
    if compared is not None and not compared.equal:
        why = f"the content's {compared.name} differs from the ledger's"
        return _other(name, proof, listed, why)
    if holds(proof, listed) or (compared is not None and compared.identical):
        return Found(name, Finding.VERIFIED)
    return _untold(name, proof, listed, "the ledger has no digest that tells its content")


def _other(name: str, proof: Proof, listed: Listed, why: str) -> Found:
    """It has another content."""
    if _is_proven_write(proof, listed):
        return Found(name, Finding.DAMAGED, why)
    return Found(name, Finding.CHANGED, f"it was written again: {why}")


def _untold(name: str, proof: Proof, listed: Listed, why: str) -> Found:
    """What its content is can't be told."""
    if _is_proven_write(proof, listed):
        return Found(name, Finding.UNVERIFIABLE, why)
    return Found(name, Finding.CHANGED, f"it was written again, and {why}")


def _is_proven_write(proof: Proof, listed: Listed) -> bool:
    return standing(proof, listed) in (Standing.HOLDS, Standing.CONTRADICTED)


def _also_behind(found: Found, entry: Entry) -> Found:
    """The finding of an earlier copy, where the newest one failed."""
    behind, proof = entry.behind, entry.proof
    if behind is None or proof is None:
        return found
    as_of = (behind.since or proof.as_of).isoformat(timespec="seconds")
    if found.finding is Finding.VERIFIED:
        reason = f"{_why(behind)}; what is there is proven, as of {as_of}"
        return Found(found.name, Finding.NOT_REPLICATED, reason)
    return replace(
        found,
        reason=f"{found.reason}; this is the copy as of {as_of}, as the newest one was not made: "
        f"{_why(behind)}",
    )


def _why(behind: Behind) -> str:
    return f"{behind.outcome}: {behind.reason}"


def _listed(name: str, meta: ObjectMeta) -> Listed:
    return Listed(
        name,
        meta.size,
        meta.etag,
        meta.version,
        meta.last_modified,
        meta.digests,
        declared=meta.declared.md5,
    )

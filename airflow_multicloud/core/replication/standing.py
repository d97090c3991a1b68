"""Whether what was proven once still is, by what a listing shows now."""

from __future__ import annotations

from enum import StrEnum

from airflow_multicloud.adapters.digests import compare, identifies
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.ports.object_store import Digests


class Standing(StrEnum):
    """What a listing says of an earlier proof."""

    HOLDS = "holds"
    """It is the very object that was proven, and nothing contradicts it."""
    CHANGED = "changed"
    """Another object was written since."""
    CONTRADICTED = "contradicted"
    """It seems to be the object that was proven, but has another size or another digest: what was
    recorded is not true."""
    UNKNOWN = "unknown"
    """No ETag tells whether it is the object that was proven."""


def holds(proof: Proof, listed: Listed) -> bool:
    """Whether what is there now is the very object that was proven, and nothing contradicts it.

    What has no digest that identifies it, nothing could contradict; no run records such a proof.
    """
    known = proof.proven and identifies(proof.digests)
    return known and standing(proof, listed) is Standing.HOLDS


def standing(proof: Proof, listed: Listed) -> Standing:
    """Whether an earlier proof holds. Pure.

    It holds while ETag and version are those of the proven write, and neither the size nor any
    digest that the listing shows is another one. A version that either side does not tell is not
    compared.
    """
    if proof.etag != listed.etag and proof.etag and listed.etag:
        return Standing.CHANGED
    if None not in (proof.version, listed.version) and proof.version != listed.version:
        return Standing.CHANGED
    if proof.size != listed.size:
        return Standing.CONTRADICTED
    compared = compare(proof.digests, shown(listed, proof.confirmed))
    if compared is not None and not compared.equal:
        return Standing.CONTRADICTED
    return Standing.HOLDS if proof.etag and listed.etag else Standing.UNKNOWN


def shown(listed: Listed, confirmed: str | None) -> Digests:
    """The listing's digests, as far as they can contradict the proof of an object of this ETag.

    An MD5 that is the ETag itself (S3), or that a writer can declare (Azure), counts only if the
    proven write was confirmed by it. S3's listings do not tell which objects are encrypted with
    KMS, whose ETags only look like an MD5.
    """
    shown = listed.digests
    md5 = listed.declared if shown.md5 is None else shown.md5
    if md5 in (listed.etag, listed.declared) and confirmed != "md5":
        md5 = None
    if md5 == shown.md5:
        return shown
    return Digests(crc32c=shown.crc32c, md5=md5, sha256=shown.sha256)

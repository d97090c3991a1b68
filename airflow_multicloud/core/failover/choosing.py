"""Which bytes of a copy are read: those that are there, or the version that was proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import compare, identifies
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.failover.references import Reference
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectVersions

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta


#: What says that a version can't be had; whoever may read objects may not read versions, perhaps.
_NO_VERSION = frozenset(
    {
        ErrorKind.NOT_FOUND,
        ErrorKind.UNSUPPORTED,
        ErrorKind.INVALID_ARGUMENT,
        ErrorKind.PERMISSION_DENIED,
    }
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is read.

    :param old: whether it is a version that is not the current one.
    """

    body: ObjectBody
    findings: tuple[str, ...] = ()
    old: bool = False


def choose(candidate: Endpoint, known: Reference) -> Chosen:
    """What to read of a copy.

    An object that was written or deleted since it was proven is not the one that its ledger is
    about. If the store keeps versions, the proven one is read; else the bytes that are there must
    turn out to have the proven digests.

    :raises StorageError: kind ``integrity`` when they can't.
    """
    ref, proof = candidate.location.ref, known.proof
    try:
        body = candidate.store.get_object(ref)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND or proof is None or not known.owed:
            raise
        before = _proven(candidate, proof)
        if before is None:
            raise
        return Chosen(before, (_finding(candidate, proof, "was deleted"),), old=True)
    if proof is None or proof.wrote(body.meta.etag, body.meta.version):
        return Chosen(body)
    if proof.size == body.meta.size and _has_proven_digests(candidate, proof, body.meta):
        return Chosen(body)
    before = _proven(candidate, proof)
    if before is not None:
        return Chosen(before, (_finding(candidate, proof, "was changed"),), old=True)
    if known.contract is None or not identifies(known.contract.digests):
        raise StorageError(
            f"{candidate.location} was changed since it was proven (ETag {body.meta.etag!r} "
            f"instead of {proof.etag!r}), and its ledger knows no digest to tell its content by",
            kind=ErrorKind.INTEGRITY,
            cloud=candidate.cloud,
        )
    return Chosen(body)


def _has_proven_digests(candidate: Endpoint, proof: Proof, there: ObjectMeta) -> bool:
    """Whether the store's own digests say that the content is the proven one."""
    if there.digests == Digests():
        told = candidate.store.stat_object(candidate.location.ref)
        there = told if told.etag == there.etag else there
    compared = compare(proof.digests, there.digests)
    return compared is not None and compared.identical


def _proven(candidate: Endpoint, proof: Proof) -> ObjectBody | None:
    """The version that was proven, if the store still has it."""
    keeps_versions: bool = has_capability(candidate.store, ObjectVersions)
    if proof.version is None or not keeps_versions:
        return None
    try:
        return candidate.store.get_object(candidate.ref(candidate.location.key, proof.version))
    except CloudError as err:
        if err.kind not in _NO_VERSION:
            raise
        return None


def _finding(candidate: Endpoint, proof: Proof, what: str) -> str:
    return (
        f"{candidate.location} {what} since it was proven at "
        f"{proof.at.isoformat(timespec='seconds')}; the version that was proven was served"
    )

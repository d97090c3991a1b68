"""What is to become of one object at one destination, by what listings and a ledger say. Pure."""

from __future__ import annotations

from enum import Enum, auto

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.standing import holds
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import IfUnchanged


class Known(Enum):
    """What a ledger's proof says of an object that the source lists."""

    NOTHING = auto()
    """There is none, or it is not of what lies at the destination now."""
    OTHER = auto()
    """It holds, and is about another object of the source, or an earlier one."""
    REFUTED = auto()
    """It holds, and the source's listing shows another content."""
    CONTENT = auto()
    """Its content is proven; its attributes must be looked at."""
    ALL = auto()
    """There is nothing to do."""


def what_is_known(
    listed: Listed,
    origin: str,
    prior: Listed | None,
    proof: Proof | None,
    *,
    attributes: CompareAttributes = CompareAttributes.NEVER,
    tags: bool = False,
) -> Known:
    """What a ledger says of one object at one destination; see :func:`decide`."""
    if prior is None or proof is None or not holds(proof, prior):
        return Known.NOTHING
    if not (listed.etag and proof.is_about(origin, listed.etag, listed.size)):
        return Known.OTHER
    if _refuted(listed, prior, proof):
        return Known.REFUTED
    return Known.CONTENT if _in_doubt(listed, proof, attributes, tags=tags) else Known.ALL


def decide(
    listed: Listed,
    origin: str,
    prior: Listed | None,
    proof: Proof | None,
    *,
    immutable: bool,
    attributes: CompareAttributes = CompareAttributes.NEVER,
    tags: bool = False,
) -> Replica:
    """What is to become of one object at one destination.

    :param listed: the object at the source.
    :param origin: its URI there, without a connection.
    :param prior: what has its key at the destination now.
    :param proof: what the destination's ledger proves of it there.
    :param attributes: whether they are looked at when its content is proven.
    :param tags: whether its tags are among them, and the source has tags.
    """
    if prior is None:
        return Replica()
    state = Replica(prior=IfUnchanged(prior.etag, prior.version))
    known = what_is_known(listed, origin, prior, proof, attributes=attributes, tags=tags)
    if proof is not None and known is not Known.NOTHING:
        state = replace(state, attributes=proof.attributes, tags=proof.tags, seen=proof.seen)
        if known is not Known.OTHER:
            looked_at = known is not Known.ALL
            return replace(
                state,
                outcome=None if looked_at else Outcome.UNCHANGED,
                etag=prior.etag,
                version=prior.version or proof.version,
                confirmed=proof.confirmed,
                not_kept=proof.not_kept,
                inspect=looked_at,
                doubtful=known is Known.REFUTED,
                digests=proof.digests if looked_at else state.digests,
            )
    if prior.size == listed.size:
        return replace(state, doubtful=True)
    if immutable:
        return state.failed(
            Outcome.CONFLICT,
            ErrorKind.ALREADY_EXISTS,
            f"immutable is set and the destination has {prior.size} bytes under this key",
        )
    return state


def _refuted(listed: Listed, prior: Listed, proof: Proof) -> bool:
    """Whether the source's listing shows another content than is there, or than was proven.

    It may only seem so: S3 shows an ETag like an MD5 for objects that are encrypted with KMS. But a
    ledger may say anything, and a source's own listing is not written by who writes at a replica.
    """
    for known in (prior.digests, proof.digests):
        if (compared := compare(listed.digests, known)) is not None and not compared.equal:
            return True
    return False


def _in_doubt(listed: Listed, proof: Proof, compare: CompareAttributes, *, tags: bool) -> bool:
    """Whether attributes of an object whose content is proven must be looked at."""
    if compare is CompareAttributes.NEVER:
        return False
    if tags and proof.tags is None:  # They were not asked for, or could not be written then.
        return True
    if compare is CompareAttributes.ALWAYS and (tags or listed.attributes is None):
        return True
    if listed.attributes is not None:
        return listed.attributes != proof.attributes
    return proof.attributes is None or listed.modified != proof.seen

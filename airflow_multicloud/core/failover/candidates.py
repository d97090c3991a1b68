"""One copy of an object: reached, judged and read by one attempt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import (
    BLAKE3_METADATA,
    SHA256_METADATA,
    StreamDigest,
    identifies,
)
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.clocks import clock_ahead
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.choosing import Chosen, choose
from airflow_multicloud.core.failover.corroboration import Asked, corroborated, may_be_page
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.references import Contract, Reference
from airflow_multicloud.core.failover.targets import ObjectTarget, Staged, Target, TargetError
from airflow_multicloud.core.ledger.names import bucket_by_uri, place_of
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectBody, ObjectMeta

if TYPE_CHECKING:
    from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A copy that may serve.

    :param endpoint: ``None`` when it could not even be opened; ``refused`` says why then.
    :param primary: whether it is the first one, which the others are replicas of.
    """

    uri: str
    endpoint: Endpoint | None
    refused: CloudError | None = None
    primary: bool = False

    @property
    def bucket_place(self) -> str:
        """The place of its bucket; without the store, when it could not be opened."""
        if self.endpoint is not None:
            return place_of(self.endpoint)
        return bucket_by_uri(self.uri)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes of one candidate, verified as far as they can be, not yet in place.

    :param answered: when it began to send them, on the monotonic clock.
    """

    staged: Staged
    size: int
    sha256: str
    verified_by: str | None
    digest: str | None
    as_of: datetime | None
    not_kept: tuple[str, ...]
    answered: float
    findings: tuple[str, ...] = ()


def take(
    candidate: Endpoint,
    target: Target,
    policy: FailoverPolicy,
    *,
    live: bool,
    cancelled: threading.Event,
    known: Reference,
    others: Callable[[], Iterable[Reference]] = tuple,
    progress: Progress | None = None,
) -> Arrival:
    """Read one candidate into the target's staging area and verify it.

    :param live: whether it is the live primary, which is never stale.
    :param cancelled: set by the caller to make this stop at the next chunk.
    :param known: what its ledger says.
    :param progress: is told of every byte that arrives, also of a copy that is rejected later.
    :param others: what the other candidates' ledgers say of the object; asked only when
        nothing vouches for what arrives, or it may be a web page.
    :raises TargetError: when the target can't take the bytes; nothing stays staged.
    :raises CloudError: whatever makes this candidate unfit; nothing stays staged then.
    """
    if known.unsound is not None:
        raise StorageError(
            f"{candidate.location} was not replicated ({known.unsound})",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=candidate.cloud,
        )
    if known.proof is not None:
        _check_stale(candidate, known.as_of, policy, exempt=live)
    chosen = choose(candidate, known)
    answered, body = time.monotonic(), chosen.body
    as_of = known.as_of
    if known.proof is None:
        as_of = body.meta.last_modified
        _check_stale(candidate, as_of, policy, exempt=live)
    contract = _contract(body.meta, known, policy)
    if contract.by is None and known.contract is None:
        contract = _contract(_told(candidate, chosen), known, policy)
    asked = Asked(contract)
    doubtful = contract.by is None or (contract.by == "store" and may_be_page(body.meta))
    if doubtful and not chosen.old:  # Which no listing shows.
        asked = corroborated(candidate, body.meta, contract, others)
    if policy.require_digest and asked.contract.by is None and not asked.others:
        raise _unvouched(candidate)
    if asked.contract.size is None:
        asked = replace(asked, contract=replace(asked.contract, size=body.meta.size))
    _check_size(candidate, body.meta.size, asked.contract)
    digest = asked.digest()
    not_kept: tuple[str, ...] = ()
    if isinstance(target, ObjectTarget):
        target, not_kept = target.like(_attributes(candidate, chosen))
    chunks = _verified(candidate, body, digest, asked, policy, cancelled)
    staged = _stage(target, chunks if progress is None else _counted(chunks, body.meta, progress))
    found = digest.digests()
    findings = (*known.findings, *chosen.findings)
    return Arrival(
        staged,
        digest.size,
        found.sha256 or "",
        asked.vouching(found),
        asked.compared_by(found),
        as_of,
        not_kept,
        answered,
        findings,
    )


def _unvouched(candidate: Endpoint) -> StorageError:
    return StorageError(
        f"{candidate.location}: nothing vouches for the content, and require_digest is set",
        kind=ErrorKind.INTEGRITY,
        cloud=candidate.cloud,
    )


def _counted(chunks: Iterator[Buffer], meta: ObjectMeta, progress: Progress) -> Iterator[Buffer]:
    if not progress.planned:
        progress.expect(1, meta.size)
    for chunk in chunks:
        yield chunk
        progress.wrote(memoryview(chunk).nbytes)


def _stage(target: Target, chunks: Iterator[Buffer]) -> Staged:
    """Stage the bytes; says whose fault it is when that fails."""
    failed: BaseException | None = None

    def noted() -> Iterator[Buffer]:
        nonlocal failed
        try:
            yield from chunks
        except Exception as err:
            failed = err
            raise

    try:
        return target.stage(noted())
    except CloudError as err:
        if failed is not None:
            raise failed from None
        if isinstance(err, TargetError):
            raise
        raise TargetError(str(err), kind=err.kind, cloud=err.cloud, code=err.code) from err


def _told(candidate: Endpoint, chosen: Chosen) -> ObjectMeta:
    """What the store says of the object being read: S3 shows checksums only when asked so."""
    read = chosen.body.meta
    version = read.version if chosen.old else None
    there = candidate.store.stat_object(candidate.ref(candidate.location.key, version))
    return there if there.etag == read.etag else read


def _check_size(candidate: Endpoint, size: int, contract: Contract) -> None:
    if contract.size is not None and size != contract.size:
        raise StorageError(
            f"{candidate.location} has {size} bytes, {contract.size} are expected",
            kind=ErrorKind.INTEGRITY,
            cloud=candidate.cloud,
        )


def _attributes(candidate: Endpoint, chosen: Chosen) -> ObjectAttributes:
    """The attributes of the object being read; a read need not tell them."""
    attributes = chosen.body.meta.attributes
    if attributes is None:
        attributes = _told(candidate, chosen).attributes
    return attributes or ObjectAttributes()


def _check_stale(
    candidate: Endpoint, as_of: datetime | None, policy: FailoverPolicy, *, exempt: bool
) -> None:
    if policy.max_staleness is None or exempt:
        return
    limit = f"max_staleness is {policy.max_staleness.total_seconds():.0f} s"
    if as_of is None:
        why = f"can't be called fresh: it is not known to have been up to date ever; {limit}"
    elif finding := clock_ahead(as_of):
        why = f"can't be called fresh: {finding}; {limit}"
    elif (age := datetime.now(UTC) - as_of) > policy.max_staleness:
        why = (
            f"is stale: as of {as_of.isoformat(timespec='seconds')}, "
            f"{age.total_seconds():.0f} s ago; {limit}"
        )
    else:
        return
    raise StorageError(
        f"{candidate.location} {why}", kind=ErrorKind.PRECONDITION_FAILED, cloud=candidate.cloud
    )


def _contract(meta: ObjectMeta, known: Reference, policy: FailoverPolicy) -> Contract:
    """What the bytes must be, by the first who says so.

    What anybody may have written, or has a CRC32C only, can show damage but vouches for nothing.
    """
    if policy.expected_sha256 is not None:
        return Contract(Digests(sha256=policy.expected_sha256), None, "expected_sha256")
    if known.contract is not None:
        sure = identifies(known.contract.digests)
        return known.contract if sure else replace(known.contract, by=None)
    if meta.digests != Digests():
        return Contract(meta.digests, meta.size, "store")
    told = meta.attributes.metadata if meta.attributes else {}
    claimed = Digests(sha256=told.get(SHA256_METADATA), blake3=told.get(BLAKE3_METADATA))
    return Contract(claimed, meta.size, None)


def _verified(
    candidate: Endpoint,
    body: ObjectBody,
    digest: StreamDigest,
    asked: Asked,
    policy: FailoverPolicy,
    cancelled: threading.Event,
) -> Iterator[Buffer]:
    """The body's chunks; raises after the last one when they are not what they must be."""
    contract = asked.contract
    for chunk in body:
        if cancelled.is_set():
            raise StorageError(
                f"{candidate.location}: given up", kind=ErrorKind.TIMEOUT, cloud=candidate.cloud
            )
        cancellation.check()
        digest.update(chunk)
        if contract.size is not None and digest.size > contract.size:
            _check_size(candidate, digest.size, contract)  # Now, and not when the disk is full.
        yield chunk
    _check_size(candidate, digest.size, contract)
    found = digest.digests()
    if why := asked.why_not(found):
        raise StorageError(
            f"{candidate.location}: {why}", kind=ErrorKind.INTEGRITY, cloud=candidate.cloud
        )
    if policy.require_digest and asked.vouching(found) is None:
        raise _unvouched(candidate)

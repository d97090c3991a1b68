"""Put a local file into a store, once, with its SHA-256."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from airflow_multicloud.adapters.digests import SHA256_METADATA, compare
from airflow_multicloud.core import telemetry
from airflow_multicloud.core.apart import check_overlap
from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.local_files import Content, check_no_file, chunks_of, content_of
from airflow_multicloud.core.reading import digests_by_reading
from airflow_multicloud.core.replication.buckets import check_bucket
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.core.upload_record import record_upload
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    IfUnchanged,
    ObjectAttributes,
    ObjectMeta,
    WriteOptions,
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What lies at the destination now.

    :param unchanged: it was there already, the same by a digest that the store itself computed or
        by reading it, and nothing was sent.
    :param commit: the number of the commit that records it in the ledger there; ``None`` when
        nothing was to be recorded.
    :param ledger_root: that commit's root.
    """

    uri: str
    size: int
    sha256: str
    etag: str
    version: str | None
    unchanged: bool
    commit: int | None = None
    ledger_root: str | None = None


@dataclass(frozen=True, slots=True)
class _Other:
    """What is at the destination and is not, or can't be seen to be, the file's content.

    :param unread: why it could not be read for comparison, if so.
    """

    condition: IfUnchanged
    unread: CloudError | None = None


@dataclass(frozen=True, slots=True)
class PlannedUpload:
    """What an upload would do: ``upload``, ``replace`` or ``unchanged``."""

    uri: str
    size: int
    sha256: str
    action: str


def check_apart(file: Path, destination: Endpoint, replicas: Sequence[Endpoint]) -> None:
    """Refuse replicas that lie in the destination or in each other, before any request.

    What counts is both where they are said to be and where the file would land.

    :raises StorageError: kind ``invalid_argument``.
    """
    parameters = ("destination", "replicate_to")
    check_overlap(destination, replicas, parameters=parameters)
    landed = _landed(file, destination)
    basename = landed.location.key.rpartition("/")[2]
    copies = [_below(replica, basename) for replica in replicas]
    for number, copy in enumerate(copies):
        check_reserved(copy, parameter=f"replicate_to[{number}]")
    check_overlap(landed, copies, parameters=parameters)


def check_replicas(replicas: Sequence[Endpoint], *, create: bool = False) -> None:
    """Look at the replicas' buckets before any byte moves, and create them if they are to be.

    One that is out of reach is no reason not to upload: the replication will report it.

    :raises CloudError: for what trying again does not mend (no such bucket, no permission),
        naming the parameter.
    """
    for number, replica in enumerate(replicas):
        try:
            check_bucket(f"replicate_to[{number}]", replica, create=create)
        except CloudError as err:
            if not err.retryable:
                raise


def plan_upload(file: Path, destination: Endpoint, *, immutable: bool = False) -> PlannedUpload:
    """What :func:`upload` would do now; sends nothing.

    :raises StorageError: as :func:`upload` does before any byte moves.
    """
    destination = _landed(file, destination)
    content = content_of(file)
    prior = _prior(destination, content)
    if isinstance(prior, Uploaded):
        action = "unchanged"
    else:
        _check_replacing(destination, prior, immutable=immutable)
        action = "upload" if prior is None else "replace"
    return PlannedUpload(str(destination.location), content.size, content.sha256, action)


def upload(
    file: Path,
    destination: Endpoint,
    *,
    immutable: bool = False,
    sign: Sign | None = None,
    progress: Progress | None = None,
) -> Uploaded:
    """Upload a file in bounded memory, whole or not at all.

    A destination that is a prefix gets the file's name appended. Its digests are computed first,
    so that a second upload of the same file sends nothing: where the store computed a SHA-256 or
    MD5 of what is there, that decides, else what is there is read. The SHA-256 kept as metadata is
    for readers; anybody could have written it, so it proves nothing here.

    :param immutable: refuse to replace another content.
    :param sign: signs what is written into the ledger there.
    :param progress: counts the bytes; its listener is told on the calling thread.
    :raises StorageError: kind ``not_found`` when there is no such file, ``already_exists``
        when ``immutable`` forbids to replace, ``source_changed`` when the file changes
        while it is sent, or what the store reports.
    """
    destination = _landed(file, destination)
    uri = str(destination.location)
    with telemetry.operation("upload", cloud__provider=destination.cloud) as span:
        started = datetime.now(UTC)
        content = content_of(file)
        span.set_attribute("multicloud.bytes", content.size)
        prior = _prior(destination, content)
        if isinstance(prior, Uploaded):
            return _recorded(file, destination, content, prior, Outcome.VERIFIED, started, sign)
        _check_replacing(destination, prior, immutable=immutable)
        content_type, encoding = mimetypes.guess_type(file.name)
        options = WriteOptions(
            attributes=ObjectAttributes(
                # "report.csv.gz" is a gzip file, not a CSV that travels compressed.
                content_type=content_type if encoding is None else "application/octet-stream",
                metadata={SHA256_METADATA: content.sha256},
            ),
            storage_class=destination.storage_class,
            encryption_key=destination.encryption_key,
            condition=destination.condition(None if prior is None else prior.condition),
        )
        try:
            chunks = _counted(chunks_of(file, content), content.size, progress or Progress())
            written = put_stream(destination, destination.location.key, chunks, options)
        except CloudError as err:
            if err.kind not in PERHAPS_OURS:
                raise
            there = _prior(destination, content)
            if not isinstance(there, Uploaded):
                raise
            there = replace(there, unchanged=False)
            return _recorded(file, destination, content, there, Outcome.VERIFIED, started, sign)
        telemetry.count_bytes("written", destination.cloud, content.size)
        done = Uploaded(
            uri, content.size, content.sha256, written.etag, written.version, unchanged=False
        )
        outcome = Outcome.COPIED if prior is None else Outcome.REPLACED
        return _recorded(file, destination, content, done, outcome, started, sign)


def _recorded(
    file: Path,
    destination: Endpoint,
    content: Content,
    done: Uploaded,
    outcome: Outcome,
    started: datetime,
    sign: Sign | None,
) -> Uploaded:
    mark = record_upload(
        destination,
        file.name,
        content.size,
        content.digests,
        etag=done.etag,
        version=done.version,
        outcome=outcome,
        started=started,
        sign=sign,
    )
    return done if mark is None else replace(done, commit=mark.number, ledger_root=mark.root)


def _counted(chunks: Iterator[bytes], size: int, progress: Progress) -> Iterator[bytes]:
    progress.expect(1, size)
    for chunk in chunks:
        yield chunk
        progress.wrote(len(chunk))
        progress.tell(force=False)


def _check_replacing(destination: Endpoint, prior: _Other | None, *, immutable: bool) -> None:
    if prior is not None and immutable:
        unread = f"content that can't be compared ({prior.unread})" if prior.unread else None
        raise StorageError(
            f"destination: {destination.location} has {unread or 'another content'}, and "
            "immutable is set",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=destination.cloud,
        )


def _landed(file: Path, destination: Endpoint) -> Endpoint:
    check_no_file(file)
    landed = _below(destination, file.name)
    check_reserved(landed, parameter="destination")
    if why := landed.why_not_key(landed.location.key):
        raise StorageError(
            f"destination: {landed.location}: {why}",
            kind=ErrorKind.UNSUPPORTED,
            cloud=landed.cloud,
        )
    return landed


def _below(endpoint: Endpoint, name: str) -> Endpoint:
    return endpoint.below(name) if endpoint.location.is_prefix else endpoint


def _prior(destination: Endpoint, content: Content) -> _Other | Uploaded | None:
    """What is at the destination: nothing, this very content, or something else."""
    try:
        there = destination.store.stat_object(destination.location.ref)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return None
    other = _Other(IfUnchanged(there.etag, there.version))
    try:
        same = _same(destination, there, content)
    except CloudError as err:
        if err.retryable:
            raise
        return replace(other, unread=err)
    if not same:
        return other
    uri = str(destination.location)
    return Uploaded(uri, content.size, content.sha256, there.etag, there.version, unchanged=True)


def _same(destination: Endpoint, there: ObjectMeta, content: Content) -> bool:
    """Whether an object has a file's content, by what no writer of it could have made up."""
    if there.size != content.size:
        return False
    compared = compare(content.digests, there.digests)
    if compared is not None and compared.decisive:
        return compared.equal
    # A CRC32C refutes, but can't prove: other content with the same one is easily made.
    telemetry.count_bytes("read", destination.cloud, there.size)
    held = digests_by_reading(destination, destination.location.ref, if_etag=there.etag)
    return held.sha256 == content.sha256

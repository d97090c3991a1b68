"""Put a local file into a store, once, with its SHA-256."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.digest import SHA256_METADATA
from airflow_multicloud.core.endpoints import Endpoint, refuse_overlap, refuse_reserved
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfUnchanged, ObjectAttributes, WriteOptions

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What lies at the destination now.

    :param unchanged: it was there already, with the same SHA-256, and nothing was sent.
    """

    uri: str
    size: int
    sha256: str
    etag: str
    version: str | None
    unchanged: bool


@dataclass(frozen=True, slots=True)
class PlannedUpload:
    """What an upload would do: ``upload``, ``replace`` or ``unchanged``."""

    uri: str
    size: int
    sha256: str
    action: str


def refuse_replicas(file: Path, destination: Endpoint, replicas: Sequence[Endpoint]) -> None:
    """Refuse replicas that lie in the destination or in each other, before any request.

    What counts is both where they are said to be and where the file would land.

    :raises StorageError: kind ``invalid_argument``.
    """
    parameters = ("destination", "replicate_to")
    refuse_overlap(destination, replicas, parameters=parameters)
    landed = _landed(file, destination)
    basename = landed.location.key.rpartition("/")[2]
    copies = [_below(replica, basename) for replica in replicas]
    for number, copy in enumerate(copies):
        refuse_reserved(copy, parameter=f"replicate_to[{number}]")
    refuse_overlap(landed, copies, parameters=parameters)


def check_replicas(replicas: Sequence[Endpoint]) -> None:
    """Look at the replicas' buckets before any byte moves.

    One that is out of reach is no reason not to upload: the replication will report it.

    :raises CloudError: for what trying again does not mend (no such bucket, no permission),
        naming the parameter.
    """
    for number, replica in enumerate(replicas):
        try:
            replica.store.stat_bucket(replica.bucket)
        except CloudError as err:
            if err.retryable:
                continue
            missing = err.kind is ErrorKind.NOT_FOUND
            why = f"no bucket {replica.bucket!r}; create it" if missing else str(err)
            raise type(err)(
                f"replicate_to[{number}]: {replica.location}: {why}",
                kind=err.kind,
                cloud=err.cloud,
                code=err.code,
            ) from err


def plan_upload(file: Path, destination: Endpoint, *, immutable: bool = False) -> PlannedUpload:
    """What :func:`upload` would do now; sends nothing.

    :raises StorageError: as :func:`upload` does before any byte moves.
    """
    destination = _landed(file, destination)
    size, sha256 = _digest(file)
    prior = _prior(destination, size, sha256)
    if isinstance(prior, Uploaded):
        action = "unchanged"
    else:
        _refuse_replacing(destination, prior, immutable=immutable)
        action = "upload" if prior is None else "replace"
    return PlannedUpload(str(destination.location), size, sha256, action)


def upload(file: Path, destination: Endpoint, *, immutable: bool = False) -> Uploaded:
    """Upload a file in bounded memory, whole or not at all.

    A destination that is a prefix gets the file's name appended. The SHA-256 is computed
    first and kept as metadata, so that a second upload of the same file sends nothing.

    :param immutable: refuse to replace another content.
    :raises StorageError: kind ``not_found`` when there is no such file, ``already_exists``
        when ``immutable`` forbids to replace, ``source_changed`` when the file changes
        while it is sent, or what the store reports.
    """
    destination = _landed(file, destination)
    uri = str(destination.location)
    with telemetry.operation("upload", cloud__provider=destination.cloud) as span:
        size, sha256 = _digest(file)
        span.set_attribute("multicloud.bytes", size)
        prior = _prior(destination, size, sha256)
        if isinstance(prior, Uploaded):
            return prior
        _refuse_replacing(destination, prior, immutable=immutable)
        content_type, encoding = mimetypes.guess_type(file.name)
        options = WriteOptions(
            attributes=ObjectAttributes(
                # "report.csv.gz" is a gzip file, not a CSV that travels compressed.
                content_type=content_type if encoding is None else "application/octet-stream",
                metadata={SHA256_METADATA: sha256},
            ),
            storage_class=destination.storage_class,
            encryption_key=destination.encryption_key,
            condition=destination.condition(prior),
        )
        try:
            written = put_stream(
                destination, destination.location.key, _chunks(file, size, sha256), options
            )
        except CloudError as err:
            if err.kind not in PERHAPS_OURS:
                raise
            there = _prior(destination, size, sha256)
            if not isinstance(there, Uploaded):
                raise
            return replace(there, unchanged=False)
        telemetry.count_bytes("written", destination.cloud, size)
    return Uploaded(uri, size, sha256, written.etag, written.version, unchanged=False)


def _refuse_replacing(destination: Endpoint, prior: IfUnchanged | None, *, immutable: bool) -> None:
    if prior is not None and immutable:
        raise StorageError(
            f"destination: {destination.location} has another content, and immutable is set",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=destination.cloud,
        )


def _landed(file: Path, destination: Endpoint) -> Endpoint:
    if not file.is_file():
        raise StorageError(f"file: {file} is not a file", kind=ErrorKind.NOT_FOUND)
    landed = _below(destination, file.name)
    refuse_reserved(landed, parameter="destination")
    return landed


def _below(endpoint: Endpoint, name: str) -> Endpoint:
    location = endpoint.location
    if not location.is_prefix:
        return endpoint
    return replace(endpoint, location=location.with_key(location.key + name))


def _digest(file: Path) -> tuple[int, str]:
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        return opened.tell(), sha256


def _prior(destination: Endpoint, size: int, sha256: str) -> IfUnchanged | Uploaded | None:
    """What is at the destination: nothing, this very content, or something else."""
    try:
        there = destination.store.stat_object(destination.location.ref)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return None
    claimed = there.attributes.metadata.get(SHA256_METADATA) if there.attributes else None
    if there.size == size and sha256 in (there.digests.sha256, claimed):
        uri = str(destination.location)
        return Uploaded(uri, size, sha256, there.etag, there.version, unchanged=True)
    return IfUnchanged(there.etag, there.version)


def _chunks(file: Path, size: int, sha256: str) -> Iterator[bytes]:
    """The file's bytes; raises after the last one when they are no longer those digested."""
    digest, seen = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
            seen += len(chunk)
            yield chunk
    if (seen, digest.hexdigest()) != (size, sha256):
        raise StorageError(
            f"file: {file} was changed while it was being uploaded; nothing was written",
            kind=ErrorKind.SOURCE_CHANGED,
        )

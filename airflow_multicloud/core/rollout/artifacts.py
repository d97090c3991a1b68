"""The artifact: what it is, and a proven copy of it near every target."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.apart import in_one_place
from airflow_multicloud.core.endpoints import Endpoint, naming
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.local_files import check_no_file, content_of
from airflow_multicloud.core.reading import digests_by_reading
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.rollout.places import artifact_name, check_sha256
from airflow_multicloud.core.rollout.plans import PlannedArtifact
from airflow_multicloud.core.upload import upload
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, IfUnchanged, ObjectMeta

_log = logging.getLogger(__name__)

_MOST_THREADS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the artifact at one place.

    :param place: the URI of the prefix, as the targets have it.
    :param uri: of the artifact there.
    :param sent: whether its bytes were sent; a proven copy that is there is left alone.
    :param error_kind: why it is not there, else ``None``.
    """

    place: str
    uri: str
    sent: bool = False
    error_kind: ErrorKind | None = None
    error: str | None = None


def look_at_artifact(
    source: Endpoint | Path, *, sha256: str | None = None, size: int | None = None
) -> PlannedArtifact:
    """The size and SHA-256 of an artifact; it is read unless its store has computed these.

    :param sha256: that it is expected to have.
    :param size: likewise; an object of another size is not read.
    :raises CloudError: naming the artifact: when it is not there or may not be read, is empty, or
        is not the one expected (``integrity``).
    """
    if sha256 is not None:
        check_sha256(sha256, "artifact: sha256")
    if isinstance(source, Path):
        found = _file(source)
    else:
        with naming("artifact", source):
            found = _object(source, size)
    if not found.size:
        raise DeploymentError(
            f"artifact: {found.uri} is empty, expected an archive or something to run",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if sha256 not in (None, found.sha256):
        raise DeploymentError(
            f"artifact: {found.uri} has the SHA-256 {found.sha256}, expected {sha256}",
            kind=ErrorKind.INTEGRITY,
        )
    return found


def deliver_artifact(
    source: Endpoint | Path,
    artifact: PlannedArtifact,
    deployment_id: str,
    places: Mapping[str, Endpoint],
    *,
    sign: Sign | None = None,
) -> tuple[Delivery, ...]:
    """Put a proven copy of the artifact under every place, at the same time.

    A file is uploaded, an object replicated; a second call sends nothing. What fails at one place
    costs that place only. A copy that is proven is never replaced, and what was sent of a source
    that has become another is deleted again.

    :param artifact: as it was looked at; what has become another since is not delivered.
    :param places: URI → prefix.
    :param sign: signs what is written into the places' ledgers.
    :return: one for each place, in their order.
    :raises CloudError: for a local file that is no longer the one that was looked at.
    """
    if isinstance(source, Path):
        look_at_artifact(source, sha256=artifact.sha256)
    name = artifact_name(deployment_id, artifact.sha256, artifact.file_name)
    # One place under two spellings would be written twice at once.
    distinct = {place.place: place.below(name) for place in places.values()}
    threads = max(1, min(len(distinct), _MOST_THREADS))
    with cancellation.pool(threads, "multicloud-deliver") as pool:
        waiting = {
            key: telemetry.submit_in_context(pool, _deliver, source, artifact, copy, sign)
            for key, copy in distinct.items()
        }
        done = {key: one.result() for key, one in waiting.items()}
    return tuple(_told(uri, place.below(name), done[place.place]) for uri, place in places.items())


def holds(copy: Endpoint, artifact: PlannedArtifact) -> bool:
    """Whether an object is the artifact, by what no writer of it could have made up.

    :raises CloudError: when it can't be looked at; ``not_found`` when there is none.
    """
    there = copy.store.stat_object(copy.location.ref)
    if _is_another(there, artifact):
        return False
    compared = compare(Digests(sha256=artifact.sha256), there.digests)
    if compared is not None and compared.decisive:
        return True
    read = digests_by_reading(copy, copy.location.ref, if_etag=there.etag)
    return read.sha256 == artifact.sha256


def _file(source: Path) -> PlannedArtifact:
    try:
        check_no_file(source)
        content = content_of(source)
    except CloudError as err:
        raise err.with_context("artifact") from err
    return PlannedArtifact(uri=str(source), sha256=content.sha256, size=content.size)


def _object(source: Endpoint, size: int | None) -> PlannedArtifact:
    try:
        there = source.store.stat_object(source.location.ref)
        if size not in (None, there.size):
            raise DeploymentError(
                f"it has {there.size} bytes, expected {size}",
                kind=ErrorKind.INTEGRITY,
                cloud=source.cloud,
            )
        sha256 = there.digests.sha256
        if sha256 is None:
            read = digests_by_reading(source, source.location.ref, if_etag=there.etag)
            sha256 = read.sha256 or ""
    except CloudError as err:
        if err.kind is not ErrorKind.PERMISSION_DENIED:
            raise
        raise err.with_context("it may not be read with this connection") from err
    return PlannedArtifact(uri=str(source.location), sha256=sha256, size=there.size)


def _told(uri: str, copy: Endpoint, done: bool | CloudError) -> Delivery:
    found = Delivery(place=uri, uri=str(copy.location), sent=done is True)
    if not isinstance(done, CloudError):
        return found
    return Delivery(place=uri, uri=found.uri, error_kind=done.kind, error=str(done))


def _deliver(
    source: Endpoint | Path, artifact: PlannedArtifact, copy: Endpoint, sign: Sign | None
) -> bool | CloudError:
    """Whether bytes were sent, or what failed."""
    try:
        if not isinstance(source, Path) and in_one_place(source, copy):
            return _kept(artifact, copy)
        # First: whatever the source has become by now, a copy that is proven stays.
        if _is_held(copy, artifact):
            return False
        if isinstance(source, Path):
            return _upload(source, artifact, copy, sign)
        return _replicate(source, artifact, copy, sign)
    except CloudError as err:
        return err


def _is_held(copy: Endpoint, artifact: PlannedArtifact) -> bool:
    try:
        return holds(copy, artifact)
    except CloudError as err:
        if err.retryable:
            raise
        return False  # Sending it will tell what is wrong, if anything is.


def _upload(file: Path, artifact: PlannedArtifact, copy: Endpoint, sign: Sign | None) -> bool:
    done = upload(file, copy, sign=sign)
    if done.sha256 != artifact.sha256:
        _take_back(copy, IfUnchanged(done.etag, done.version))
        raise _changed(copy, artifact)
    return not done.unchanged


def _kept(artifact: PlannedArtifact, copy: Endpoint) -> bool:
    if not holds(copy, artifact):
        raise _changed(copy, artifact)
    return False


def _replicate(
    source: Endpoint, artifact: PlannedArtifact, copy: Endpoint, sign: Sign | None
) -> bool:
    if _is_another(source.store.stat_object(source.location.ref), artifact):
        raise _changed(copy, artifact)
    report = replicate(Replication(source, (copy,), sign=sign))
    (done,) = report.destinations
    if done.content == _content_of(artifact):
        return done.bytes_written > 0
    there = copy.store.stat_object(copy.location.ref)
    if not holds(copy, artifact):
        if done.bytes_written > 0:
            _take_back(copy, IfUnchanged(there.etag, there.version))
        raise _changed(copy, artifact)
    return done.bytes_written > 0


def _is_another(there: ObjectMeta, artifact: PlannedArtifact) -> bool:
    """Whether an object can be seen, without reading it, not to be the artifact."""
    compared = compare(Digests(sha256=artifact.sha256), there.digests)
    return there.size != artifact.size or (
        compared is not None and compared.decisive and not compared.equal
    )


def _take_back(copy: Endpoint, written: IfUnchanged) -> None:
    """Delete what was sent and turned out to be another, unless it is another again by now."""
    # Where a store has no conditions, what was looked at a moment ago is taken to be there still.
    condition = written if copy.condition(written) else None
    try:
        copy.store.delete_object(copy.location.ref, condition=condition)
    except CloudError as err:
        if err.kind not in (ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED):
            _log.warning("%s stays, and is not the artifact: %s", copy.location, err)


def _content_of(artifact: PlannedArtifact) -> str:
    """What a report calls the content of a replica that is this one object."""
    tree = MerkleTree()
    tree.add("", artifact.size, Digests(sha256=artifact.sha256))
    return tree.root()


def _changed(copy: Endpoint, artifact: PlannedArtifact) -> DeploymentError:
    return DeploymentError(
        f"artifact: {artifact.uri} has become another since it was looked at, or what lies at "
        f"{copy.location} is not it; its SHA-256 was {artifact.sha256}",
        kind=ErrorKind.SOURCE_CHANGED,
        cloud=copy.cloud,
    )

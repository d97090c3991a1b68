"""The record of a revision, beside its artifact: what a rollback goes by.

It lies in the same buckets as the artifacts, and is worth what these are: whoever may write there
may plant a record of a revision, with an artifact of theirs, and it is what a rollback to that
revision would run. So all places that can be reached must agree, and one that does not is named;
who writes to all of them can't be told from us. A place that had no answer is named as well. A
record of the revision can't be made to point outside of its deployment's own artifacts, and what
an instance fetches must have the SHA-256 that the record says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

import msgspec

from airflow_multicloud.core import records, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.digests import digest_of_document
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.places import (
    DIGITS,
    artifact_name,
    check_revision,
    read_record_name,
    record_name,
    revisions_prefix,
)
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.documents import Document, read_document, to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

T = TypeVar("T")

_MOST_BYTES = 64 << 10
#: Of one deployment at one place; more are not looked at.
_MOST_RECORDS = 10_000
_MOST_THREADS = 16
_TAKEN = frozenset({ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What was deployed once, and can be again.

    :param revision: its name.
    :param key: of the artifact, below the place.
    :param first_deployed: the order of the run that deployed it first at this place.
    """

    deployment_id: str
    revision: str
    sha256: str
    size: int
    file_name: str
    key: str
    command: str
    port: int
    script_digest: str
    health: HealthCheck | None
    first_deployed: datetime

    DOCUMENT: ClassVar = Document(format="airflow-multicloud revision", version=1)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all but when it was deployed."""
        document = to_document(self)
        del document["first_deployed"]
        return digest_of_document(document)

    @property
    def full_name(self) -> str:
        """Its name, with what tells it apart from another of that name."""
        return f"{self.revision}-{self.digest[:DIGITS]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRevision:
    """A revision, as the places have it.

    :param places: URIs of those that have its record.
    :param lacking: of those that were reached and have none.
    :param unknown: URI → why it could not be told.
    """

    revision: Revision
    places: tuple[str, ...]
    lacking: tuple[str, ...] = ()
    unknown: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRevisions:
    """The revisions of a deployment, newest first.

    :param unknown: place's URI → why its records, or one of them, can't be read.
    """

    revisions: tuple[FoundRevision, ...]
    unknown: Mapping[str, str]


def revision_of(plan: DeploymentPlan) -> Revision:
    """The record of what a plan deploys."""
    artifact = plan.artifact
    return Revision(
        deployment_id=plan.deployment_id,
        revision=plan.revision,
        sha256=artifact.sha256,
        size=artifact.size,
        file_name=artifact.file_name,
        key=artifact_name(plan.deployment_id, artifact.sha256, artifact.file_name),
        command=plan.command,
        port=plan.port,
        script_digest=plan.script_digest,
        health=plan.health,
        first_deployed=plan.order,
    )


def record_revision(revision: Revision, places: Mapping[str, Endpoint]) -> dict[str, CloudError]:
    """Write a revision's record to every place that has none.

    :param places: URI → prefix.
    :return: URI → what failed there.
    """
    done = _everywhere(places, lambda place: _write(revision, place))
    return {uri: found for uri, found in done.items() if isinstance(found, CloudError)}


def list_revisions(deployment_id: str, places: Mapping[str, Endpoint]) -> KnownRevisions:
    """Every revision of a deployment that some place has a record of.

    :raises CloudError: when no place could be read.
    """
    return _known(deployment_id, places, "")


def find_revision(deployment_id: str, places: Mapping[str, Endpoint], to: str) -> FoundRevision:
    """The revision of a name.

    :param to: its name, or its full name (``<revision>-<digits>``).
    :raises DeploymentError: ``not_found`` when no place has it; ``precondition_failed``, naming all,
        when the places have several of that name.
    """
    known = _known(deployment_id, places, check_revision_name(to))
    named = [
        one for one in known.revisions if to in (one.revision.revision, one.revision.full_name)
    ]
    # A full name is exact, though a revision's own name may look like one.
    exact = [one for one in named if one.revision.full_name == to]
    found = exact or named
    if not found:
        unread = "".join(f"; {uri}: {why}" for uri, why in known.unknown.items())
        raise DeploymentError(
            f"to: there is no revision {to!r} of deployment {deployment_id}{unread}",
            kind=ErrorKind.NOT_FOUND,
        )
    if len(found) > 1:
        several = "; ".join(
            f"{one.revision.full_name} (SHA-256 {one.revision.sha256}) at {', '.join(one.places)}"
            for one in found
        )
        raise DeploymentError(
            f"to: the places do not agree what revision {to!r} is: {several}. Name the one that is "
            "meant in full",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    return found[0]


def check_revision_name(given: str) -> str:
    """A revision's name, in full or not.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, str) or read_record_name(f"{given}.json") is None:
        check_revision(given, "to")
    return given


def _write(revision: Revision, place: Endpoint) -> None:
    name = record_name(revision.deployment_id, revision.revision, revision.digest)
    key = place.key_of(name)
    if _is_there(place, key):
        return
    options = WriteOptions(
        attributes=ObjectAttributes(content_type="application/json"),
        storage_class=place.storage_class,
        encryption_key=place.encryption_key,
        condition=place.condition(None),
    )
    content = msgspec.json.encode(to_document(revision), order="sorted")
    try:
        place.store.put_object(place.ref(key), content, options)
    except CloudError as err:
        # Another run was first: its record differs in the time only.
        if err.kind not in _TAKEN or not _is_there(place, key):
            raise


def _is_there(place: Endpoint, key: str) -> bool:
    try:
        place.store.stat_object(place.ref(key))
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return False
    return True


def _known(deployment_id: str, places: Mapping[str, Endpoint], begins: str) -> KnownRevisions:
    read = _everywhere(places, lambda place: _read_all(deployment_id, place, begins))
    unknown: dict[str, str] = {}
    at: dict[str, list[str]] = {}
    first: dict[str, Revision] = {}
    reached: list[str] = []
    failed: list[CloudError] = []
    for uri, found in read.items():
        if isinstance(found, CloudError):
            unknown[uri] = f"{found.kind}: {found}"
            failed.append(found)
            continue
        reached.append(uri)
        revisions, damaged = found
        if damaged:
            unknown[uri] = "; ".join(damaged)
        for one in revisions:
            at.setdefault(one.full_name, []).append(uri)
            known = first.setdefault(one.full_name, one)
            if one.first_deployed < known.first_deployed:
                first[one.full_name] = one
    if failed and not reached:
        raise failed[0]
    found_revisions = [
        FoundRevision(
            revision=one,
            places=tuple(at[name]),
            lacking=tuple(uri for uri in reached if uri not in at[name]),
            unknown=unknown,
        )
        for name, one in first.items()
    ]
    found_revisions.sort(key=lambda one: one.revision.first_deployed, reverse=True)
    return KnownRevisions(revisions=tuple(found_revisions), unknown=unknown)


def _read_all(deployment_id: str, place: Endpoint, begins: str) -> tuple[list[Revision], list[str]]:
    """A place's records, and what is wrong with those that can't be believed."""
    found: list[Revision] = []
    damaged: list[str] = []
    prefix = place.key_of(revisions_prefix(deployment_id, begins))
    folder = place.key_of(revisions_prefix(deployment_id))
    for number, meta in enumerate(place.objects(prefix)):
        if number >= _MOST_RECORDS:
            damaged.append(f"there are more than {_MOST_RECORDS:,} records")
            break
        if read_record_name(meta.key.removeprefix(folder)) is None:
            continue  # It is no record.
        try:
            found.append(_read(deployment_id, place, meta.key, folder))
        except CloudError as err:
            if err.kind not in (*records.UNREADABLE, ErrorKind.NOT_FOUND):
                raise
            damaged.append(str(err))
    return found, damaged


def _read(deployment_id: str, place: Endpoint, key: str, folder: str) -> Revision:
    where = f"the record {place.location.with_key(key)}"
    content = records.whole(place, key, most=_MOST_BYTES)
    try:
        document = msgspec.json.decode(content)
    except msgspec.DecodeError as err:
        raise _not_ours(where, str(err)) from err
    try:
        found = read_document(Revision, document, what=where)
        name = record_name(found.deployment_id, found.revision, found.digest)
        lies_at = artifact_name(found.deployment_id, found.sha256, found.file_name)
    except DeploymentError as err:
        raise _not_ours(where, str(err)) from err
    if found.deployment_id != deployment_id or name.rpartition("/")[2] != key.removeprefix(folder):
        raise _not_ours(where, f"it is of {name}")
    if found.key != lies_at or found.first_deployed.tzinfo is None:
        raise _not_ours(where, "its artifact or its time is none that this package writes")
    return found


def _not_ours(where: str, why: str) -> DeploymentError:
    return DeploymentError(
        f"{where} is not as this package wrote it ({why}); look who can write there, and delete it",
        kind=ErrorKind.INTEGRITY,
    )


def _everywhere(
    places: Mapping[str, Endpoint], work: Callable[[Endpoint], T]
) -> dict[str, T | CloudError]:
    def tried(place: Endpoint) -> T | CloudError:
        try:
            return work(place)
        except CloudError as err:
            return err

    workers = max(1, min(len(places), _MOST_THREADS))
    with ThreadPoolExecutor(workers, thread_name_prefix="multicloud-revisions") as pool:
        waiting = {
            uri: telemetry.submit_in_context(pool, tried, place) for uri, place in places.items()
        }
    return {uri: one.result() for uri, one in waiting.items()}

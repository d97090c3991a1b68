"""The record of one revision at one place: written once, and believed only as it was written."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import ClassVar

import msgspec

from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.digests import digest_of_document
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.places import (
    DIGITS,
    artifact_name,
    read_record_name,
    record_name,
    revisions_prefix,
)
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.documents import Document, read_document, to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

_MOST_BYTES = 64 << 10
#: Of one deployment at one place, unless more are asked for: each takes a request.
MOST_RECORDS = 100
#: More names than these are not looked at: whoever may write there may write any number.
_MOST_NAMES = 100_000
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
        """SHA-256, in hex, of what was chosen; not of the time, nor of this package's script."""
        document = to_document(self)
        del document["first_deployed"], document["script_digest"]
        return digest_of_document(document)

    @property
    def full_name(self) -> str:
        """Its name, with what tells it apart from another of that name."""
        return f"{self.revision}-{self.digest[:DIGITS]}"


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


def write_record(revision: Revision, place: Endpoint) -> None:
    """Write a revision's record, unless there is one.

    :raises CloudError: what the store reports.
    """
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


def read_records(
    deployment_id: str, place: Endpoint, to: str | None = None, *, most: int = MOST_RECORDS
) -> tuple[list[Revision], list[str]]:
    """A place's records, and what is wrong with those that can't be believed.

    :param to: only those of this name, in full or not; checked before.
    :param most: of those that are read: the newest.
    :raises CloudError: when the place can't be read.
    """
    found: list[Revision] = []
    damaged: list[str] = []
    folder = place.key_of(revisions_prefix(deployment_id))
    named = (
        meta
        for meta in islice(place.objects(folder + (to or "")), _MOST_NAMES)
        if _is_named(meta.key.removeprefix(folder), to)
    )
    newest = heapq.nlargest(most + 1, named, key=lambda meta: meta.last_modified)
    if len(newest) > most:
        damaged.append(f"there are more than {most:,} records, of which the newest were read")
    for meta in newest[:most]:
        try:
            found.append(_read(deployment_id, place, meta.key, folder))
        except CloudError as err:
            if err.kind not in (*records.UNREADABLE, ErrorKind.NOT_FOUND):
                raise
            damaged.append(str(err))
    return found, damaged


def _is_named(file_name: str, to: str | None) -> bool:
    """Whether it is a record's name, of this revision if one is given."""
    found = read_record_name(file_name)
    return found is not None and to in (None, found[0], "-".join(found))


def _read(deployment_id: str, place: Endpoint, key: str, folder: str) -> Revision:
    where = f"the record {place.location.with_key(key)}"
    content = records.whole(place, key, most=_MOST_BYTES)
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as err:
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

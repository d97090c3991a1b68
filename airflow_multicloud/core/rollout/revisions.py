"""The record of a revision, beside its artifact: what a rollback goes by.

It lies in the same buckets as the artifacts, and is worth what these are: whoever may write there
may plant a record of a revision, with an artifact of theirs, and it is what a rollback to that
revision would run. So all places that can be reached must agree, and one that does not is named;
who writes to all of them can't be told from us. A revision that only some of them have a record of,
as when a target was added since, must be named in full, with digits that tell what it is. A place
that had no answer is named as well. A record of the revision can't be made to point outside of its
deployment's own artifacts, and what an instance fetches must have the SHA-256 that the record says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.places import check_revision, read_record_name
from airflow_multicloud.core.rollout.revision_records import (
    MOST_RECORDS,
    Revision,
    read_records,
    write_record,
)
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind

T = TypeVar("T")

_MOST_THREADS = 16
#: So many revisions an error names.
_NAMED = 5


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


def record_revision(revision: Revision, places: Mapping[str, Endpoint]) -> dict[str, CloudError]:
    """Write a revision's record to every place that has none.

    :param places: URI → prefix.
    :return: URI → what failed there.
    """
    done = _everywhere(places, lambda place: write_record(revision, place))
    return {uri: found for uri, found in done.items() if isinstance(found, CloudError)}


def list_revisions(
    deployment_id: str, places: Mapping[str, Endpoint], *, most: int = MOST_RECORDS
) -> KnownRevisions:
    """The newest revisions of a deployment that some place has a record of.

    :param most: at each place; where there are more, ``unknown`` says so.
    :raises CloudError: when no place could be read.
    """
    return _known(deployment_id, places, None, most)


def find_revision(deployment_id: str, places: Mapping[str, Endpoint], to: str) -> FoundRevision:
    """The revision of a name.

    :param to: its name, or its full name (``<revision>-<digits>``).
    :raises DeploymentError: ``not_found`` when no place has it; ``precondition_failed``, naming
        all, when the places have several of that name, or when some that were reached have none
        and it is not named in full.
    """
    known = _known(deployment_id, places, check_revision_name(to), MOST_RECORDS)
    # A full name comes first, though a revision's own name may look like one.
    exact = [one for one in known.revisions if one.revision.full_name == to]
    found = exact or list(known.revisions)
    if not found:
        unread = "".join(f"; {uri}: {why}" for uri, why in known.unknown.items())
        there = [one.revision.full_name for one in list_revisions(deployment_id, places).revisions]
        raise DeploymentError(
            f"to: there is no revision {to!r} of deployment {deployment_id}; the newest are "
            f"{', '.join(there[:_NAMED]) or 'none'}{unread}",
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
    (one,) = found
    if one.lacking and not exact:
        raise DeploymentError(
            f"to: revision {to!r} has a record at {', '.join(one.places)}, and none at "
            f"{', '.join(one.lacking)}. Name it in full if it is the one that is meant: "
            f"{one.revision.full_name} (SHA-256 {one.revision.sha256})",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    return one


def check_revision_name(given: str) -> str:
    """A revision's name, in full or not.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, str) or read_record_name(f"{given}.json") is None:
        check_revision(given, "to")
    return given


def _known(
    deployment_id: str, places: Mapping[str, Endpoint], to: str | None, most: int
) -> KnownRevisions:
    read = _everywhere(places, lambda place: read_records(deployment_id, place, to, most=most))
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
            lacking=tuple(u for u in reached if u not in at[name] and u not in unknown),
            unknown=unknown,
        )
        for name, one in first.items()
    ]
    found_revisions.sort(key=lambda one: one.revision.first_deployed, reverse=True)
    return KnownRevisions(revisions=tuple(found_revisions), unknown=unknown)


def _everywhere(
    places: Mapping[str, Endpoint], work: Callable[[Endpoint], T]
) -> dict[str, T | CloudError]:
    def tried(place: Endpoint) -> T | CloudError:
        try:
            return work(place)
        except CloudError as err:
            return err

    threads = max(1, min(len(places), _MOST_THREADS))
    with cancellation.pool(threads, "multicloud-revisions") as pool:
        waiting = {
            uri: telemetry.submit_in_context(pool, tried, place) for uri, place in places.items()
        }
        return {uri: one.result() for uri, one in waiting.items()}

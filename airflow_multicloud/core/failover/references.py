"""What a copy's manifest says of its objects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import manifest
from airflow_multicloud.core.replication.manifest import Latest
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.text import printable, traceback_text

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a candidate's bytes must be, and who says so."""

    digests: Digests
    size: int | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What a candidate's manifest says of an object.

    :param as_of: ``None`` when there is no manifest.
    :param contract: ``None`` when the manifest does not know the object, or no digest of it.
    :param unsound: why the object is not what the source had, if the last run failed with it.
    :param left_out: whether that is because its key is kept for this package's own files there.
    """

    as_of: datetime | None
    contract: Contract | None = None
    unsound: str | None = None
    left_out: bool = False


@contextmanager
def blaming(copy: Endpoint, done: str) -> Iterator[None]:
    """Whatever reading a copy raises is that copy's failure: another one may serve.

    A copy that breaks the reader is not to be trusted.

    :param done: what could not be done with it, for the message: ``read`` or ``listed``.
    :raises StorageError: kind ``integrity`` for all that is neither a :class:`CloudError` nor a
        cancellation.
    """
    try:
        yield
    except (CloudError, cancellation.WorkCancelledError):
        raise
    except Exception as err:
        uri = str(copy.location)
        _log.error("%s could not be %s:\n%s", printable(uri), done, traceback_text(err))
        raise StorageError(
            f"{uri} could not be {done}: {type(err).__name__}: {str(err)[:200]}",
            kind=ErrorKind.INTEGRITY,
            cloud=copy.cloud,
        ) from err


def references(copy: Endpoint, latest: Latest) -> Iterator[tuple[str, Reference]]:
    """What a manifest says of each object, by its name below the manifest's replica.

    :param copy: the replica, or something below it.
    """
    replica = replace(copy, location=copy.location.with_key(latest.replica))
    for item, index in manifest.objects_of(replica, latest.key):
        known = item.digests != Digests()
        contract = Contract(item.digests, item.size, "manifest") if known else None
        state = item.replicas[index]
        sound = state.outcome is not None and state.outcome.sound
        unsound = None if sound else f"{state.outcome} in run {latest.run_id}: {state.reason}"
        left_out = state.outcome is not None and not state.outcome.owed
        yield item.name, Reference(latest.started, contract, unsound, left_out)


def manifest_of(candidate: Endpoint) -> Latest | None:
    """The manifest of the replica that a candidate belongs to, if it belongs to one."""
    try:
        found = manifest.find_latest(candidate)
    except CloudError as err:
        if err.kind in (ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND):
            return None  # Reading the object itself will say what is the matter, if anything.
        raise
    return found[0] if found else None


def look_up(candidate: Endpoint) -> Reference:
    """What the candidate's manifest says of it."""
    with blaming(candidate, "read"):
        latest = manifest_of(candidate)
        if latest is None:
            return Reference(None)
        name = candidate.location.key[len(latest.replica) :]
        for listed, reference in references(candidate, latest):
            if listed == name:
                return reference
        return Reference(latest.started)

"""Fetch from the first copy that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.leftovers import clear_left
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Provenance, TreeProvenance
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget, Target
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.progress import INTERVAL, Listener, Progress
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.locations import check_template
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.public_keys import open_public_keys
from airflow_multicloud.registry import session


@session()
@operation("fetch")
def failover_fetch(
    candidates: Sequence[str],
    target: str | Path,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    public_keys: bytes | Path | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> Provenance | TreeProvenance:
    """Fetch an object, or a prefix, from the first candidate that can be trusted.

    :param candidates: URIs, in the order of preference; the first one is the primary, unless
        ledgers (or ``policy.live_primary``) say that it is a replica. All of them are objects, or
        all are prefixes (they end with a slash).
    :param target: a local path, or a URI. For prefixes it is a directory or a prefix; one
        object that goes to a directory or a prefix keeps its name there.
    :param public_keys: one or more Ed25519 keys in PEM, or the file that has them: one of them must
        have signed the ledger of a replica that serves.
    :param listener: told about progress on this thread, at most every ``interval`` seconds.
    :raises FailoverError: when no candidate served, with every attempt.
    :raises IncompleteFetchError: when that holds for some objects of a prefix, or the target can't
        hold them; all others are in place.
    """
    progress = Progress(listener, interval=interval)
    if (keys := open_public_keys(public_keys)) is not None:
        policy = replace(policy, public_keys=keys)
    check_template(str(target), parameter="target")
    opened = open_candidates(candidates)
    prefixes = {candidate.uri.endswith("/") for candidate in opened}
    if len(prefixes) > 1:
        raise StorageError(
            "candidates: objects and prefixes are mixed; all or none must end with a slash",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    place = _target(target)
    tree = prefixes == {True}
    if tree:
        _check_object(place)
    elif _is_directory(place, target):
        place = place.below(opened[0].uri.rpartition("/")[2])
    with run_tokens.under_way(None):
        clear_left(place, tree=tree)
        if tree:
            return fetch_tree(opened, place, policy, progress=progress)
        return fetch(opened, place, policy, progress=progress)


def open_candidates(candidates: Sequence[str]) -> list[Candidate]:
    """Open what may serve a fetch, the primary first; one that can't be opened says why.

    :raises CloudError: kind ``invalid_argument`` for what is no location, contradicts its
        connection, is given twice or is no list.
    """
    listed = texts(candidates, "candidates", what="URIs")
    if not listed:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    opened = [_candidate(number, uri) for number, uri in enumerate(listed)]
    for number, uri in enumerate(listed):
        if uri in listed[:number]:
            raise StorageError(
                f"candidates[{number}]: {uri} is given twice: it would fail the same way again; "
                "give each copy once",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
    return opened


def _candidate(number: int, uri: str) -> Candidate:
    primary = number == 0
    try:
        endpoint = open_endpoint(uri, parameter=f"candidates[{number}]")
    except CloudError as err:
        if err.kind is ErrorKind.INVALID_ARGUMENT:
            raise  # The call itself is wrong; no other candidate makes it right.
        return Candidate(uri, None, err, primary=primary)
    return Candidate(uri, endpoint, primary=primary)


def _is_directory(place: FileTarget | ObjectTarget, given: str | Path) -> bool:
    if isinstance(place, ObjectTarget):
        return place.endpoint.location.is_prefix
    return place.path.is_dir() or str(given).endswith("/")


def _check_object(place: Target) -> None:
    if isinstance(place, ObjectTarget) and not place.endpoint.location.is_prefix:
        raise StorageError(
            f"target: {place} must be a prefix (end with a slash), as the candidates are",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def _check_missing_bucket(end: Endpoint) -> None:
    try:
        end.store.stat_bucket(end.bucket)
    except CloudError as err:
        # Who may not look may still write.
        if err.kind is ErrorKind.NOT_FOUND:
            raise StorageError(
                f"target: {end.location}: no bucket {end.bucket!r}; create it",
                kind=ErrorKind.NOT_FOUND,
                cloud=end.cloud,
                code=err.code,
            ) from err


def _target(target: str | Path) -> FileTarget | ObjectTarget:
    if target == "":
        raise StorageError(
            "target: nothing given, expected a path or a URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    if isinstance(target, str) and "://" in target:
        end = open_endpoint(target, parameter="target")
        _check_missing_bucket(end)
        return ObjectTarget(end)
    return FileTarget(Path(target))

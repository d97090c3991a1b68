"""The same operations in plain Python, inside ``@task`` or outside of Airflow tasks.

Locations are URIs (``s3://conn_id@bucket/key``); connections are ordinary Airflow
connections, so ``AIRFLOW_CONN_…`` variables are enough where no Airflow runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint, open_endpoint
from airflow_multicloud.core.failover.fetch import Candidate, fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, Provenance
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget, Target
from airflow_multicloud.core.failover.tree import TreeProvenance, fetch_tree
from airflow_multicloud.core.preflight import CloudProviderStatus, check_connection
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.engine import Replication, ReplicationFailedError
from airflow_multicloud.core.replication.options import ObjectFilter, OnError, ReplicationOptions
from airflow_multicloud.core.replication.planning import Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.verification import (
    Depth,
    VerificationReport,
)
from airflow_multicloud.core.replication.verification import verify as _verify
from airflow_multicloud.core.upload import PlannedUpload, Uploaded
from airflow_multicloud.core.upload import plan_upload as _plan_upload
from airflow_multicloud.core.upload import upload as _upload
from airflow_multicloud.errors import (
    CloudError,
    ErrorKind,
    ProviderNotInitializedError,
    StorageError,
)
from airflow_multicloud.ports.object_store import ObjectMeta
from airflow_multicloud.registry import Cloud

__all__ = [
    "CloudOperationResult",
    "CloudProviderStatus",
    "Depth",
    "Destination",
    "FailoverError",
    "FailoverPolicy",
    "ObjectFilter",
    "OnError",
    "Plan",
    "PlannedUpload",
    "Provenance",
    "ProviderRegistry",
    "ReplicationFailedError",
    "ReplicationOptions",
    "ReplicationReport",
    "TreeProvenance",
    "UnifiedCloudStorage",
    "Uploaded",
    "VerificationReport",
    "check_connection",
    "failover_fetch",
    "initialize_providers",
    "open_candidates",
    "plan_replication",
    "plan_upload",
    "replicate",
    "replication",
    "upload_artifact",
    "verify_replica",
]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where replicas go, with what is to hold for them.

    :param storage_class: the store's own name (S3 ``STANDARD_IA``, GCS ``NEARLINE``, Azure
        tier ``Cool``).
    :param encryption_key: S3: KMS key id or ARN; GCS: Cloud KMS key; Azure: encryption scope.
    """

    uri: str
    storage_class: str | None = None
    encryption_key: str | None = None


def replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
) -> Replication:
    """Resolve URIs to stores and check that they can be replicated; no request is made.

    :raises CloudError: naming the parameter that is wrong.
    """
    opened = _destinations(destinations, parameter="destinations")
    return Replication(open_endpoint(source, parameter="source"), opened, options)


def _destinations(given: Sequence[str | Destination], *, parameter: str) -> tuple[Endpoint, ...]:
    if isinstance(given, str):
        raise StorageError(
            f"{parameter}: {given!r} given, expected a list of URIs",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return tuple(_destination(one, parameter=f"{parameter}[{n}]") for n, one in enumerate(given))


def _destination(given: str | Destination, *, parameter: str) -> Endpoint:
    wanted = Destination(given) if isinstance(given, str) else given
    return open_endpoint(
        wanted.uri,
        parameter=parameter,
        storage_class=wanted.storage_class,
        encryption_key=wanted.encryption_key,
    )


def replicate(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    run_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> ReplicationReport:
    """Make every destination a proven replica of an object or a prefix.

    :param listener: told about progress on this thread, at most every ``interval`` seconds.
    :raises CloudError: before any byte moves, for whatever is wrong with the call.
    :raises ReplicationFailedError: when too few objects ended sound.
    """
    return engine.replicate(
        replication(source, destinations, options),
        run_id=run_id,
        listener=listener,
        interval=interval,
    )


def plan_replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now: objects, bytes and requests per destination."""
    return engine.plan(replication(source, destinations, options))


def verify_replica(
    replica: str, *, depth: Depth = Depth.AUTO, run_id: str | None = None
) -> VerificationReport:
    """Prove a replica against its manifest; see :class:`Depth`."""
    return _verify(open_endpoint(replica, parameter="replica"), depth=depth, run_id=run_id)


def upload_artifact(
    file: str | Path,
    destination: str | Destination,
    *,
    replicate_to: Sequence[str | Destination] = (),
    immutable: bool = False,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> CloudOperationResult:
    """Upload a local file to one cloud, and replicate it from there to others.

    The primary has the file when this returns; a replication that failed is in the result,
    not raised.

    :raises CloudError: before any byte moves, for whatever is wrong with the call; or when the
        upload itself fails.
    """
    primary = _destination(destination, parameter="destination")
    replicas = _destinations(replicate_to, parameter="replicate_to")
    uploaded = _upload(Path(file), primary, immutable=immutable)
    if not replicas:
        return CloudOperationResult(True, uploaded)
    try:
        source = open_endpoint(uploaded.uri, parameter="destination")
        report = engine.replicate(
            Replication(source, replicas, ReplicationOptions(immutable=immutable)),
            listener=listener,
            interval=interval,
        )
    except ReplicationFailedError as err:
        return CloudOperationResult(False, uploaded, err.report, str(err), err.kind)
    except CloudError as err:
        return CloudOperationResult(False, uploaded, None, str(err), err.kind)
    return CloudOperationResult(True, uploaded, report)


def plan_upload(
    file: str | Path, destination: str | Destination, *, immutable: bool = False
) -> PlannedUpload:
    """What :func:`upload_artifact` would do at the primary; sends nothing."""
    primary = _destination(destination, parameter="destination")
    return _plan_upload(Path(file), primary, immutable=immutable)


@dataclass(frozen=True, slots=True)
class CloudOperationResult:
    """An upload and what became of its replicas.

    :param error: why a replica is missing, when ``success`` is false.
    :param kind: the cause of that.
    """

    success: bool
    uploaded: Uploaded
    replication: ReplicationReport | None = None
    error: str | None = None
    kind: ErrorKind | None = None

    def as_dict(self) -> dict[str, Any]:
        """For XCom."""
        return {
            "success": self.success,
            "uri": self.uploaded.uri,
            "size": self.uploaded.size,
            "sha256": self.uploaded.sha256,
            "unchanged": self.uploaded.unchanged,
            "replication": self.replication and self.replication.as_dict(),
            "error": self.error,
            "kind": self.kind and str(self.kind),
        }


def failover_fetch(
    candidates: Sequence[str], target: str | Path, policy: FailoverPolicy = FailoverPolicy()
) -> Provenance | TreeProvenance:
    """Fetch an object, or a prefix, from the first candidate that can be trusted.

    :param candidates: URIs, in the order of preference; the first one is the primary. All of
        them are objects, or all are prefixes (they end with a slash).
    :param target: a local path, or a URI. For prefixes it is a directory or a prefix.
    :raises FailoverError: when no candidate served, with every attempt.
    """
    opened = open_candidates(candidates)
    prefixes = {uri.endswith("/") for uri in candidates}
    if len(prefixes) > 1:
        raise StorageError(
            "candidates: objects and prefixes are mixed; all or none must end with a slash",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if prefixes == {True}:
        return fetch_tree(opened, _target(target), policy)
    place = _target(target)
    if isinstance(place, FileTarget) and place.path.is_dir():
        place = FileTarget(place.path / candidates[0].rpartition("/")[2])
    return fetch(opened, place, policy)


def open_candidates(candidates: Sequence[str]) -> list[Candidate]:
    """Open what may serve a fetch, the primary first; one that can't be opened says why.

    :raises CloudError: kind ``invalid_argument`` for what is no location, contradicts its
        connection or is no list.
    """
    if isinstance(candidates, str):
        raise StorageError(
            f"candidates: {candidates!r} given, expected a list of URIs",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return [_candidate(number, uri) for number, uri in enumerate(candidates)]


def _candidate(number: int, uri: str) -> Candidate:
    primary = number == 0
    try:
        endpoint = open_endpoint(uri, parameter=f"candidates[{number}]")
    except CloudError as err:
        if err.kind is ErrorKind.INVALID_ARGUMENT:
            raise  # The call itself is wrong; no other candidate makes it right.
        return Candidate(uri, None, err, primary=primary)
    return Candidate(uri, endpoint, primary=primary)


def _target(target: str | Path) -> Target:
    if isinstance(target, str) and "://" in target:
        return ObjectTarget(open_endpoint(target, parameter="target"))
    return FileTarget(Path(target))


class ProviderRegistry:
    """The clouds this process uses, each with a connection that was checked.

    :param connections: cloud name → connection id; each must belong to that cloud.
    """

    def __init__(self, connections: Mapping[str, str] | None = None) -> None:
        self._connections: dict[str, str] = {}
        for name, conn_id in (connections or {}).items():
            self.use(name, conn_id)

    def use(self, name: str, conn_id: str) -> None:
        """Take a connection for a cloud.

        :raises CloudError: kind ``invalid_argument`` when it belongs to another one.
        """
        expected, actual = registry.get_provider(name), registry.cloud_of(conn_id)
        if expected.name != actual.name:
            raise ProviderNotInitializedError(
                f"connection {conn_id!r} is of {actual.title}, not of {expected.title}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=name,
            )
        self._connections[name] = conn_id

    def connection_of(self, name: str) -> str:
        """The connection taken for a cloud.

        :raises ProviderNotInitializedError: when none was.
        """
        if name not in self._connections:
            raise ProviderNotInitializedError(
                f"no connection was given for {registry.get_provider(name).title}; "
                "call initialize_providers first",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=name,
            )
        return self._connections[name]

    def statuses(self) -> tuple[CloudProviderStatus, ...]:
        """Ask every cloud in use who we are."""
        return tuple(check_connection(conn_id) for conn_id in self._connections.values())

    @staticmethod
    def clouds() -> tuple[Cloud, ...]:
        """Every cloud that is installed, in use or not."""
        return registry.list_providers()


def initialize_providers(
    connections: Mapping[str, str],
) -> tuple[ProviderRegistry, tuple[CloudProviderStatus, ...]]:
    """Take one connection per cloud and check each of them; a failed check is not raised."""
    providers = ProviderRegistry(connections)
    return providers, providers.statuses()


class UnifiedCloudStorage:
    """One object store made of a primary and its backups.

    :param primary: the URI of a prefix, such as ``s3://conn_id@bucket/prefix/``.
    :param backup: the URIs of the prefixes that hold replicas, in the order of preference.
    """

    def __init__(
        self,
        primary: str,
        backup: Sequence[str] = (),
        *,
        options: ReplicationOptions = ReplicationOptions(),
        policy: FailoverPolicy = FailoverPolicy(),
    ) -> None:
        for parameter, uri in (("primary", primary), *(("backup", uri) for uri in backup)):
            if not uri.endswith("/"):
                raise StorageError(
                    f"{parameter}: {uri} must be a prefix (end with a slash)",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        self._primary = primary
        self._backup = tuple(backup)
        self._options = options
        self._policy = policy

    def upload(
        self, file: str | Path, key: str, *, replicate: bool = True, immutable: bool = False
    ) -> CloudOperationResult:
        """Upload a file under ``key`` to the primary, and to every backup."""
        return upload_artifact(
            file,
            self._primary + key,
            replicate_to=[uri + key for uri in self._backup] if replicate else (),
            immutable=immutable,
        )

    def replicate(self) -> ReplicationReport:
        """Bring every backup up to date with the primary."""
        return replicate(self._primary, self._backup, self._options)

    def download(self, key: str, target: str | Path) -> Provenance | TreeProvenance:
        """Fetch ``key`` from the primary, or from the first backup that can be trusted."""
        candidates = [uri + key for uri in (self._primary, *self._backup)]
        return failover_fetch(candidates, target, self._policy)

    def list(self, prefix: str = "") -> Iterator[ObjectMeta]:
        """Objects below a prefix, as the first store that answers lists them.

        Keys are those of that store. A store that fails half-way raises: two listings are
        never mixed.
        """
        failed: list[CloudError] = []
        for uri in (self._primary, *self._backup):
            try:
                end = open_endpoint(uri, parameter="primary" if uri == self._primary else "backup")
                objects = (
                    meta
                    for meta in end.store.list_objects(end.bucket, end.location.key + prefix)
                    if not meta.key.startswith(RESERVED_PREFIX)
                )
                first = next(objects, None)
            except CloudError as err:
                if not self._policy.goes_on(err.kind):
                    raise
                failed.append(err)
                continue
            if first is not None:
                yield first
                yield from objects
            return
        raise failed[-1]

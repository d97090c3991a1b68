"""A primary and its backups as one object store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from airflow_multicloud.api.object_store.fetches import failover_fetch
from airflow_multicloud.api.object_store.replicas import replicate
from airflow_multicloud.api.object_store.uploads import CloudOperationResult, upload_artifact
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Provenance, TreeProvenance
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import ObjectMeta


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
        backup = texts(backup, "backup", what="URIs")
        for parameter, uri in (("primary", primary), *(("backup", uri) for uri in backup)):
            if not uri.endswith("/"):
                raise StorageError(
                    f"{parameter}: {uri} must be a prefix (end with a slash)",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        self._primary = primary
        self._backup = backup
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
        # The span ends with the first answer: a caller may take hours over the rest.
        with operation("list_objects"):
            first, objects = self._begin_listing(prefix)
        if first is not None:
            yield first
            yield from objects

    def _begin_listing(self, prefix: str) -> tuple[ObjectMeta | None, Iterator[ObjectMeta]]:
        failed: list[CloudError] = []
        for uri in (self._primary, *self._backup):
            try:
                end = open_endpoint(uri, parameter="primary" if uri == self._primary else "backup")
                objects = (
                    meta
                    for meta in end.objects(end.key_of(prefix))
                    if not meta.key.startswith(RESERVED_PREFIX)
                )
                return next(objects, None), objects
            except CloudError as err:
                if not self._policy.goes_on(err.kind):
                    raise
                failed.append(err)
        raise failed[-1]

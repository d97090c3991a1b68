"""Upload a file, and replicate it from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from airflow_multicloud.api.object_store.destinations import (
    Destination,
    open_destination,
    open_destinations,
)
from airflow_multicloud.core.ledger.signing import signing
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.buckets import check_bucket
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.progress import INTERVAL, Listener, Progress
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.core.upload import PlannedUpload, Uploaded
from airflow_multicloud.core.upload import check_apart as _check_apart
from airflow_multicloud.core.upload import check_replicas as _check_replicas
from airflow_multicloud.core.upload import plan_upload as _plan_upload
from airflow_multicloud.core.upload import upload as _upload
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.locations import check_template
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.signing import open_signer
from airflow_multicloud.registry import session


@session()
@operation("upload")
def upload_artifact(
    file: str | Path,
    destination: str | Destination,
    *,
    replicate_to: Sequence[str | Destination] = (),
    immutable: bool = False,
    create_buckets: bool = False,
    signing_conn_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> CloudOperationResult:
    """Upload a local file to one cloud, and replicate it from there to others.

    The primary has the file when this returns; a replication that failed is in the result,
    not raised.

    :param create_buckets: create buckets that do not exist, the primary's too.
    :param signing_conn_id: an Airflow connection with an Ed25519 key, which signs what is written
        into ledgers.
    :raises CloudError: before any byte moves, for whatever is wrong with the call; or when the
        upload itself fails.
    """
    check_template(str(file), parameter="file")
    primary = open_destination(destination, parameter="destination")
    replicas = open_destinations(replicate_to, parameter="replicate_to")
    sign = signing(open_signer(signing_conn_id))
    _check_apart(Path(file), primary, replicas)
    if create_buckets:
        check_bucket("destination", primary, create=True)
    _check_replicas(replicas, create=create_buckets)
    progress = Progress(listener, interval=interval)
    uploaded = _upload(Path(file), primary, immutable=immutable, sign=sign, progress=progress)
    if not replicas:
        return CloudOperationResult(True, uploaded)
    try:
        source = open_endpoint(uploaded.uri, parameter="destination")
        report = engine.replicate(
            Replication(source, replicas, ReplicationOptions(immutable=immutable), sign),
            listener=listener,
            interval=interval,
        )
    except ReplicationFailedError as err:
        return CloudOperationResult(False, uploaded, err.report, str(err), err.kind)
    except CloudError as err:
        return CloudOperationResult(False, uploaded, None, str(err), err.kind)
    return CloudOperationResult(True, uploaded, report)


@session()
@operation("plan_upload")
def plan_upload(
    file: str | Path,
    destination: str | Destination,
    *,
    replicate_to: Sequence[str | Destination] = (),
    immutable: bool = False,
    create_buckets: bool = False,
) -> PlannedUpload:
    """What :func:`upload_artifact` would do at the primary; sends nothing.

    :raises CloudError: as :func:`upload_artifact` does before any byte moves.
    """
    check_template(str(file), parameter="file")
    primary = open_destination(destination, parameter="destination")
    replicas = open_destinations(replicate_to, parameter="replicate_to")
    _check_apart(Path(file), primary, replicas)
    with operation("plan_upload", cloud__provider=primary.cloud):
        if not create_buckets:
            _check_replicas(replicas)
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

    DOCUMENT: ClassVar = Document(
        ("success", "uri", "size", "sha256", "unchanged", "replication", "error", "kind")
    )

    @property
    def uri(self) -> str:
        """Where the primary is."""
        return self.uploaded.uri

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self.uploaded.size

    @property
    def sha256(self) -> str:
        """Of its content."""
        return self.uploaded.sha256

    @property
    def unchanged(self) -> bool:
        """Whether the primary had it already."""
        return self.uploaded.unchanged

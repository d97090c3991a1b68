"""Upload a file to one cloud and replicate it to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.api.object_store.uploads import CloudOperationResult, upload_artifact
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.object_store.destinations import DestinationsOperator
from airflow_multicloud.operators.remembered import ledgers_of
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import Context


class UploadArtifactOperator(DestinationsOperator):
    """Upload a local file with its SHA-256, then replicate it.

    Returns the URI, size, SHA-256 and the replication's counts. A second run of the same file
    sends nothing.

    :param file: path on the worker.
    :param destination: URI of an object, or of a prefix that gets the file's name appended.
    :param replicate_to: URIs of replicas.
    :param immutable: refuse to replace another content.
    :param signing_conn_id: an Airflow connection with an Ed25519 key, which signs what is written
        into ledgers.
    """

    template_fields: Sequence[str] = ("file", "destination", "replicate_to", "signing_conn_id")
    report_key = "report"

    def __init__(
        self,
        *,
        file: str,
        destination: str | Destination,
        replicate_to: Sequence[str | Destination] = (),
        immutable: bool = False,
        signing_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.destination = destination
        self.replicate_to = replicate_to
        self.immutable = immutable
        self.signing_conn_id = signing_conn_id

    def perform(self, context: Context) -> Outcome:
        """Upload and replicate."""
        result = upload_artifact(
            self.file,
            self.destination,
            replicate_to=self.replicate_to,
            immutable=self.immutable,
            signing_conn_id=self.signing_conn_id or None,
            listener=lambda now: self.log.info("sent %s", now),
        )
        facts, ledgers = to_document(result), _ledgers_of(result)
        if not result.success:
            failure = printable(f"{result.uploaded.uri} is uploaded, but: {result.error}")
            retryable = result.kind is None or result.kind.retryable
            kind = AirflowException if retryable else AirflowFailException
            return Outcome(facts, kind(failure), ledgers=ledgers)
        return Outcome(facts, ledgers=ledgers)


def _ledgers_of(result: CloudOperationResult) -> tuple[Remembered, ...]:
    replicas = result.replication.destinations if result.replication else ()
    return ledgers_of([result.uploaded, *replicas])

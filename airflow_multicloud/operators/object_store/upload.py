"""Upload a file to one cloud and replicate it to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.api.object_store.uploads import upload_artifact
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.object_store.destinations import DestinationsOperator
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
    """

    template_fields: Sequence[str] = ("file", "destination", "replicate_to")
    report_key = "report"

    def __init__(
        self,
        *,
        file: str,
        destination: str | Destination,
        replicate_to: Sequence[str | Destination] = (),
        immutable: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.destination = destination
        self.replicate_to = replicate_to
        self.immutable = immutable

    def perform(self, context: Context) -> Outcome:
        """Upload and replicate."""
        result = upload_artifact(
            self.file,
            self.destination,
            replicate_to=self.replicate_to,
            immutable=self.immutable,
            listener=lambda now: self.log.info("sent %s", now),
        )
        facts = to_document(result)
        if not result.success:
            failure = printable(f"{result.uploaded.uri} is uploaded, but: {result.error}")
            retryable = result.kind is None or result.kind.retryable
            kind = AirflowException if retryable else AirflowFailException
            return Outcome(facts, kind(failure))
        return Outcome(facts)

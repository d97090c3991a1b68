"""Upload a file to one cloud and replicate it to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_multicloud import api
from airflow_multicloud.operators._destinations import DestinationsOperator
from airflow_multicloud.operators._shell import tell_assets
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

    def __init__(
        self,
        *,
        file: str,
        destination: str | api.Destination,
        replicate_to: Sequence[str | api.Destination] = (),
        immutable: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.destination = destination
        self.replicate_to = replicate_to
        self.immutable = immutable

    def execute(self, context: Context) -> dict[str, Any]:
        """Upload and replicate."""
        with self.stoppable():
            result = api.upload_artifact(
                self.file,
                self.destination,
                replicate_to=self.replicate_to,
                immutable=self.immutable,
                listener=lambda now: self.log.info("sent %s", now),
            )
        facts = result.as_dict()
        if not result.success:
            context["ti"].xcom_push(key="report", value=facts)
            failure = printable(f"{result.uploaded.uri} is uploaded, but: {result.error}")
            retryable = result.kind is None or result.kind.retryable
            raise AirflowException(failure) if retryable else AirflowFailException(failure)
        tell_assets(self, context, {"multicloud": facts})
        return facts

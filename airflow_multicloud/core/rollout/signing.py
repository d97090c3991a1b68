"""The signed URL by which an instance fetches the artifact."""

from __future__ import annotations

from datetime import timedelta

from airflow_multicloud.core.endpoints import Endpoint, has_capability, naming
from airflow_multicloud.core.rollout.places import artifact_name
from airflow_multicloud.core.rollout.plans import PlannedArtifact
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.object_store import SignedUrl, SignedUrls

_NO_SHA256 = "0" * 64


def sign_artifact(
    place: Endpoint, deployment_id: str, artifact: PlannedArtifact, lifetime: timedelta
) -> SignedUrl:
    """A URL that lets whoever has it read the delivered artifact, for a while.

    :param place: the prefix under which it was delivered.
    :raises CloudError: ``unsupported`` when the store signs no URLs; what the store reports.
    """
    return _signed(
        place, artifact_name(deployment_id, artifact.sha256, artifact.file_name), lifetime
    )


def check_signing(place: Endpoint, deployment_id: str, lifetime: timedelta) -> None:
    """See that the place's connection can sign such a URL, before anything is made.

    It signs one for an object that is never there, and forgets it.

    :raises CloudError: as :func:`sign_artifact`.
    """
    _signed(place, artifact_name(deployment_id, _NO_SHA256, "none"), lifetime)


def _signed(place: Endpoint, name: str, lifetime: timedelta) -> SignedUrl:
    store = place.store
    if not has_capability(store, SignedUrls):
        raise DeploymentError(
            f"artifacts: {place.location}: {place.cloud} signs no URLs, by which an instance would "
            "fetch the artifact; expected a place in a store that does",
            kind=ErrorKind.UNSUPPORTED,
            cloud=place.cloud,
        )
    with naming("artifacts", place):
        return store.sign_url(place.ref(place.key_of(name)), method="GET", expires_in=lifetime)

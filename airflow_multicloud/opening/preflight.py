"""Whether a connection works: who it is, whether its cloud answers, from which region.

Also whether a place does: whether its bucket is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud import registry
from airflow_multicloud.core import telemetry
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.identity import Identity
from airflow_multicloud.registry import session
from airflow_multicloud.text import printable


@dataclass(frozen=True, slots=True)
class CloudProviderStatus:
    """What a connection's cloud answered. ``kind`` and ``problem`` are set when it did not."""

    conn_id: str
    cloud: str | None
    available: bool
    account_id: str | None = None
    principal: str | None = None
    region: str | None = None
    kind: ErrorKind | None = None
    problem: str | None = None

    DOCUMENT: ClassVar = Document(
        (
            "conn_id",
            "cloud",
            "available",
            "account_id",
            "principal",
            "region",
            ("problem", "why_not"),
        )
    )

    @property
    def why_not(self) -> str | None:
        """Why it is not available, with the error's kind."""
        return f"{self.kind}: {self.problem}" if self.kind else None


@session()
def check_connection(conn_id: str) -> CloudProviderStatus:
    """Ask a connection's cloud who we are; errors are in the answer, not raised."""
    cloud: str | None = None
    with telemetry.operation("check_connection", multicloud__conn_id=conn_id) as span:
        try:
            cloud = registry.cloud_of(conn_id).name
            who = registry.resolve(Identity, conn_id).who_am_i()
        except CloudError as err:
            telemetry.failed(err)
            return CloudProviderStatus(conn_id, cloud, False, kind=err.kind, problem=str(err))
        span.set_attribute("cloud.provider", cloud)
        span.set_attribute("cloud.account.id", who.account_id)
        if who.region is not None:
            span.set_attribute("cloud.region", who.region)
    return CloudProviderStatus(conn_id, cloud, True, who.account_id, who.principal, who.region)


@dataclass(frozen=True, slots=True)
class LocationStatus:
    """Whether a place answers. ``kind`` and ``problem`` are set when it does not."""

    uri: str
    available: bool
    kind: ErrorKind | None = None
    problem: str | None = None

    def __str__(self) -> str:
        """One line."""
        end = f"{self.kind}: {self.problem}" if self.kind else "available"
        return printable(f"{self.uri}: {end}")


@session()
def check_location(uri: str) -> LocationStatus:
    """Look at the bucket of a URI; errors are in the answer, not raised.

    What is below the key is not looked at.
    """
    with telemetry.operation("check_location"):
        try:
            end = open_endpoint(uri, parameter="uri")
            end.store.stat_bucket(end.bucket)
        except CloudError as err:
            telemetry.failed(err)
            return LocationStatus(uri, False, err.kind, str(err))
    return LocationStatus(uri, True)

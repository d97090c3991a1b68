"""What a rollout will do: for every target its candidates, in order, with everything looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import LaunchSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArtifact:
    """What will run.

    :param uri: where it comes from: a URI or a local path.
    :param sha256: of its bytes, in hex.
    """

    uri: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """The name of its file, wherever it lies."""
        return self.uri.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyPrice:
    """What one instance is expected to cost.

    :param amount: for an hour.
    :param source: which price list says so, and of when.
    """

    amount: Decimal
    currency: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One place and size in which a target's instances may be made.

    :param digest: SHA-256, in hex, of all that makes an instance what it is: the artifact, the
        startup script but for its URL, and ``spec`` but for the calls that launching it takes. Two
        instances of one digest are alike.
    :param artifacts: the URI of the prefix near it where the artifact will lie.
    :param hourly_price: of one instance, where a price is known.
    """

    spec: LaunchSpec
    digest: str
    artifacts: str
    hourly_price: HourlyPrice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """What will be done for one target.

    :param cloud: the connection's.
    :param count: how many instances.
    :param candidates: in the order in which they are tried; none when ``error`` says why the target
        could not be planned.
    :param regions: that the target names, also those of candidates that were dropped: what an
        earlier try has left there is found.
    :param error_kind: an outage of its cloud while planning, which costs this target only.
    """

    name: str
    conn_id: str
    cloud: str
    count: int
    required: bool
    candidates: tuple[Candidate, ...]
    regions: tuple[str, ...] = ()
    error_kind: ErrorKind | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """What a rollout will do.

    :param revision: its name, for people.
    :param order: when the run was begun that this plan is of; of two revisions the later one stays.
    :param script_digest: SHA-256, in hex, of the startup script but for its URL.
    :param waves: names of targets, wave by wave.
    :param command: that the startup script runs.
    :param port: that the command is told to listen at.
    :param health: how an instance is asked whether it is well; ``None``: its cloud is.
    :param url_lifetime: of the signed URL in a startup script.
    """

    deployment_id: str
    revision: str
    order: datetime
    artifact: PlannedArtifact
    script_digest: str
    targets: tuple[TargetPlan, ...]
    waves: tuple[tuple[str, ...], ...]
    policy: RolloutPolicy
    command: str = "./run"
    port: int = 8080
    health: HealthCheck | None = None
    url_lifetime: timedelta = timedelta(hours=1)

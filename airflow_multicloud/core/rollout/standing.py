"""How deployments stand, as their clouds tell it.

An instance whose labels this package would not have written is told as well, and so is a place
that gave no answer: what is not known to be gone may be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from airflow_multicloud.core.rollout.names import Standing
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import InstanceState


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingInstance:
    """One instance with labels of this package; texts are printable.

    :param conn_id: by which it was found.
    :param spec: digits of its candidate's digest.
    :param ordered_at: when the run was begun that wants it.
    :param standing: what its deployment thinks of it.
    :param address: its private address.
    :param error: what its cloud says of a failure.
    """

    id: str
    name: str
    conn_id: str
    cloud: str
    account_id: str
    region: str
    zone: str | None
    state: InstanceState
    standing: Standing
    revision: str
    spec: str
    generation: int
    ordered_at: datetime | None
    size: str
    image: str
    address: str | None
    public_address: str | None
    created_at: datetime | None
    error_kind: ErrorKind | None
    error: str | None
    console_url: str | None

    @property
    def is_current(self) -> bool:
        """Whether it is live, and was taken for good."""
        return self.state.is_live and self.standing is Standing.CURRENT

    @property
    def is_going(self) -> bool:
        """Whether it is being terminated, or gone."""
        return self.state in (InstanceState.TERMINATING, InstanceState.TERMINATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStanding:
    """What lies in one slot.

    :param instances: the newest run's first; one, where nothing is under way.
    """

    number: int
    instances: tuple[StandingInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """What there is of one target.

    :param slots: those with something in them, by their numbers.
    """

    name: str
    slots: tuple[SlotStanding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStanding:
    """What there is of one deployment.

    :param targets: those with something in them, by their names.
    """

    deployment_id: str
    targets: tuple[TargetStanding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableInstance:
    """One with a deployment's label, whose labels are not all as this package writes them.

    Somebody has changed them. A rollout can't rely on it; a teardown removes it. Texts are
    printable, and those of labels are cut off.

    :param deployment_id: what its label says.
    :param target: likewise, if it has that label.
    :param why: what is wrong.
    """

    id: str
    name: str
    conn_id: str
    cloud: str
    region: str
    zone: str | None
    state: InstanceState
    deployment_id: str
    target: str | None
    why: str
    console_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachablePlace:
    """Where nothing could be listed.

    :param cloud: the connection's, where that is known.
    :param region: ``None``: none of the connection's regions.
    """

    conn_id: str
    cloud: str | None
    region: str | None
    error_kind: ErrorKind
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentsReport(Documented):
    """How deployments stand.

    :param deployments: by their ids.
    :param unreachable: places of which nothing is known.
    :param asked_at: when the listings were begun.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=("complete", "deployments", "unreadable", "unreachable", "asked_at")
    )

    deployments: tuple[DeploymentStanding, ...]
    unreadable: tuple[UnreadableInstance, ...]
    unreachable: tuple[UnreachablePlace, ...]
    asked_at: datetime

    @property
    def complete(self) -> bool:
        """Whether every place has answered."""
        return not self.unreachable

    def deployment(self, deployment_id: str) -> DeploymentStanding:
        """What there is of one; without targets when nothing is."""
        nothing = DeploymentStanding(deployment_id=deployment_id)
        found = (one for one in self.deployments if one.deployment_id == deployment_id)
        return next(found, nothing)

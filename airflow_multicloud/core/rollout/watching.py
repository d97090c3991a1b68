"""Whether a deployment is well: every slot has its instance, and each answers its health check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.rollout.deployment import read_health
from airflow_multicloud.core.rollout.drift import ExpectedDeployment, ExpectedTarget
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.inputs import (
    fields_of,
    place_names,
    refused,
    text,
    whole_number,
)
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.standing import DeploymentStanding, StandingInstance
from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.errors import DeploymentError
from airflow_multicloud.lists import elements
from airflow_multicloud.ports.compute import InstanceState

#: As in a deployment.
_MOST_INSTANCES = 10_000
_MOST_THREADS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTarget:
    """A target whose instances are watched.

    :param name: of the target, as its instances are labelled.
    :param conn_id: the Airflow connection of its cloud.
    :param regions: in which it is looked for; every region of the account when left out.
    :param count: how many instances it has.
    :param health: what each must answer; when left out, it is enough that its machine runs.
    """

    name: str
    conn_id: str
    regions: tuple[str, ...] = ()
    count: int = 1
    health: HealthCheck | None = None

    def __post_init__(self) -> None:
        """Take plain values as they are given.

        :raises DeploymentError: ``invalid_argument``, naming the target and the parameter.
        """
        check_id(text("targets: name", self.name), "targets: name")
        try:
            text("conn_id", self.conn_id)
            whole_number("count", self.count, 1, _MOST_INSTANCES)
            object.__setattr__(self, "regions", place_names("regions", self.regions))
            object.__setattr__(self, "health", read_health(self.health))
        except DeploymentError as err:
            raise err.with_context(f"target {self.name}") from err

    @classmethod
    def of(cls, given: object, parameter: str) -> Self:
        """A target from a document of plain values: this class's fields by name.

        :raises DeploymentError: ``invalid_argument``, naming what is unknown, missing or wrong.
        """
        return cls(**fields_of(cls, given, parameter))


def read_watched(given: object) -> tuple[WatchedTarget, ...]:
    """Targets as they are given: documents of plain values, at least one.

    :raises DeploymentError: ``invalid_argument``.
    """
    found: tuple[Mapping[str, Any], ...] = elements(
        given, "targets", Mapping, what="mappings", error=DeploymentError
    )
    targets = tuple(WatchedTarget.of(one, f"targets[{n}]") for n, one in enumerate(found))
    if not targets:
        raise refused("targets", None, "at least one")
    names = [target.name for target in targets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise refused("targets", f"two targets named {', '.join(twice)}", "a name of its own")
    return targets


def regions_of(targets: Sequence[WatchedTarget]) -> dict[str, tuple[str, ...]]:
    """Connection → the regions in which its targets are looked for; none for every region."""
    found: dict[str, tuple[str, ...]] = {}
    for target in targets:
        before = found.get(target.conn_id)
        if before is None:
            found[target.conn_id] = target.regions
        elif before and target.regions:
            found[target.conn_id] = tuple(dict.fromkeys((*before, *target.regions)))
        else:
            found[target.conn_id] = ()
    return found


def expected_by(
    deployment_id: str, targets: Sequence[WatchedTarget], revision: str | None
) -> ExpectedDeployment:
    """What there is when nothing has drifted."""
    return ExpectedDeployment(
        deployment_id=deployment_id,
        targets=tuple(
            ExpectedTarget(
                name=target.name, count=target.count, conn_id=target.conn_id, revision=revision
            )
            for target in targets
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSlot:
    """How one slot is.

    :param instance: that was taken for good there, if one is.
    :param why_not: why it is not well, if it is not.
    """

    target: str
    number: int
    instance: StandingInstance | None
    why_not: str | None

    def __str__(self) -> str:
        """One line."""
        return f"target {self.target}, slot {self.number}: {self.why_not or 'well'}"


def watch(
    targets: Sequence[WatchedTarget], there: DeploymentStanding, revision: str | None
) -> tuple[WatchedSlot, ...]:
    """How every slot of every target is; all instances are asked at once.

    :param there: what was listed.
    :param revision: that each is to be of; any when ``None``.
    :raises WorkCancelledError: when the work is told to stop.
    """
    slots = {
        (target.name, slot.number): slot.instances
        for target in there.targets
        for slot in target.slots
    }
    asked = [
        (target, number, slots.get((target.name, number), ()))
        for target in targets
        for number in range(target.count)
    ]
    threads = max(1, min(len(asked), _MOST_THREADS))
    with cancellation.pool(threads, "health") as pool:
        looks = [submit_in_context(pool, _watched, *one, revision) for one in asked]
        return tuple(look.result() for look in looks)


def _watched(
    target: WatchedTarget,
    number: int,
    instances: Sequence[StandingInstance],
    revision: str | None,
) -> WatchedSlot:
    cancellation.check()
    instance = next((one for one in instances if one.is_current), None)
    if instance is None:
        others = ", ".join(f"{one.id} is {one.standing}, {one.state}" for one in instances)
        why: str | None = "no live instance that was taken for good" + (
            f" ({others})" if others else ""
        )
    elif instance.state is not InstanceState.RUNNING:
        why = f"{instance.id} is {instance.state}"
    elif target.health is None:
        why = None
    else:
        found = target.health.why_not_healthy(instance, revision or instance.revision)
        why = None if found is None else f"{instance.id}: {found}"
    return WatchedSlot(target=target.name, number=number, instance=instance, why_not=why)

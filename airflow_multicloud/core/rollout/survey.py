"""Listings of everything that carries a deployment's label; nothing else is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.rollout.clock import utc_now
from airflow_multicloud.core.rollout.names import (
    DEPLOYMENT,
    TARGET,
    Identity,
    identity_of,
    moment_of,
    why_not_labelled,
)
from airflow_multicloud.core.rollout.standing import (
    DeploymentsReport,
    DeploymentStanding,
    SlotStanding,
    StandingInstance,
    TargetStanding,
    UnreachablePlace,
    UnreadableInstance,
)
from airflow_multicloud.core.rollout.teardown import TeardownPlace
from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.compute import Instance
from airflow_multicloud.text import printable

_MOST_THREADS = 16
#: Of a text that a cloud has told; names and addresses are far shorter.
_LONGEST_TEXT = 1024
#: Of a label that is not of this package's form.
_LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True)
class _Found:
    place: TeardownPlace
    instance: Instance


def list_deployments(
    places: Sequence[TeardownPlace], deployment_id: str | None = None
) -> DeploymentsReport:
    """Everything that carries a deployment's label, all places being asked at once.

    :param places: each region of one is a place of its own here: one without an answer costs no
        other. What two connections to one account both show is told once.
    :param deployment_id: whose; any deployment's when left out.
    :raises WorkCancelledError: when the work is told to stop.
    """
    asked_at = utc_now()
    parts = [
        replace(place, regions=(region,)) if region else place
        for place in places
        for region in place.regions or ("",)
    ]
    threads = max(1, min(len(parts), _MOST_THREADS))
    with cancellation.pool(threads, "deployments") as pool:
        asked: list[Future[list[_Found] | UnreachablePlace]] = [
            submit_in_context(pool, _listed, part, deployment_id) for part in parts
        ]
        answers = [one.result() for one in asked]
    unreachable = [one for one in answers if isinstance(one, UnreachablePlace)]
    once: dict[tuple[str, str, str], _Found] = {}
    for answer in answers:
        for found in answer if isinstance(answer, list) else ():
            instance = found.instance
            once.setdefault((found.place.cloud, instance.account_id, instance.ref.id), found)
    return _report(once.values(), unreachable, asked_at)


def _listed(place: TeardownPlace, deployment_id: str | None) -> list[_Found] | UnreachablePlace:
    cancellation.check()
    try:
        return [_Found(place, instance) for instance in place.listed(deployment_id)]
    except CloudError as err:
        return UnreachablePlace(
            conn_id=place.conn_id,
            cloud=place.cloud,
            region=place.regions[0] if place.regions else None,
            error_kind=err.kind,
            error=_shown(str(err)),
        )


def _report(
    found: Iterable[_Found], unreachable: Sequence[UnreachablePlace], asked_at: datetime
) -> DeploymentsReport:
    tree: dict[str, dict[str, dict[int, list[StandingInstance]]]] = {}
    unreadable = []
    for one in found:
        why, identity = why_not_labelled(one.instance), identity_of(one.instance)
        if why is not None or identity is None:
            unreadable.append(_unreadable(one, why or "its labels can't be read"))
            continue
        slots = tree.setdefault(identity.slot.deployment_id, {}).setdefault(
            identity.slot.target, {}
        )
        slots.setdefault(identity.slot.number, []).append(_standing(one, identity))
    return DeploymentsReport(
        deployments=tuple(
            DeploymentStanding(
                deployment_id=deployment_id,
                targets=tuple(
                    TargetStanding(
                        name=name,
                        slots=tuple(
                            SlotStanding(number=number, instances=_ordered(instances))
                            for number, instances in sorted(slots.items())
                        ),
                    )
                    for name, slots in sorted(targets.items())
                ),
            )
            for deployment_id, targets in sorted(tree.items())
        ),
        unreadable=tuple(sorted(unreadable, key=lambda one: (one.deployment_id, one.id))),
        unreachable=tuple(unreachable),
        asked_at=asked_at,
    )


def _ordered(instances: Iterable[StandingInstance]) -> tuple[StandingInstance, ...]:
    def age(one: StandingInstance) -> tuple[float, str]:
        return (-one.ordered_at.timestamp() if one.ordered_at else 0.0, one.id)

    return tuple(sorted(instances, key=age))


def _standing(found: _Found, identity: Identity) -> StandingInstance:
    instance = found.instance
    return StandingInstance(
        id=_shown(instance.ref.id),
        name=_shown(instance.name),
        conn_id=found.place.conn_id,
        cloud=found.place.cloud,
        account_id=_shown(instance.account_id),
        region=_shown(instance.ref.region),
        zone=_if_any(instance.zone),
        state=instance.state,
        standing=identity.standing,
        revision=identity.revision,
        spec=identity.rank.spec,
        generation=identity.generation,
        ordered_at=moment_of(identity.rank.order),
        size=_shown(instance.size),
        image=_shown(instance.image),
        address=_if_any(instance.address),
        public_address=_if_any(instance.public_address),
        created_at=instance.created_at,
        error_kind=instance.error_kind,
        error=_if_any(instance.error),
        console_url=_if_any(instance.console_url),
    )


def _unreadable(found: _Found, why: str) -> UnreadableInstance:
    instance = found.instance
    target = instance.labels.get(TARGET)
    return UnreadableInstance(
        id=_shown(instance.ref.id),
        name=_shown(instance.name),
        conn_id=found.place.conn_id,
        cloud=found.place.cloud,
        region=_shown(instance.ref.region),
        zone=_if_any(instance.zone),
        state=instance.state,
        deployment_id=_shown(instance.labels.get(DEPLOYMENT, ""), _LONGEST_LABEL),
        target=None if target is None else _shown(target, _LONGEST_LABEL),
        why=why,
        console_url=_if_any(instance.console_url),
    )


def _if_any(text: str | None) -> str | None:
    return None if text is None else _shown(text)


def _shown(text: str, longest: int = _LONGEST_TEXT) -> str:
    return printable(text if len(text) <= longest else f"{text[:longest]}…")

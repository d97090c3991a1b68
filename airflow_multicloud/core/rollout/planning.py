"""From a deployment to its plan: everything is looked up, and nothing is made."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.cost.prices.file import bundled_prices
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.digests import candidate_digest
from airflow_multicloud.core.rollout.lookups import Lookups
from airflow_multicloud.core.rollout.plans import (
    Candidate,
    DeploymentPlan,
    PlannedArtifact,
    TargetPlan,
)
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.prices import hourly_price
from airflow_multicloud.core.rollout.scripts import script_of
from airflow_multicloud.core.rollout.signing import check_signing
from airflow_multicloud.core.rollout.targets import Prospect, Target
from airflow_multicloud.core.rollout.waves import waves_of
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import ComputeService, LaunchSpec

_log = logging.getLogger(__name__)

#: Targets that are looked up at once.
_MOST_THREADS = 32
#: Digits of the artifact's SHA-256 that name a revision without a name.
_REVISION_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTarget:
    """A target's cloud, reached.

    :param cloud: the connection's.
    :param places: URI → prefix, for every one that the target names.
    """

    cloud: str
    compute: ComputeService
    places: Mapping[str, Endpoint]


def places_of(opened: Mapping[str, OpenedTarget]) -> dict[str, Endpoint]:
    """URI → prefix, for every place of every target, in their order."""
    return {uri: place for one in opened.values() for uri, place in one.places.items()}


@dataclass(frozen=True, slots=True)
class _Context:
    """What planning each target takes."""

    artifact: PlannedArtifact
    script_digest: str
    prices: PriceTable
    deployment: Deployment
    order: datetime
    lookups: Lookups = field(default_factory=Lookups)


def plan_deployment(
    deployment: Deployment,
    artifact: PlannedArtifact,
    opened: Mapping[str, OpenedTarget],
    order: datetime,
    prices: PriceTable | None = None,
) -> DeploymentPlan:
    """What a rollout of a deployment will do; makes nothing.

    Targets are looked up at the same time. An outage costs its target, and the plan says so.

    :param artifact: as it was looked at.
    :param opened: target's name → its cloud.
    :param order: when the run was begun.
    :param prices: list prices; the packaged ones when left out. No cloud is asked for them.
    :raises DeploymentError: naming each target that can't be as it was given, and the parameter.
    """
    revision = deployment.revision or artifact.sha256[:_REVISION_DIGITS]
    script = script_of(
        deployment.deployment_id,
        revision,
        artifact,
        command=deployment.command,
        port=deployment.port,
    )
    context = _Context(artifact, script.digest, prices or bundled_prices(), deployment, order)
    targets = _plan_targets(context, opened)
    return DeploymentPlan(
        deployment_id=deployment.deployment_id,
        revision=revision,
        order=order,
        artifact=artifact,
        script_digest=script.digest,
        targets=targets,
        waves=waves_for(targets, deployment.policy),
        policy=deployment.policy,
        command=deployment.command,
        port=deployment.port,
        health=deployment.health,
        url_lifetime=deployment.url_lifetime,
    )


def waves_for(targets: Sequence[TargetPlan], policy: RolloutPolicy) -> tuple[tuple[str, ...], ...]:
    """The waves of planned targets; one that could not be planned is no canary."""
    ready = [target.name for target in targets if target.candidates]
    late = [target.name for target in targets if not target.candidates]
    return waves_of(ready + late, canary=policy.canary, max_parallel=policy.max_parallel)


def _plan_targets(context: _Context, opened: Mapping[str, OpenedTarget]) -> tuple[TargetPlan, ...]:
    targets = context.deployment.targets
    workers = min(len(targets), _MOST_THREADS)
    planned: list[TargetPlan] = []
    problems: list[CloudError] = []
    with cancellation.pool(workers, "multicloud-plan") as pool:
        waiting = [
            telemetry.submit_in_context(pool, _plan_target, context, t, opened[t.name])
            for t in targets
        ]
        for one in waiting:
            try:
                planned.append(one.result())
            except CloudError as err:
                problems.append(err)
    if problems:
        kinds = {err.kind for err in problems}
        raise DeploymentError(
            "; ".join(str(err) for err in problems),
            kind=kinds.pop() if len(kinds) == 1 else ErrorKind.INVALID_ARGUMENT,
            cloud=problems[0].cloud if len(problems) == 1 else None,
            code=problems[0].code if len(problems) == 1 else None,
        ) from problems[0]
    return tuple(planned)


def _plan_target(context: _Context, target: Target, opened: OpenedTarget) -> TargetPlan:
    planned = TargetPlan(
        name=target.name,
        conn_id=target.conn_id,
        cloud=opened.cloud,
        count=target.count,
        required=target.required,
        candidates=(),
        regions=tuple(dict.fromkeys(one.request.region for one in target.prospects())),
    )
    try:
        return replace(planned, candidates=_candidates(context, target, opened))
    except CloudError as err:
        if not err.retryable:
            raise err.with_context(f"target {target.name}") from err
        _log.warning("target %s can't be planned: %s: %s", target.name, err.kind, err)
        return replace(planned, error_kind=err.kind, error=str(err))


def _candidates(context: _Context, target: Target, opened: OpenedTarget) -> tuple[Candidate, ...]:
    name = context.deployment.deployment_id
    for uri in target.places():
        check_signing(opened.places[uri], name, context.deployment.url_lifetime)
    found: dict[str, Candidate] = {}
    dropped: CloudError | None = None
    for prospect in target.prospects():
        try:
            spec = context.lookups.resolved(opened.compute, prospect.request)
        except CloudError as err:
            if err.kind is not ErrorKind.UNSUPPORTED:
                raise err.with_context(str(prospect)) from err
            _log.warning("target %s: %s is left out: %s", target.name, prospect, err)
            dropped = dropped or err.with_context(str(prospect))
            continue
        _check_account(target, spec)
        candidate = _candidate(context, opened.cloud, prospect, spec)
        found.setdefault(candidate.digest, candidate)
    if dropped is not None and not found:
        raise dropped
    return tuple(found.values())


def _check_account(target: Target, spec: LaunchSpec) -> None:
    if target.account_id not in (None, spec.account_id):
        raise DeploymentError(
            f"account_id: connection {target.conn_id!r} leads to {spec.account_id}, expected "
            f"{target.account_id}",
            kind=ErrorKind.PRECONDITION_FAILED,
        )


def _candidate(context: _Context, cloud: str, prospect: Prospect, spec: LaunchSpec) -> Candidate:
    return Candidate(
        spec=spec,
        digest=candidate_digest(context.artifact, context.script_digest, spec),
        artifacts=prospect.artifacts,
        hourly_price=hourly_price(context.prices, cloud, spec, today=context.order.date()),
    )

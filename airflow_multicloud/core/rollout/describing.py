"""A plan as people read it before they let it run."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_multicloud.core.rollout.approval import hash_of
from airflow_multicloud.core.rollout.costs import per_hour, preview_of
from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.core.rollout.plans import Candidate, DeploymentPlan, TargetPlan
from airflow_multicloud.ports.compute import Image
from airflow_multicloud.text import duration_text, printable, size_text


def describe_plan(plan: DeploymentPlan) -> list[str]:
    """A plan in lines of text, with its hash at the end."""
    return [printable(line) for line in _lines(plan)]


def _lines(plan: DeploymentPlan) -> Iterator[str]:
    artifact, policy = plan.artifact, plan.policy
    yield f"deployment {plan.deployment_id}, revision {plan.revision}"
    yield f"artifact {artifact.uri}: {size_text(artifact.size)}, SHA-256 {artifact.sha256}"
    yield f"command {plan.command}, at port {plan.port}"
    yield f"startup script (but for its URL): SHA-256 {plan.script_digest}"
    yield f"signed URLs are worth nothing after {duration_text(plan.url_lifetime.total_seconds())}"
    yield f"health: {_health(plan.health)}, {policy.healthy_checks} times in a row"
    yield (
        f"policy: strategy {policy.strategy}, rollback {policy.rollback}, min_success "
        f"{policy.min_success}, health floor {policy.health_floor}"
    )
    for uri in dict.fromkeys(one.artifacts for t in plan.targets for one in t.candidates):
        yield f"goes to {uri} (its connection reads, writes and lists there, and signs URLs)"
    for number, names in enumerate(plan.waves, 1):
        canary = " (canary)" if number == 1 and policy.canary else ""
        yield f"wave {number}{canary}: {', '.join(names)}"
    for target in plan.targets:
        yield from _target(target)
    yield "expected cost of all instances of each target (a month has 730 hours)"
    yield from preview_of(plan).lines()
    yield f"plan hash {hash_of(plan)}"


def _health(check: HealthCheck | None) -> str:
    if check is None:
        return "what the cloud says of the instance"
    address = "public" if check.public else "private"
    if check.kind is HealthCheckKind.TCP:
        return f"a connection to port {check.port} of the {address} address"
    expected = "" if check.expect is None else f", which contains {check.expect!r}"
    return f"GET {check.path} at port {check.port} of the {address} address{expected}"


def _target(target: TargetPlan) -> Iterator[str]:
    required = ", required" if target.required else ""
    yield (
        f"target {target.name}: {target.count} × {target.cloud} (connection {target.conn_id})"
        f"{required}"
    )
    if target.error is not None:
        yield f"  can't be planned for now: {target.error_kind}: {target.error}"
    for number, candidate in enumerate(target.candidates, 1):
        yield f"  {number}. {_candidate(candidate)}"
    calls = {call.call: call.permissions for one in target.candidates for call in one.spec.calls}
    for call, permissions in calls.items():
        yield f"  calls {call} (needs {', '.join(permissions) or 'nothing'})"


def _candidate(candidate: Candidate) -> str:
    spec, price = candidate.spec, candidate.hourly_price
    cost = (
        "price not known"
        if price is None
        else f"{per_hour(price.amount)} {price.currency} an hour each ({price.source})"
    )
    address = ", public address" if spec.public_address else ""
    group = f", resource group {spec.resource_group}" if spec.resource_group else ""
    return (
        f"{place_of(spec.region, spec.zone)}: {spec.size.name}, image {_image(spec.image)}, "
        f"account {spec.account_id}{group}, subnet {spec.subnet}{address}; artifact below "
        f"{candidate.artifacts}; {cost}"
    )


def _image(image: Image) -> str:
    return image.id if image.name == image.id else f"{image.name} ({image.id})"

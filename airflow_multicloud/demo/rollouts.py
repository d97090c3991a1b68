"""One artifact on machines in three clouds at once: rolled out, broken in one, taken down again."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.table import Table

from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.testing.local_clouds.targets import local_target
from airflow_multicloud.testing.sample_app import Behaviour, write_sample_app

if TYPE_CHECKING:
    from rich.console import Console

    from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
    from airflow_multicloud.core.rollout.standing import StandingInstance

# What imports Airflow is imported where it is used: the demo has set it up by then.

DEPLOYMENT = "demo-app"
#: Cloud → where its instances fetch artifacts from.
PLACES: Mapping[str, str] = MappingProxyType(
    {
        "aws": "s3://aws_local@apps/releases/",
        "gcp": "gs://gcp_signing_local@apps/releases/",
        "azure": "abfs://wasb_local@apps/releases/",
    }
)
_CONNECTIONS = ("aws_compute_local", "compute_local", "azure_local")
_PORT = 8080
_POLL = timedelta(seconds=0.25)
_BROKEN = "gcp"
HEALTH = {"port": _PORT, "path": "/", "expect": "{revision}"}
POLICY = {
    "canary": 0,
    "healthy_checks": 1,
    "health_timeout_seconds": 8,
    "poll_interval_seconds": _POLL.total_seconds(),
}


def targets() -> list[dict[str, Any]]:
    """One in each cloud."""
    return [local_target(cloud, artifacts=uri) for cloud, uri in PLACES.items()]


def break_one(home: Path, console: Console, check: Callable[..., None]) -> None:
    """Roll a revision out that is broken in one cloud, after a good one, and tear all down.

    :param home: of the demo.
    :param check: told what is claimed, and whether it holds.
    """
    console.print(f"  Revision 2.0, which ends at once in {_BROKEN}:")
    network = f"{(instances()[_BROKEN].address or '').rpartition('.')[0]}."
    app = home / "apps" / "app-2.0.tar.gz"
    bad = _deploy(write_sample_app(app, behaviour=Behaviour.EXITS, where=network), "2.0")
    console.print(_table(bad))
    now = {cloud: answer(one) for cloud, one in instances().items()}
    outcomes = {one.name: one.outcome.value for one in bad.targets}
    others = sorted(set(PLACES) - {_BROKEN})
    check(
        f"{_BROKEN} was {outcomes[_BROKEN]} and serves {now[_BROKEN]} again; "
        f"{' and '.join(others)} serve 2.0; the rollout failed",
        holds=not bad.succeeded
        and outcomes[_BROKEN] == "rolled_back"
        and now == {**dict.fromkeys(others, "2.0"), _BROKEN: "1.0"},
    )
    _tear_down(console, check)


def _deploy(artifact: Path, revision: str) -> MultiCloudDeploymentResult:
    from airflow_multicloud import api

    return api.deploy_multicloud(
        {
            "deployment_id": DEPLOYMENT,
            "artifact": str(artifact),
            "revision": revision,
            "targets": targets(),
            "port": _PORT,
            "health": HEALTH,
            "policy": POLICY,
        }
    )


def _table(result: MultiCloudDeploymentResult) -> Table:
    table = Table("target", "outcome", "place", "address", "seconds", "error", box=None)
    for target in result.targets:
        instance = target.instances[0] if target.instances else None
        place = (
            ("", "")
            if instance is None
            else (place_of(instance.region, instance.zone), instance.address or "")
        )
        table.add_row(
            *(target.name, target.outcome.value, *place, f"{target.seconds:.1f}"),
            target.error or "",
        )
    return table


def instances() -> dict[str, StandingInstance]:
    """Cloud → its instance, as the clouds list them."""
    from airflow_multicloud import api

    report = api.list_deployments(_CONNECTIONS, deployment_id=DEPLOYMENT)
    return {
        one.cloud: one
        for target in report.deployment(DEPLOYMENT).targets
        for slot in target.slots
        for one in slot.instances
        if one.is_current
    }


def answer(instance: StandingInstance) -> str:
    """What its application answers."""
    address = instance.address or ""
    with closing(http.client.HTTPConnection(address, _PORT, timeout=5)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


def _tear_down(console: Console, check: Callable[..., None]) -> None:
    from airflow_multicloud import api

    done = api.tear_down_deployment(
        DEPLOYMENT, _CONNECTIONS, poll_interval=_POLL, confirm_after=timedelta()
    )
    table = Table("closing listing", "removed", "left", "listed at", box=None)
    for place in done.places:
        listed = place.listed_at.strftime("%H:%M:%S") if place.listed_at else "never"
        left = ", ".join(place.left) or "nothing"
        table.add_row(f"{place.conn_id} ({place.cloud})", str(len(place.removed)), left, listed)
    console.print(table)
    check(
        f"{done.removed} instances were removed, and every cloud lists nothing more",
        holds=done.succeeded and not any(place.left for place in done.places),
    )

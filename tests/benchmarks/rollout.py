"""``python -m tests.benchmarks.rollout``: what a rollout takes beside the machines' boots.

Three local clouds of this package with several targets each, whose machines all boot in the same
time; then they fetch the sample application, verify it and serve it. What a rollout takes beyond
one boot is the package's, the servers' and the application's own start.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from airflow_multicloud.documents import to_document
from airflow_multicloud.testing.local_clouds import (
    MACHINES,
    OBJECT_STORES,
    LocalCloudOptions,
    LocalClouds,
)
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.targets import local_target
from airflow_multicloud.testing.machine_faults import FaultKind, MachineFault
from airflow_multicloud.testing.sample_app import write_sample_app
from tests.benchmarks.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult

_PLACES = {
    "aws": "s3://aws_local@apps/releases/",
    "gcp": "gs://gcp_signing_local@apps/releases/",
    "azure": "abfs://wasb_local@apps/releases/",
}
_CONNECTIONS = {"aws": "aws_compute_local", "gcp": "compute_local", "azure": "azure_local"}
_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One rollout, in seconds; requests to each cloud's machines, of all its targets."""

    name: str
    plan: float
    deliver: float
    roll_out: float
    requests: Mapping[str, int]


def main() -> None:
    """Measure, print, and write what was measured as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.rollout")
    parser.add_argument("--boot", type=float, default=20.0, help="seconds that every boot takes")
    parser.add_argument("--poll", type=float, default=1.0, help="poll_interval, seconds")
    parser.add_argument("--targets", type=int, default=5, help="in each cloud")
    parser.add_argument("--out", type=Path, default=ROOT / ".bench" / "rollout.json")
    given = parser.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ.update({"AIRFLOW_HOME": home, "PYTHONWARNINGS": "ignore"})
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        options = LocalCloudOptions(servers=OBJECT_STORES | MACHINES)
        with LocalClouds(options) as clouds:
            os.environ.update(clouds.conn_env())
            measured = _measure(given, Path(home))
    _show(measured, given.boot, given.targets)
    told = {"load": load, "given": {"boot": given.boot, "poll": given.poll}}
    told["results"] = [asdict(one) for one in measured]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1))


def _measure(given: argparse.Namespace, home: Path) -> list[Measured]:
    from airflow_multicloud import api

    for uri in _PLACES.values():
        api.make_bucket(uri)
    apps = [write_sample_app(home / f"app-{n}.tar.gz", note=str(n)) for n in range(2)]
    admins = {cloud: _admin_of(conn_id) for cloud, conn_id in _CONNECTIONS.items()}
    slow = MachineFault(kind=FaultKind.SLOW_BOOT, seconds=given.boot, times=10_000)
    for admin in admins.values():
        admin.seed("machine_faults", [to_document(slow)])
    _run("warm-up", given, apps[0], admins)  # SDKs are imported, clients and tokens made
    _tear_down()
    found = [_run("new", given, apps[0], admins)]
    found.append(_run("again, all adopted", given, apps[0], admins))
    found.append(_run("another revision", given, apps[1], admins))
    _tear_down()
    return found


def _tear_down() -> None:
    from airflow_multicloud import api

    connections = list(_CONNECTIONS.values())
    done = api.tear_down_deployment(
        "bench", connections, poll_interval=timedelta(seconds=0.1), confirm_after=timedelta()
    )
    done.raise_if_failed()


def _run(name: str, given: argparse.Namespace, app: Path, admins: Mapping[str, Admin]) -> Measured:
    from airflow_multicloud.core.rollout.deploying import deliver, ended, plan_rollout, rollout_of
    from airflow_multicloud.core.rollout.deployment import Deployment
    from airflow_multicloud.opening.rollout import open_deployment

    before = {cloud: len(admin.requests()) for cloud, admin in admins.items()}
    began = time.perf_counter()
    deployment = Deployment.of(_document(given, app))
    opened = open_deployment(deployment)
    plan = plan_rollout(deployment, opened.artifact, opened.targets, datetime.now(UTC))
    planned = time.perf_counter()
    delivered = deliver(plan, opened.artifact, opened.targets)
    sent = time.perf_counter()
    rollout = rollout_of(delivered, opened.targets)
    result = ended("", delivered, rollout.run(rollout.begin()))
    done = time.perf_counter()
    _check(result)
    requests = {cloud: len(admin.requests()) - before[cloud] for cloud, admin in admins.items()}
    sys.stderr.write(f"{name}: {done - began:.1f} s, requests {requests}\n")
    return Measured(
        name=name,
        plan=planned - began,
        deliver=sent - planned,
        roll_out=done - sent,
        requests=requests,
    )


def _document(given: argparse.Namespace, app: Path) -> dict[str, Any]:
    return {
        "deployment_id": "bench",
        "artifact": str(app),
        "targets": [
            local_target(cloud, artifacts=uri, name=f"{cloud}-{number}")
            for number in range(given.targets)
            for cloud, uri in _PLACES.items()
        ],
        "port": _PORT,
        "health": {"port": _PORT, "path": "/", "expect": "{revision}"},
        # No canary: it takes a boot of its own.
        "policy": {"canary": 0, "poll_interval_seconds": given.poll},
    }


def _check(result: MultiCloudDeploymentResult) -> None:
    bad = [one for one in result.targets if not one.outcome.is_success]
    if bad:
        raise RuntimeError(f"nothing was measured: {bad}")


def _admin_of(conn_id: str) -> Admin:
    connection = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
    return Admin(connection["extra"]["local_admin"])


def _show(measured: list[Measured], boot: float, targets: int) -> None:
    title = f"3 clouds × {targets} targets, each boot {boot:g} s"
    table = Table("", "plan, s", "deliver, s", "roll out, s", "÷ boot", "beyond it, s", title=title)
    for cloud in _CONNECTIONS:
        table.add_column(f"requests per target, {cloud}", justify="right")
    for one in measured:
        whole = one.plan + one.deliver + one.roll_out
        table.add_row(
            *(one.name, f"{one.plan:.1f}", f"{one.deliver:.1f}", f"{one.roll_out:.1f}"),
            *(f"{whole / boot:.2f}", f"{whole - boot:.1f}"),
            *(f"{one.requests[cloud] / targets:.1f}" for cloud in _CONNECTIONS),
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

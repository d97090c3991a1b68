"""Two accounts of the memory cloud to deploy to, and runs of Airflow that do so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.rollout.names import DEPLOYMENT
from airflow_multicloud.operators.compute import DeployOperator
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.test_base import Context
from tests.unit.rollout.givens import target

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.testing.machine_faults import MachineFault

BEGINNING = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONNS = {"one": "memory_one", "two": "memory_two"}
TARGETS = [
    target("one", count=2),
    target("two", conn_id="memory_two", artifacts="mem://memory_two@lab/releases/"),
]
POLICY = {
    "poll_interval_seconds": 0.001,
    "healthy_checks": 1,
    "boot_timeout_seconds": 5,
    "health_floor": 0.0,
}


@dataclass
class RunContext(Context):
    """The context of a task in a run.

    :param hours: so long after the first run this one was due.
    """

    hours: int = 0

    def get(self, name: str, default: object = None) -> Any:
        """As Airflow's: with the run."""
        if name == "dag_run":
            return SimpleNamespace(run_after=BEGINNING + timedelta(hours=self.hours))
        return super().get(name, default)


def a_run(hours: int = 0) -> Any:
    """The context of a task in a run that was due so many hours after the first."""
    return RunContext(hours=hours)


def deploying(artifact: Path, **given: Any) -> DeployOperator:
    """The operator, with what most tests give it."""
    usual: dict[str, Any] = {
        "task_id": "deploy",
        "deployment_id": "shop",
        "artifact": str(artifact),
        "targets": TARGETS,
        "policy": POLICY,
        "poll_interval": 0.01,
        "deferrable": False,
    }
    return DeployOperator(**{**usual, **given})


def running() -> dict[str, list[str]]:
    """Target → revisions of its instances."""
    return {
        name: sorted(
            instance.labels["multicloud-revision"]
            for instance in compute.Hook(conn_id).list_instances({DEPLOYMENT: "shop"})
            if instance.state.is_live
        )
        for name, conn_id in CONNS.items()
    }


def plant(name: str, *faults: MachineFault) -> None:
    """Faults in a target's cloud."""
    compute.machines_of(CONNS[name]).faults.plant(faults)

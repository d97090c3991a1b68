"""Deployments as people give them."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.core.rollout.deployment import Deployment


def target(name: str = "one", **changed: Any) -> dict[str, Any]:
    """A target in the memory cloud, as a document."""
    given = {
        "name": name,
        "conn_id": "memory_one",
        "region": "mem-1",
        "size": "small",
        "network": {"subnets": ["net-1"]},
        "artifacts": "mem://memory_one@lab/releases/",
        **changed,
    }
    return {key: value for key, value in given.items() if value is not ...}


def deployment(*targets: dict[str, Any], **changed: Any) -> Deployment:
    """A deployment of these targets; of one when none is given."""
    given = {
        "deployment_id": "shop",
        "artifact": "/srv/app.tar.gz",
        "targets": list(targets) or [target()],
        **changed,
    }
    return Deployment.of(given)

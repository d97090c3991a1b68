"""A deployment in a process of its own, which may be killed."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the process ends with when the rollout has not succeeded.
FAILED = 3


def deploy(document: Mapping[str, Any], order: str, environment: Mapping[str, str]) -> None:
    """Deploy, and end the process with 0 when that has succeeded.

    :param document: of a deployment, plain values.
    :param order: when the run was begun.
    :param environment: with the connections.
    """
    os.environ.update(environment)
    from airflow_multicloud.core.rollout.deployment import Deployment

    from .landscape import roll_out

    result = roll_out(Deployment.of(document), datetime.fromisoformat(order))
    if not result.succeeded:
        sys.stderr.write(f"{result}\n")
        sys.exit(FAILED)

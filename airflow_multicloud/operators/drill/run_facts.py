"""Who held a drill, and in which run."""

from __future__ import annotations

import socket
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from airflow_multicloud.core.pages import moment

if TYPE_CHECKING:
    from airflow.sdk import Context


def run_facts(context: Context) -> dict[str, str]:
    """Who held the drill, and in which run; what is not known is left out."""
    run, ti = context.get("dag_run"), context["ti"]
    found = {
        "DAG": context["dag"].dag_id,
        "run": context["run_id"],
        "triggered by": getattr(run, "triggering_user_name", None),
        "kind of run": getattr(run, "run_type", None),
        "run started": getattr(run, "start_date", None),
        "try of the judging task": getattr(ti, "try_number", None),
        "worker": socket.gethostname(),
    }
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return str(value.value if isinstance(value, Enum) else value)

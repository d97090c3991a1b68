"""Stores that differ, with ``on_disagreement="refuse"``: Airflow itself takes nobody's value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
CANARY = "cAnArY-of-a-refusal"

#: Another process, since Airflow keeps its backends for as long as one lives.
LOOKUPS = """
import airflow.models
from airflow.sdk import BaseHook, Variable

from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud.secrets import secrets_of
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES

memory_cloud.register()
for store in ("memory_first", "memory_second"):
    for what, value in (("connections", "http://{canary}-%s"), ("variables", "{canary}-%s")):
        secrets_of(store).write(NAMES.encode(f"airflow/{{what}}/x"), (value % store).encode())

for look_up in (
    lambda: BaseHook.get_connection("x"),
    lambda: Variable.get("x", default="a default"),
    lambda: airflow.models.Connection.get_connection_from_secrets("x"),
    lambda: airflow.models.Variable.get_variable_from_secrets("x"),
):
    try:
        print("FOUND", look_up())
    except Exception as err:
        print("RAISED", type(err).__name__)
"""


def test_airflow_looks_nowhere_else(tmp_path: Path) -> None:
    backend = {"stores": ["memory_first", "memory_second"], "on_disagreement": "refuse"}
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__SECRETS__BACKEND": "airflow_multicloud.secrets_backend.MultiCloudSecretsBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(backend),
        "AIRFLOW_CONN_MEMORY_FIRST": "memory://first",
        "AIRFLOW_CONN_MEMORY_SECOND": "memory://second",
        "AIRFLOW_CONN_X": "http://somebody.else",
        "AIRFLOW_VAR_X": "somebody else's",
        "PYTHONPATH": str(CHECKOUT),
    }
    ran = subprocess.run(
        [sys.executable, "-c", LOOKUPS.format(canary=CANARY)],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
    )
    shown = ran.stdout + ran.stderr
    told = [line for line in ran.stdout.splitlines() if line.startswith(("FOUND", "RAISED"))]
    assert told == ["RAISED SecretRefusedError"] * 4, shown
    assert shown.count("stores have different values: memory_first (version") >= 4
    assert CANARY not in shown

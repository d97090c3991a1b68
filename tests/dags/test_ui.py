"""What ``make ui`` changes of the example DAGs, as Airflow parses them there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_multicloud.demo import telemetry, ui

DAGS = Path(__file__).parents[2] / "dags"

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
found = DagBag(sys.argv[1], bundle_name="dags-folder").dags
params = {i: d.params["metrics_to"] for i, d in found.items() if "metrics_to" in d.params}
print(json.dumps(params))
"""


def test_the_dags_export_to_the_local_clouds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dag_id in ("DISASTER_RECOVERY", "NIGHTLY_COST"):
        monkeypatch.setenv(f"AIRFLOW_VAR_{dag_id}_PLACES", "{}")
    ui._export_locally(tmp_path)
    for dag_id in ("DISASTER_RECOVERY", "NIGHTLY_COST"):
        allowed = json.loads(os.environ[f"AIRFLOW_VAR_{dag_id}_PLACES"])
        assert allowed == {"metrics_to": list(telemetry.CONNECTIONS)}
    ended = subprocess.run(
        [sys.executable, "-c", PARSE, str(DAGS)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
    )
    params = json.loads(ended.stdout.splitlines()[-1])
    assert params["disaster_recovery"] == params["nightly_cost"] == list(telemetry.CONNECTIONS)

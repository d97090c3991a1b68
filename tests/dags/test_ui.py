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
PIPELINES = ("release", "disaster_recovery", "nightly_cost")

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
found = DagBag(sys.argv[1], bundle_name="dags-folder").dags
params = {
    dag_id: {
        # A task that asks somebody has params of its own.
        "metrics_to": [
            one["metrics_to"]
            for one in (dag.params, *(task.params for task in dag.tasks))
            if "metrics_to" in one
        ],
        "artifact": [dag.params.get("artifact")],
    }
    for dag_id, dag in found.items()
}
print(json.dumps(params))
"""


def test_the_dags_run_on_the_local_clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(f"{dag_id.upper()}_PLACES" for dag_id in PIPELINES), "RELEASE_TARGETS"):
        monkeypatch.setenv(f"AIRFLOW_VAR_{name}", "{}")
    ui._run_locally(tmp_path)
    allowed = {
        dag_id: json.loads(os.environ[f"AIRFLOW_VAR_{dag_id.upper()}_PLACES"])
        for dag_id in PIPELINES
    }
    conn_ids = list(telemetry.CONNECTIONS)
    assert {places["metrics_to"] == conn_ids for places in allowed.values()} == {True}
    targets = json.loads(os.environ["AIRFLOW_VAR_RELEASE_TARGETS"])
    assert [one["name"] for one in targets] == ["aws", "gcp", "azure"]
    ended = subprocess.run(
        [sys.executable, "-c", PARSE, str(DAGS)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
    )
    params = json.loads(ended.stdout.splitlines()[-1])
    # A task has a copy of its DAG's params, which is what it sees unless a run says otherwise.
    for dag_id in PIPELINES:
        assert all(found == conn_ids for found in params[dag_id]["metrics_to"]), params
    assert params["release"]["artifact"] == allowed["release"]["artifact"]
    assert Path(allowed["release"]["artifact"][0]).is_file()

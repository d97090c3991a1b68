"""An Airflow of the demo's own, in a directory that a second run finds again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import DAG


def prepare(home: Path, dags: Path) -> None:
    """Point this process, before it imports Airflow, at a home with a migrated database."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "PYTHONWARNINGS": "ignore",
        }
    )
    # A stamp per Airflow version: migrating an up-to-date database still costs ten seconds.
    stamp = home / f"migrated-{version('apache-airflow-core')}"
    if stamp.exists():
        return
    migrated = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        check=False,
        capture_output=True,
        text=True,
    )
    if migrated.returncode != 0:
        raise RuntimeError(f"airflow db migrate failed:\n{migrated.stderr[-2000:]}")
    stamp.touch()


def allow(dag: DAG, places: Mapping[str, Sequence[str]]) -> None:
    """List what the params of an example DAG may be, as an Airflow Variable."""
    os.environ[f"AIRFLOW_VAR_{dag.dag_id.upper()}_PLACES"] = json.dumps(places)

"""An Airflow of the demo's own, in a directory that a second run finds again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import DAG


def prepare(home: Path, dags: Path) -> Callable[[], None]:
    """Point this process, before it imports Airflow, at a home of its own.

    Returns what waits until its database is migrated, which goes on beside this process.
    """
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
        return lambda: None
    migration = subprocess.Popen(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def migrated() -> None:
        _, said = migration.communicate()
        if migration.returncode != 0:
            raise RuntimeError(f"airflow db migrate failed:\n{said[-2000:]}")
        stamp.touch()

    return migrated


def allow(dag: DAG, places: Mapping[str, Sequence[str]]) -> None:
    """List what the params of an example DAG may be, as an Airflow Variable."""
    os.environ[f"AIRFLOW_VAR_{dag.dag_id.upper()}_PLACES"] = json.dumps(places)

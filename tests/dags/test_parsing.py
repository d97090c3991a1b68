"""Every shipped DAG parses as Airflow parses it, and cheaply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))

#: Params whose pattern takes something else than a currency or a day.
VALUES = {"max_monthly_cost": "250.50 USD"}

#: What the parsing process says of itself. Airflow may load providers' metadata, never hooks.
PARSE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("parsed", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sdks = ("boto3", "botocore", "google.cloud.", "google.auth", "azure.", "obstore")
clouds = tuple(f"airflow.providers.{name}." for name in ("amazon", "google", "microsoft"))
print(json.dumps([m for m in sys.modules
                  if m.startswith(sdks) or (m.startswith(clouds) and ".hooks" in m)]))
"""


def test_there_are_dags() -> None:
    assert FILES


@pytest.mark.usefixtures("airflow_db")
def test_airflow_parses_them_without_an_error() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS), bundle_name="dags-folder")
    assert bag.import_errors == {}
    assert {Path(d.fileloc) for d in bag.dags.values()} == set(FILES)
    for dag in bag.dags.values():
        assert dag.doc_md, dag.dag_id
        assert dag.description, dag.dag_id
        assert dag.tags, dag.dag_id
        assert not dag.catchup, dag.dag_id


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_parsing_imports_no_cloud_sdk(file: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PARSE, str(file)],
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert json.loads(ended.stdout.splitlines()[-1]) == []


@pytest.mark.usefixtures("airflow_db")
def test_a_pattern_of_a_param_takes_the_whole_value() -> None:
    """Python's ``$`` also stands before a newline at the end."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.common.compat.sdk import ParamValidationError

    asked = 0
    for dag in DagBag(str(DAGS), bundle_name="dags-folder").dags.values():
        for name in dag.params:
            param = dag.params.get_param(name)
            pattern = str(param.schema.get("pattern", param.schema.get("anyOf", "")))
            if "A-Z" in pattern or "0-9" in pattern:
                value = VALUES.get(name, "USD" if "A-Z" in pattern else "2026-10-01")
                assert param.resolve(value) == value
                with pytest.raises(ParamValidationError):
                    param.resolve(f"{value}\n")
                asked += 1
    assert asked >= 1

"""What the command line uses of Airflow's private parts still is what it was."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from airflow.sdk.execution_time import supervisor

import airflow_multicloud.cli
from airflow_multicloud.cli import seams


def test_airflow_reads_the_process_context() -> None:
    source = inspect.getsource(supervisor)
    assert seams.PROCESS_CONTEXT in source, (
        "airflow.sdk.execution_time.supervisor does not look at _AIRFLOW_PROCESS_CONTEXT any more: "
        "seams.stored_connections has to find another way to the connections in the database"
    )
    assert '"server"' in source, (
        "Airflow's process context of commands is not called 'server' any more: see "
        "ensure_secrets_backend_loaded, and let seams.stored_connections follow"
    )


def test_the_context_is_put_back(monkeypatch) -> None:
    for before in ("client", None):
        if before is None:
            monkeypatch.delenv(seams.PROCESS_CONTEXT, raising=False)
        else:
            monkeypatch.setenv(seams.PROCESS_CONTEXT, before)
        with seams.stored_connections():
            assert os.environ[seams.PROCESS_CONTEXT] == "server"
        assert os.environ.get(seams.PROCESS_CONTEXT) == before


def test_the_context_is_named_in_one_module_only() -> None:
    folder = Path(airflow_multicloud.cli.__file__).parent
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if "_AIRFLOW_PROCESS_CONTEXT" in path.read_text()
    }
    assert found == {"seams.py"}

"""The faces of packages: what they offer, and that it is imported when it is asked for."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import airflow_multicloud
from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(airflow_multicloud.__file__).parent
FACES = sorted(
    ".".join(("airflow_multicloud", *path.parent.relative_to(ROOT).parts))
    for path in ROOT.rglob("__init__.py")
    if "lazy_face(" in path.read_text()
)
#: Cloud SDKs, their hooks, and what questions about cost are asked with. ``google`` may have been
#: made by a .pth file, as a namespace.
HEAVY = (
    *("boto3", "botocore", "obstore", "azure.core", "azure.storage", "azure.identity"),
    *("google.cloud", "google.auth", "duckdb", "pyarrow", "pandas", "pygal", "currency_converter"),
    "blake3",
    *(f"airflow.providers.{name}" for name in ("amazon.aws.hooks", "google.cloud", "microsoft")),
)


def _loaded_by(code: str) -> list[str]:
    """What a new process has loaded after the code, beyond what Airflow itself loads."""
    program = (
        "import json, sys\n"
        "import airflow.sdk, airflow.triggers.base, airflow.sdk.bases.skipmixin\n"
        "from airflow.sdk import BaseOperator, BaseSensorOperator, TaskGroup, conf\n"
        f"before = {{*sys.modules}}\n{code}\n"
        "print(json.dumps(sorted({*sys.modules} - before)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _heavy(loaded: Iterable[str]) -> list[str]:
    return [m for m in loaded if any(m == one or m.startswith(f"{one}.") for one in HEAVY)]


def _imported_for_type_checkers(face: str) -> dict[str, str]:
    """Of the stub, which must say of each name that it is offered."""
    source = Path(importlib.import_module(face).__file__ or "").with_suffix(".pyi").read_text()
    found = [
        (alias.name, alias.asname, statement.module or "")
        for statement in ast.parse(source).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    ]
    assert all(name == offered for name, offered, _ in found)
    return {name: module for name, _, module in found}


def test_there_are_faces() -> None:
    services = {f"airflow_multicloud.{kind}" for kind in ("api", "operators", "sensors")}
    assert services <= {*FACES}
    assert {f"{kind}.{s}" for kind in services for s in ("object_store", "cost")} <= {*FACES}


@pytest.mark.parametrize("face", FACES)
def test_a_face_is_the_same_at_run_time_and_for_type_checkers(face: str) -> None:
    package = importlib.import_module(face)
    checked = _imported_for_type_checkers(face)
    assert sorted(package.__all__) == sorted(checked)
    assert {*package.__all__} <= {*dir(package)}
    for name, module in checked.items():
        assert getattr(package, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match=f"module '{face}' has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("face", FACES)
def test_a_face_of_a_service_is_part_of_the_whole(face: str) -> None:
    whole = importlib.import_module(".".join(face.split(".")[:2]))
    assert {*importlib.import_module(face).__all__} <= {*whole.__all__}


def test_importing_the_faces_loads_nothing_else() -> None:
    loaded = _loaded_by(f"import importlib\nfor f in {FACES!r}: importlib.import_module(f)")
    ours = {m for m in loaded if m.startswith("airflow_multicloud.")}
    assert ours == {"airflow_multicloud.lazy", *FACES}


def test_one_operator_does_not_load_another_services() -> None:
    """An estimate of a replication needs prices; a question about cost no replication."""
    loaded = _loaded_by("from airflow_multicloud.operators.cost import CompareCostOperator")
    others = {f"airflow_multicloud.core.{m}" for m in ("replication.engine", "failover.fetch")}
    assert not others & {*loaded}
    loaded = _loaded_by("from airflow_multicloud.operators.object_store import ReplicateOperator")
    assert "airflow_multicloud.core.cost.compare" not in loaded


def test_all_that_the_faces_offer_loads_neither_sdk_nor_query_engine() -> None:
    code = "".join(f"from {face} import *\n" for face in FACES)
    loaded = _loaded_by(code)
    assert "airflow_multicloud.core.cost.store" in loaded
    assert _heavy(loaded) == []


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import airflow_multicloud.lists as here

    get, names, offered = lazy_face(here.__name__, {"json": "loads dumps"})
    assert offered == ["dumps", "loads"]
    monkeypatch.delattr(here, "dumps", raising=False)
    assert "dumps" in names()
    assert get("dumps") is json.dumps
    assert vars(here)["dumps"] is json.dumps
    monkeypatch.delattr(here, "dumps")

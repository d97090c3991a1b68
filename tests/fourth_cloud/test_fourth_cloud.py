"""A cloud that lives outside the package, in a distribution of its own.

It is installed for a process of its own, so that no other test sees it: the package is copied
beside a ``.dist-info`` made from its ``pyproject.toml``, which is all that installing a pure
Python wheel does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for ``PYTHONPATH`` with the distribution installed."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    directory = tmp_path_factory.mktemp("site")
    package = "localdisk_multicloud"
    shutil.copytree(
        HERE / package, directory / package, ignore=shutil.ignore_patterns("__pycache__")
    )
    info = directory / f"{package}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        )
    )
    return directory


def _run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("suite", ["contract_suite", "replication_suite"])
def test_suite(site: Path, suite: str) -> None:
    """Every test of the suite passes; none is skipped or expected to fail."""
    done = _run(site, "-m", "pytest", "-p", "no:cacheprovider", str(HERE / "suite" / f"{suite}.py"))
    last = done.stdout.strip().rpartition("\n")[2]
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"=+ \d+ passed in .*", last), done.stdout


def test_knows_ports_errors_and_the_kit_only() -> None:
    """What a cloud needs of this package is public and small."""
    needed = set()
    for file in (HERE / "localdisk_multicloud").rglob("*.py"):
        needed |= set(re.findall(r"^from (airflow_multicloud\S*)", file.read_text(), re.MULTILINE))
    assert needed == {
        "airflow_multicloud.adapters.bodies",
        "airflow_multicloud.adapters.digests",
        "airflow_multicloud.adapters.names",
        "airflow_multicloud.adapters.reading",
        "airflow_multicloud.errors",
        "airflow_multicloud.ports.identity",
        "airflow_multicloud.ports.object_store",
    }


def test_is_not_installed_here() -> None:
    """Nothing of it leaks into this process."""
    from airflow_multicloud import registry

    assert "localdisk" not in [cloud.name for cloud in registry.list_providers()]

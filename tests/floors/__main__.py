"""Runs this package at its floors, the oldest versions that pyproject.toml admits: ``make floors``.

For each supported Airflow: resolve all extras to their floors beside it (that this succeeds is half
of the test), install them, and run the contract suite and replication, verification and fetch
against the local clouds. Needs the package index; environments are kept in ``.floors``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import uv

#: The oldest patch of each supported minor release of Airflow, and the newest that was run.
AIRFLOWS = ("3.3.0", "3.3.2")
CHECKOUT = Path(__file__).parents[2]
DIRECTORY = CHECKOUT / ".floors"
TOOLS = ("pytest", "hypothesis", "opentelemetry-sdk")
TESTS = (
    "tests/contract/test_object_store.py",
    "tests/unit/replication/test_engine.py",
    "tests/integration/test_operators.py",
    "tests/integration/test_operators_fetch.py",
)


def main() -> int:
    """Run at the floors beside each Airflow that is named, or all of them."""
    DIRECTORY.mkdir(exist_ok=True)
    wheels = DIRECTORY / "wheels"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels)
    (wheel,) = wheels.glob("*.whl")
    failed = [airflow for airflow in sys.argv[1:] or AIRFLOWS if not at_floors(airflow, wheel)]
    print(f"failed beside Airflow {', '.join(failed)}" if failed else "the floors hold")  # noqa: T201
    return 1 if failed else 0


def at_floors(airflow: str, wheel: Path) -> bool:
    """Whether the package works at its floors beside one Airflow."""
    environment, pins = DIRECTORY / airflow, DIRECTORY / f"{airflow}.txt"
    beside = DIRECTORY / f"{airflow}.in"
    beside.write_text(f"apache-airflow=={airflow}\n")
    tools = DIRECTORY / "tools.in"
    tools.write_text("\n".join(TOOLS))
    tool = uv.find_uv_bin()
    run(
        *(tool, "pip", "compile", "--quiet", "--no-annotate", "--resolution", "lowest-direct"),
        *("--extra", "all", "--extra", "local", "--constraint", beside, "--output-file", pins),
        *("--python", sys.executable, CHECKOUT / "pyproject.toml"),
    )
    run(tool, "venv", "--quiet", "--allow-existing", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    run(tool, "pip", "sync", "--quiet", "--python", python, pins)
    run(tool, "pip", "install", "--quiet", "--python", python, "-r", tools, "--constraint", pins)
    run(tool, "pip", "install", "--quiet", "--python", python, "--no-deps", "--reinstall", wheel)
    run(tool, "pip", "check", "--python", python)
    # Old versions may warn of what newer ones have mended; here that is no failure.
    tests = (python, "-m", "pytest", "-q", "-o", "filterwarnings=default", *TESTS)
    return subprocess.run(list(map(str, tests)), cwd=CHECKOUT, check=False).returncode == 0


def run(*command: str | Path) -> None:
    """Run a command, or end with its status."""
    subprocess.run(list(map(str, command)), cwd=CHECKOUT, check=True)


if __name__ == "__main__":
    sys.exit(main())

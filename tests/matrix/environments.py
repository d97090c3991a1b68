"""An environment of the matrix: what is installed into it, and what is run there."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uv

from airflow_multicloud.testing.local_clouds import TELEMETRY, LocalCloudOptions, LocalClouds

CHECKOUT = Path(__file__).parents[2]
DIRECTORY = CHECKOUT / ".matrix"

#: What a developer's shell may say of real clouds, of another Airflow and of this Python.
_FOREIGN = ("AIRFLOW_", "AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "STORAGE_EMULATOR_HOST", "PYTHON")

#: What an Airflow itself no longer runs with, though its requirements admit it.
_TOO_NEW = {
    # Its API: "needs a discriminator field"; its tasks: no "svcs_registry".
    "3.2": ("fastapi<0.136", "cadwyn<7", "svcs<26"),
}

_VERSIONS = """
import platform
from importlib.metadata import version
print("Airflow", version("apache-airflow-core"), " Python", platform.python_version())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clouds:
    """The local clouds that all environments share.

    :param connections: environment variables.
    :param exports: each cloud's exported bill.
    :param day: the bills' last day.
    """

    connections: Mapping[str, str]
    exports: Mapping[str, str]
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One Airflow on one Python.

    :param airflow: its minor version; the newest patch is installed.
    :param python: its minor version.
    :param interpreter: of that version.
    """

    airflow: str
    python: str
    interpreter: Path

    @property
    def name(self) -> str:
        """Of its directory, its log and its buckets."""
        return f"airflow{self.airflow}-python{self.python}".replace(".", "")

    @property
    def title(self) -> str:
        """What is said of it while its exact versions are not known."""
        return f"Airflow {self.airflow}  Python {self.python}"

    def install(self, wheel: Path, run: Run) -> None:
        """Install what a user gets today: the newest of everything, without constraints."""
        bounds = _TOO_NEW.get(self.airflow, ())
        run.uv("pip", "install", f"apache-airflow=={self.airflow}.*", f"{wheel}[all]", *bounds)

    def test(self, run: Run, clouds: Clouds) -> None:
        """Run the smoke suite."""
        _smoke(self.name, run, clouds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest(Environment):
    """The oldest versions that ``pyproject.toml`` admits, all of them together.

    That they resolve is half of the test. Besides the smoke suite it runs the contract suite and
    replication, with the extra ``local`` at its oldest versions, too.
    """

    @property
    def name(self) -> str:
        """As of every environment."""
        return f"lowest-python{self.python}".replace(".", "")

    @property
    def title(self) -> str:
        """As of every environment."""
        return f"lowest versions  Python {self.python}"

    def install(self, wheel: Path, run: Run) -> None:
        """Install exactly what the lower bounds of direct requirements say."""
        pins = run.directory / "pins.txt"
        run.uv(
            *("pip", "compile", "--no-annotate", "--resolution", "lowest-direct"),
            *("--extra", "all", "--extra", "local", "--output-file", str(pins)),
            str(CHECKOUT / "pyproject.toml"),
        )
        run.uv("pip", "sync", str(pins))
        run.uv("pip", "install", "--constraint", str(pins), "pytest>=8.4", "hypothesis>=6.150")
        run.uv("pip", "install", "--no-deps", str(wheel))

    def test(self, run: Run, clouds: Clouds) -> None:
        """Run the smoke suite and the tests that concern every cloud's SDK."""
        _smoke(self.name, run, clouds)
        run.call(
            *(str(run.python), "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            # Old versions may warn of what newer ones have mended; here that is no failure.
            *("-o", "filterwarnings=default"),
            *("tests/contract/test_object_store.py", "tests/unit/replication/test_engine.py"),
            cwd=CHECKOUT,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """The environment's directory on disk, and one log of everything that is run for it."""

    directory: Path
    interpreter: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.directory / "venv" / "bin" / "python"

    @property
    def log(self) -> Path:
        """What was run, and all that it printed."""
        return self.directory / "log.txt"

    def uv(self, *words: str) -> None:
        """Run uv for the environment's interpreter.

        :raises subprocess.CalledProcessError: when it fails.
        """
        self.call(uv.find_uv_bin(), *words, "--quiet", "--python", str(self.python))

    def call(
        self, *command: str, cwd: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Run a command without what a developer's shell says of clouds and Airflow.

        :raises subprocess.CalledProcessError: when it fails.
        """
        kept = {n: v for n, v in os.environ.items() if not n.startswith(_FOREIGN)}
        with self.log.open("a") as log:
            print("$", *command, file=log, flush=True)
            subprocess.run(
                command,
                cwd=cwd or self.directory,
                env={**kept, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an environment did: its versions, and where to read on when it failed."""

    versions: str
    passed: bool
    seconds: float
    log: Path


def tried(environment: Environment, wheel: Path, clouds: Clouds) -> Outcome:
    """Make an environment, which is made new each time, and run what is run there."""
    started = time.monotonic()
    run = Run(DIRECTORY / environment.name, environment.interpreter)
    run.directory.mkdir(parents=True)
    versions = environment.title
    passed = False
    try:
        run.call(
            *(uv.find_uv_bin(), "venv", "--quiet", "--python", str(environment.interpreter)),
            str(run.directory / "venv"),
        )
        environment.install(wheel, run)
        run.call(uv.find_uv_bin(), "pip", "check", "--python", str(run.python))
        asked = subprocess.run(
            [run.python, "-c", _VERSIONS], capture_output=True, text=True, check=True
        )
        versions = asked.stdout.strip()
        environment.test(run, clouds)
        passed = True
    except subprocess.CalledProcessError as err:
        with run.log.open("a") as log:
            print(f"ended with status {err.returncode}", file=log)
    return Outcome(versions, passed, time.monotonic() - started, run.log)


def _smoke(name: str, run: Run, clouds: Clouds) -> None:
    # All environments write the same series, and two at once may be too fast for a service.
    with LocalClouds(LocalCloudOptions(servers=TELEMETRY)) as own:
        _run_smoke(name, run, clouds, own.conn_env())


def _run_smoke(name: str, run: Run, clouds: Clouds, telemetry: Mapping[str, str]) -> None:
    home = run.directory / "airflow"
    home.mkdir()
    (dags,) = (run.directory / "venv").glob(
        "lib/python3.*/site-packages/airflow_multicloud/example_dags"
    )
    settings = {
        **clouds.connections,
        **telemetry,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Else gcsfs asks the real service over gRPC what kind of bucket it talks to.
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "PYTHONWARNINGS": "ignore",
    }
    suite = Path(__file__).with_name("smoke.py")
    run.call(
        *(str(run.python), "-P", str(suite), name, clouds.day, json.dumps(dict(clouds.exports))),
        settings=settings,
    )

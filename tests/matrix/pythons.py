"""Which Python interpreters there are: on ``PATH``, in pyenv's directory, among uv's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import uv

#: What ``pyproject.toml`` admits and names in its classifiers.
VERSIONS = ("3.11", "3.12", "3.13")

_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"


def interpreters() -> dict[str, Path]:
    """Version → interpreter, for each of :data:`VERSIONS` that was found."""
    found = {version: _first(version) for version in VERSIONS}
    return {version: path for version, path in found.items() if path is not None}


def _first(version: str) -> Path | None:
    return next((path for path in _candidates(version) if _is(path, version)), None)


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    # pyenv's commands on PATH answer only for the versions that it is set to.
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    command = [uv.find_uv_bin(), "python", "find", "--managed-python", "--no-python-downloads"]
    asked = subprocess.run([*command, version], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        yield Path(asked.stdout.strip())


def _is(path: Path, version: str) -> bool:
    try:
        asked = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return asked.returncode == 0 and asked.stdout.strip() == version

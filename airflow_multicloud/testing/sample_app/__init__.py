"""A tiny application to deploy in tests and the demo, and ways in which it can be broken."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

#: Runs it, in the directory of what was unpacked.
COMMAND = "./run"


class Behaviour(StrEnum):
    """How it works, or does not."""

    #: It answers ``/`` with its revision, and ``/health`` with ``ok``.
    HEALTHY = "healthy"
    #: It ends at once, with status 1.
    EXITS = "exits"
    #: It answers everything with 500.
    ANSWERS_500 = "answers_500"
    #: It answers ``/`` with another revision.
    WRONG_REVISION = "wrong_revision"


def write_sample_app(
    path: Path,
    *,
    behaviour: Behaviour = Behaviour.HEALTHY,
    where: str = "",
    starts_after: float = 0.0,
    note: str = "",
) -> Path:
    """Write the application as a ``.tar.gz``; the same bytes for the same parameters.

    It needs Python 3, and listens on ``MULTICLOUD_ADDRESS`` and ``PORT``.

    :param path: of the file, which is replaced.
    :param behaviour: how it works.
    :param where: it is healthy on addresses that do not begin with this.
    :param starts_after: seconds until it listens.
    :param note: anything; another note makes another artifact.
    """
    settings = {
        "behaviour": behaviour.value,
        "where": where,
        "starts_after": starts_after,
        "note": note,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, "run", files(__package__).joinpath("program.py").read_bytes(), 0o755)
        _add(archive, "settings.json", json.dumps(settings, sort_keys=True).encode(), 0o644)
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return path


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))

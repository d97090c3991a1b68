"""An AWS that looks at who asks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.aws.object_store import moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running(directory: Path) -> Iterator[LocalServer]:
    """An AWS stand-in that knows no user, and so refuses every access key."""
    spec = replace(moto(directory), environment={"INITIAL_NO_AUTH_ACTION_COUNT": "0"})
    server = LocalServer(spec, log_path=directory / "moto.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()

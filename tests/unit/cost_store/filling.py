"""``python -m tests.unit.cost_store.filling HOW STORE FILE``: ingest while the disk fills.

FILE is ingested into copies of STORE, ``STORE-1``, ``STORE-2`` and so on, each with a little more
room than the one before, until one has enough. HOW says what is full: with ``limit`` the kernel
refuses every write of this process from the n-th step of the store's on; with ``mount`` (in a mount
namespace of its own) the store lies in a file system of n pages more. Errors are printed as JSON.
"""

from __future__ import annotations

import itertools
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.errors import CloudError

from .rows import fetched

_PAGE = 4096


class FillingFiles(LocalFiles):
    """A directory on a disk that is full from the n-th change on."""

    def __init__(self, root: Path, at: int) -> None:
        super().__init__(root)
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            limit_files(0)

    def publish(self, file: Path, name: str) -> None:
        self.step()
        super().publish(file, name)

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        self.step()
        return super().swap(old, snapshot)

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        self.step()
        return super().workspace()


def limit_files(size: int) -> None:
    """How large a file of this process may become."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def limited(seed: Path, root: Path, number: int) -> Iterator[LocalFiles]:
    """A copy of a store whose disk is full from a step on."""
    shutil.copytree(seed, root)
    try:
        yield FillingFiles(root, number)
    finally:
        limit_files(resource.RLIM_INFINITY)


@contextmanager
def mounted(seed: Path, root: Path, number: int) -> Iterator[LocalFiles]:
    """A copy of a store in a small file system, copied out at the end."""
    pages = sum(-(-path.stat().st_size // _PAGE) for path in seed.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as place:
        size = f"size={(pages + number) * _PAGE}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=True)
        try:
            store = Path(place, "store")
            shutil.copytree(seed, store)
            yield LocalFiles(store)
            shutil.copytree(store, root)
        finally:
            subprocess.run(["umount", place], check=True)


def main() -> None:
    """Ingest until there is room."""
    how, seed, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error of the call, not the end
    errors = []
    for number in itertools.count(1):
        root = seed.with_name(f"{seed.name}-{number}")
        exported = file.with_name(f"{number}-{file.name}")
        shutil.copy(file, exported)
        with {"limit": limited, "mount": mounted}[how](seed, root, number) as files:
            store = CostStore(str(files.directory), files)
            try:
                store.ingest("aws", fetched(exported, "2"))
                break
            except CloudError as err:
                directory = str(files.directory)
                errors.append({"kind": err.kind, "message": str(err), "directory": directory})
    sys.stdout.write(json.dumps(errors))


if __name__ == "__main__":
    main()

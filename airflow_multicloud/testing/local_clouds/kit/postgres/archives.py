"""What databases are restored from: backups, and archives of what happened after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class NotRestorableError(ValueError):
    """A time that an archive does not reach; the message says which it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a database instance, complete in itself.

    :param name: for messages.
    :param folder: with the data directory ``data``, the manifest ``backup_manifest`` in it.
    :param size: bytes.
    :param completed_at: what was committed after this is not in it.
    """

    name: str
    folder: Path
    size: int
    completed_at: datetime

    @property
    def data(self) -> Path:
        """What becomes the data directory of an instance."""
        return self.folder / "data"


@dataclass(slots=True, kw_only=True)
class Archive:
    """A first copy of an instance's data and its write-ahead log from then on.

    :param name: the instance's.
    :param base: the data directory to begin with.
    :param earliest: the first time that can be restored; ``None`` until the copy is complete.
    :param latest: until when all is known to be archived.
    """

    name: str
    folder: Path
    base: Path
    earliest: datetime | None = None
    latest: datetime | None = None

    @property
    def log(self) -> Path:
        """The directory of the write-ahead log's files."""
        return self.folder / "log"

    def check_reaches(self, when: datetime) -> None:
        """Refuse a time that can't be restored.

        :raises NotRestorableError: with the times that can be.
        """
        if self.earliest is None or self.latest is None:
            raise NotRestorableError(
                f"when: {when.isoformat()} given; nothing of {self.name!r} is archived yet"
            )
        if not self.earliest <= when <= self.latest:
            raise NotRestorableError(
                f"when: {when.isoformat()} given; {self.name!r} can be restored to times from "
                f"{self.earliest.isoformat()} to {self.latest.isoformat()}"
            )


def bytes_in(directory: Path) -> int:
    """The bytes of all files in a directory."""
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())

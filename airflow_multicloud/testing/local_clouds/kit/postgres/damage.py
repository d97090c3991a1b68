"""Backups that are damaged on purpose: they restore and start, but their data is not what it was.

No cloud checks a backup's data when it restores it, and nor does :class:`~.postgres.PostgresHome`;
whoever wants to know must look into the restored database.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Backup
    from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome

#: src/include/pg_config.h: BLCKSZ
_BLOCK = 8192
_FLIPPED = 16


class Damage(StrEnum):
    """What becomes of a table."""

    #: Bytes of its first rows are inverted: PostgreSQL refuses to read them ("invalid page"), since
    #: the page's checksum is wrong.
    FLIP = "flip"
    #: The second half of its pages is lost, at least one: it is read without an error, and rows are
    #: missing; all of them when it had one page.
    TRUNCATE = "truncate"


def damage(
    home: PostgresHome, backup: Backup, table: str, *, how: Damage, database: str = "postgres"
) -> None:
    """Damage a table in a backup.

    :param table: as SQL names it; it must have rows in the backup.
    :raises ValueError: for a table without rows.
    :raises ProviderNotAvailableError: when the backup can't be started to find the table.
    """
    looked_into = home.restore(backup, f"{backup.name} (looked into)")
    try:
        file = backup.data / looked_into.path_of(table, database)
    finally:
        home.delete(looked_into)
    blocks = file.stat().st_size // _BLOCK
    if not blocks:
        raise ValueError(f"table: {table!r} given, which has no rows in backup {backup.name!r}")
    if how is Damage.TRUNCATE:
        os.truncate(file, blocks // 2 * _BLOCK)
        # What says which rows need no look at the table.
        file.with_name(f"{file.name}_vm").unlink(missing_ok=True)
        file.with_name(f"{file.name}_fsm").unlink(missing_ok=True)
    else:
        _flip(file)


def _flip(file: Path) -> None:
    """Invert the end of the first page, where its first rows lie."""
    with file.open("r+b") as opened:
        opened.seek(_BLOCK - _FLIPPED)
        found = opened.read(_FLIPPED)
        opened.seek(_BLOCK - _FLIPPED)
        opened.write(bytes(byte ^ 0xFF for byte in found))

"""Baselines: what was measured of a database before, to compare with.

A baseline is data, not proof: whoever can write the file says what it is. So where it came from is
told with everything that was compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from airflow_multicloud.core.database.checks import TableCheck
from airflow_multicloud.core.database.measuring import MeasuredTable
from airflow_multicloud.documents import Document, read_document, to_document
from airflow_multicloud.errors import CloudError, DatabaseError, ErrorKind

#: Bytes of a file, at most.
LIMIT = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was measured, when and where.

    :param measured_at: when the first table was looked at; each has a time of its own.
    :param host: of the instance.
    :param database: which of the server's.
    :param engine: SQLAlchemy's word.
    """

    DOCUMENT: ClassVar[Document] = Document(format="multicloud-database-baseline", version=1)

    measured_at: datetime
    host: str
    port: int | None
    database: str | None
    engine: str
    tables: tuple[MeasuredTable, ...]

    def of(self, check: TableCheck) -> MeasuredTable | None:
        """What was measured of a check's table."""
        for one in self.tables:
            if (one.schema, one.table) == (check.schema, check.table):
                return one
        return None


def write_baseline(baseline: Baseline) -> bytes:
    """The content of a baseline's file."""
    return msgspec.json.format(msgspec.json.encode(to_document(baseline)), indent=2) + b"\n"


def read_baseline(content: bytes, origin: str) -> Baseline:
    """A baseline of its file.

    :param origin: the file's place, for errors.
    :raises DatabaseError: ``invalid_argument``: another try would read the same.
    """
    try:
        document = msgspec.json.decode(content)
        return read_document(Baseline, document, what=f"baseline: {origin}")
    except msgspec.DecodeError as err:
        raise DatabaseError(
            f"baseline: {origin} can't be read: {err}", kind=ErrorKind.INVALID_ARGUMENT
        ) from err
    except CloudError as err:
        raise DatabaseError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err

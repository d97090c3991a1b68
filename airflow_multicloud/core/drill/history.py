"""What earlier records of a chain say, in short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from airflow_multicloud.documents import Document


@dataclass(frozen=True, slots=True)
class Earlier:
    """A record of the same drill, which stays where it is.

    :param uri: of the record.
    :param sha256: of its bytes.
    """

    uri: str
    sha256: str
    verdict: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One drill of a chain.

    :param number: of its record.
    :param rto: measured; ``None``: there was none. So is ``rpo``.
    :param rto_objective: what was to be met.
    :param rpo_objective: likewise.
    """

    number: int
    written_at: datetime
    verdict: str
    drill_id: str
    rto: timedelta | None
    rpo: timedelta | None
    rto_objective: timedelta
    rpo_objective: timedelta

    DOCUMENT: ClassVar = Document(
        (
            *("number", "written_at", "verdict", "drill_id"),
            *("rto", "rto_objective", "rpo", "rpo_objective"),
        )
    )


def measured(measurement: Mapping[str, Any], name: str) -> timedelta | None:
    """A time that a measurement has as ``<name>_seconds``."""
    seconds = measurement[f"{name}_seconds"]
    return None if seconds is None else timedelta(seconds=seconds)

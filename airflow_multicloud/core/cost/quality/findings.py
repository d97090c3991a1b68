"""What a rule of quality reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """``ERROR``: figures are wrong or can't be trusted; ``WARNING``: look at it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFinding:
    """One rule that did not hold.

    :param rows: how many rows.
    :param example: one of them, short.
    """

    rule: str
    severity: Severity
    column: str
    rows: int
    example: str
    message: str

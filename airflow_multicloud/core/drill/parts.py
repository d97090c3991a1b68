"""What a drill shows besides objects: secrets, a database, a deployment, and a clean end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from airflow_multicloud.documents import read_document


class PartKind(StrEnum):
    """What else was drilled."""

    SECRETS = "secrets"
    """Copies of secrets are equal to their source, and have the canary secret."""
    DATABASE = "database"
    """A database was restored from a snapshot, and verified by SQL."""
    DEPLOYMENT = "deployment"
    """What was deployed in the clouds that are left serves again."""
    CLEANUP = "cleanup"
    """A listing has shown that nothing is left of all this."""


class PartOutcome(StrEnum):
    """What became of it."""

    SHOWN = "shown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """One of them, if it was asked for; of a kind there may be several.

    :param detail: what was seen, in a sentence.
    """

    kind: PartKind
    outcome: PartOutcome
    detail: str


#: Where a measurement has what is left of a drill, for the task that judges.
LEFT = "left"


def part_of(measurement: Mapping[str, Any]) -> list[Part]:
    """The part that a task which measured has returned besides.

    :raises CloudError: kind ``integrity`` for one that can't be read.
    """
    left = measurement.get(LEFT)
    return [] if left is None else [read_document(Part, left, what="what is left")]

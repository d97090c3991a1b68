"""What became of everything that was handed to a cloud: nothing is left out, nothing assumed.

Metrics and logs are sent by thousands, and a cloud may take some and refuse others. For each
destination ``given = accepted + rejected + unknown + dropped`` holds, always.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_multicloud.errors import ErrorKind


class Outcome(StrEnum):
    """What became of one item that was not accepted."""

    #: The cloud was asked and refused it.
    REJECTED = "rejected"
    #: It was sent, and no answer tells what became of it: it may be there, or not.
    UNKNOWN = "unknown"
    #: It was not sent: this cloud can't hold it, or all sending had to end before its turn.
    DROPPED = "dropped"


class ConversionKind(StrEnum):
    """What a cloud does not keep of an item that it takes."""

    NAME_CHANGED = "name_changed"
    ATTRIBUTE_RENAMED = "attribute_renamed"
    ATTRIBUTE_CUT = "attribute_cut"
    ATTRIBUTE_LOST = "attribute_lost"
    TYPE_CHANGED = "type_changed"
    UNIT_LOST = "unit_lost"
    BUCKETS_LOST = "buckets_lost"
    VALUES_APPROXIMATED = "values_approximated"
    TEMPORALITY_CHANGED = "temporality_changed"
    START_LOST = "start_lost"
    TIME_ROUNDED = "time_rounded"
    TEXT_CUT = "text_cut"
    EXEMPLARS_LOST = "exemplars_lost"


def is_final(outcome: Outcome, kind: ErrorKind) -> bool:
    """Whether no other try can help an item that was not accepted: it is wrong in itself."""
    return outcome is not Outcome.UNKNOWN and kind is ErrorKind.INVALID_ARGUMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Items that were not accepted, for one reason.

    :param kind: the cause; ``retryable`` follows from it.
    :param reason: in words that are the same for all of them, printable.
    :param count: how many.
    :param samples: a few of them, by name, printable and shortened.
    :param code: the cloud's own error code, where there is one.
    """

    outcome: Outcome
    kind: ErrorKind
    reason: str
    count: int
    samples: tuple[str, ...] = ()
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What was changed or lost in items that were sent, for one reason.

    :param detail: in words that are the same for all of them, printable.
    :param count: how many.
    :param samples: a few of them, by name, printable and shortened.
    """

    what: ConversionKind
    detail: str
    count: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """What became of everything that one destination was given.

    :param given: how many items.
    :param accepted: how many the cloud says it has taken.
    :param refusals: all others, by reason.
    :param conversions: what was not kept of items that were sent, whatever became of them.
    :param requests: how many were made.
    :param left: the very items, as they were given, of which another try may have more accepted;
        ``None`` where nobody tells which these are.
    """

    given: int
    accepted: int
    refusals: tuple[Refusal, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    requests: int = 0
    left: tuple[Any, ...] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        told = self.accepted + sum(refusal.count for refusal in self.refusals)
        if told != self.given:
            raise ValueError(
                f"given: {self.given} items, of which {told} are accounted for; expected all"
            )

    @property
    def rejected(self) -> int:
        """How many the cloud refused."""
        return self._counted(Outcome.REJECTED)

    @property
    def unknown(self) -> int:
        """Of how many nobody knows."""
        return self._counted(Outcome.UNKNOWN)

    @property
    def dropped(self) -> int:
        """How many were not sent."""
        return self._counted(Outcome.DROPPED)

    def _counted(self, outcome: Outcome) -> int:
        return sum(refusal.count for refusal in self.refusals if refusal.outcome is outcome)

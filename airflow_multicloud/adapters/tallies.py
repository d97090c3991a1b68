"""Counting what becomes of each item that is handed to a cloud."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import (
    Accounting,
    Conversion,
    ConversionKind,
    Outcome,
    Refusal,
)
from airflow_multicloud.text import printable, shortened

#: So many names are kept of all that share a reason, each of so many characters.
_SAMPLES = 5
_SAMPLE_CHARACTERS = 100
#: So many reasons are told apart of each kind; others that come are counted together, so that a
#: service that words each of its refusals otherwise fills no memory.
_REASONS = 50
_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one item was not accepted.

    :param reason: in words that are the same for all items that share it: without the item's own
        name or value.
    :param named: whether the item is among the samples: some services say how many they refused,
        and not which.
    """

    outcome: Outcome
    kind: ErrorKind
    reason: str
    code: str | None = None
    named: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What a cloud does not keep of one item.

    :param detail: as :attr:`Reason.reason`.
    """

    what: ConversionKind
    detail: str


class Tally:
    """One destination's account, under way."""

    def __init__(self) -> None:
        self._accepted = 0
        self._requests = 0
        self._refusals: dict[Any, Refusal] = {}
        self._conversions: dict[Any, Conversion] = {}

    def accept(self, count: int = 1) -> None:
        """So many were accepted."""
        self._accepted += count

    def request(self) -> None:
        """A request was made."""
        self._requests += 1

    def refuse(self, name: str, why: Reason) -> None:
        """One was not accepted.

        :param name: what it is shown as; anything that somebody wrote.
        """
        self.refuse_all(1, why, (name,) if why.named else ())

    def refuse_all(self, count: int, why: Reason, names: Iterable[str] = ()) -> None:
        """So many were not accepted, for one reason.

        :param names: what some of them are shown as.
        """
        key: Any = (why.outcome, why.kind, why.code, why.reason)
        if key not in self._refusals and len(self._refusals) >= _REASONS:
            key = (*key[:2], None, "other reasons")
        found = self._refusals.get(key) or Refusal(
            outcome=key[0],
            kind=key[1],
            reason=_words(key[3]),
            count=0,
            code=None if key[2] is None else _words(key[2]),
        )
        self._refusals[key] = replace(
            found, count=found.count + count, samples=_with(found.samples, names)
        )

    def convert(self, name: str, changes: Iterable[Change]) -> None:
        """One that is sent is not kept as it was given."""
        for change in changes:
            self._convert(change, 1, (name,))

    def add(self, part: Accounting) -> None:
        """Count what became of some of the items already."""
        self.accept(part.accepted)
        self._requests += part.requests
        self.add_refusals(part.refusals)
        for conversion in part.conversions:
            change = Change(conversion.what, conversion.detail)
            self._convert(change, conversion.count, conversion.samples)

    def add_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Count items that were refused already."""
        for one in refusals:
            why = Reason(outcome=one.outcome, kind=one.kind, reason=one.reason, code=one.code)
            self.refuse_all(one.count, why, one.samples)

    def _convert(self, change: Change, count: int, names: Iterable[str]) -> None:
        key: Any = (change.what, change.detail)
        if key not in self._conversions and len(self._conversions) >= _REASONS:
            key = (key[0], "others")
        found = self._conversions.get(key) or Conversion(
            what=key[0], detail=_words(key[1]), count=0
        )
        self._conversions[key] = replace(
            found, count=found.count + count, samples=_with(found.samples, names)
        )

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Those so far, in an order that does not tell which item came first."""
        return tuple(
            sorted(self._refusals.values(), key=lambda it: (it.outcome, it.kind, it.reason))
        )

    def accounting(self, given: int) -> Accounting:
        """The account.

        :param given: how many items there were.
        :raises ValueError: when an item is not accounted for.
        """
        return Accounting(
            given=given,
            accepted=self._accepted,
            refusals=self.refusals,
            conversions=tuple(
                sorted(self._conversions.values(), key=lambda it: (it.what, it.detail))
            ),
            requests=self._requests,
        )


def _words(text: str) -> str:
    return shortened(printable(text), _REASON_CHARACTERS)


def _with(samples: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    for name in names:
        if len(samples) >= _SAMPLES:
            break
        # Cut first: escapes make a hostile text longer.
        shown = shortened(printable(name[: _SAMPLE_CHARACTERS + 1]), _SAMPLE_CHARACTERS)
        if shown not in samples:
            samples = (*samples, shown)
    return samples

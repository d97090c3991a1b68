"""How old a fetched prefix is: as old as its oldest part; and how old its objects are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from airflow_multicloud.core.ledger.looks import Freshness


@dataclass(frozen=True, slots=True)
class Age:
    """The oldest part so far.

    :param as_of: ``None`` when it is not known of a part, or there is none.
    :param oldest: which part that is; ``None``: there is none.
    """

    as_of: datetime | None = None
    oldest: str | None = None

    @classmethod
    def of(cls, freshness: Freshness | None) -> Self:
        """What a ledger's looks say: objects that it does not know may be missing.

        Of which selection that is, is told; below prefixes that nobody looked at it is not known.
        """
        if freshness is None or freshness.oldest is None:
            return cls()
        look = freshness.oldest
        as_of = freshness.as_of if freshness.around else None
        return cls(as_of, f"{look.selection} below {look.prefix or 'the bucket'}")

    def with_part(self, as_of: datetime | None, name: str) -> Self:
        """The same, with another part."""
        if self.oldest is not None and (self.as_of is None or (as_of and as_of >= self.as_of)):
            return self
        return type(self)(as_of, name)


#: The ages that objects are counted by, each up to and with this one.
_AGES = (
    (timedelta(minutes=1), "up to 1 min"),
    (timedelta(minutes=5), "up to 5 min"),
    (timedelta(minutes=15), "up to 15 min"),
    (timedelta(hours=1), "up to 1 h"),
    (timedelta(hours=6), "up to 6 h"),
    (timedelta(days=1), "up to 1 d"),
    (timedelta(days=7), "up to 7 d"),
)
_OLDER, _UNKNOWN, _AHEAD = "more than 7 d", "unknown", "in the future"


class Ages:
    """How many objects of a fetch are how old.

    :param at: the moment at which they have that age.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._counts: Counter[str] = Counter()

    def add(self, as_of: datetime | None) -> None:
        """One more; ``None``: it is not known when it was up to date."""
        self._counts[self._bucket(as_of)] += 1

    def counts(self) -> dict[str, int]:
        """The objects by their age, the youngest first; none that is empty."""
        order = (*(name for _, name in _AGES), _OLDER, _UNKNOWN, _AHEAD)
        return {name: self._counts[name] for name in order if self._counts[name]}

    def _bucket(self, as_of: datetime | None) -> str:
        if as_of is None:
            return _UNKNOWN
        age = self._at - as_of
        if age < timedelta(0):
            return _AHEAD
        return next((name for most, name in _AGES if age <= most), _OLDER)

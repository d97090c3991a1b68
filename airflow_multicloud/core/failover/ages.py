"""How old a fetched prefix is: as old as its oldest part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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

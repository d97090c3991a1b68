"""How a secret is looked up in several stores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.text import given_text


class OnDisagreement(StrEnum):
    """Which value counts where stores have different ones."""

    #: The one that the first store to have it has given; another one is asked only when the one
    #: before does not have it, fails, or has not answered for a while.
    FIRST = "first"
    #: The one that was written last, of all stores that answer in time.
    NEWEST = "newest"
    #: None: all stores are asked, and different values are an error.
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupOptions:
    """How a secret is looked up.

    :param timeout: seconds after which a store that has not answered counts as out of reach.
    :param hedge_after: seconds after which the next store is asked as well.
    :param cache_seconds: how long an answer is kept, also that there is none; 0: not at all.
    :param cache_size: how many answers are kept.
    :param retry_after: seconds for which a store is not asked that has failed twice in a row.
    """

    on_disagreement: OnDisagreement = OnDisagreement.FIRST
    timeout: float = 5.0
    hedge_after: float = 0.5
    cache_seconds: float = 30.0
    cache_size: int = 1000
    retry_after: float = 30.0

    def __post_init__(self) -> None:
        """Check.

        :raises SecretsError: ``invalid_argument``, naming the parameter.
        """
        if self.on_disagreement not in tuple(OnDisagreement):
            raise _refused("on_disagreement", self.on_disagreement, ", ".join(OnDisagreement))
        for name in ("timeout", "hedge_after", "cache_seconds", "retry_after"):
            value = getattr(self, name)
            if not _is_number(value) or not math.isfinite(value) or value < 0:
                raise _refused(name, value, "seconds, 0 or more")
        if self.timeout == 0:
            raise _refused("timeout", self.timeout, "seconds, more than 0")
        if not isinstance(self.cache_size, int) or not _is_number(self.cache_size, least=1):
            raise _refused("cache_size", self.cache_size, "a whole number from 1")


def _is_number(value: object, least: float = 0) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least


def _refused(parameter: str, given: object, expected: str) -> SecretsError:
    return SecretsError(
        f"{parameter}: {given_text(given)} given, expected {expected}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )

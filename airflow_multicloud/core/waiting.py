"""What a check says that is asked again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Ask again; ``None`` says the same without more.

    :param wait: before the next look, at least: a service has asked for it.
    :param arguments: to ask with from now on, while this process waits; another one that takes up
        the wait begins with the first ones.
    """

    wait: timedelta = timedelta(0)
    arguments: dict[str, Any] | None = None

"""Parameters of operators as templates give them."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

#: What a template of nothing renders to: a text, unless the DAG renders to native objects.
_NOTHING = ("", "None")


def given_or_none(rendered: T) -> T | None:
    """A parameter that may be left out, and is when its template found nothing."""
    nothing = rendered is None or (isinstance(rendered, str) and rendered.strip() in _NOTHING)
    return None if nothing else rendered

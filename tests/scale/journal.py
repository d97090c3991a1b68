"""What a destination was sent, by its own journal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.benchmarks.sink.http import Write

_MOST_OK = 299
#: A part, as Cloud Storage's hook names it. Azure's are blocks of the object.
_PART = re.compile(r"/parts/[^/]+/\d{5}\Z")


@dataclass(frozen=True, slots=True)
class Journal:
    """The writes of content; each by what it is of.

    :param small: objects that came in one request.
    :param parts: parts of large objects, as the service names them.
    :param refused: what came as a whole and was not taken.
    :param cut: what did not come as a whole.
    """

    small: list[str]
    parts: list[str]
    refused: list[Write]
    cut: list[Write]


def journal_of(writes: Iterable[Write]) -> Journal:
    """The writes of content among all."""
    made = Journal([], [], [], [])
    for write in writes:
        key = write.named or unquote(write.path)
        part = write.query.get("blockid") or (_PART.search(key) and key)
        if write.method not in ("PUT", "POST") or not (part or _is_small(write, key)):
            continue
        if write.ended is None:
            made.cut.append(write)
        elif write.status is None or write.status > _MOST_OK:
            made.refused.append(write)
        else:
            (made.parts if part else made.small).append(f"{key} {part or ''}")
    return made


def _is_small(write: Write, key: str) -> bool:
    """Whether it is an object as a whole, and no list of parts."""
    return "/lake/small/" in f"/{key}" and "comp" not in write.query

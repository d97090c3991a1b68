"""What a destination was sent, by its own journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.benchmarks.sink.http import Write

_MOST_OK = 299


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
        what = _key(write)
        if write.method not in ("PUT", "POST") or not _is_content(write, what):
            continue
        if write.ended is None:
            made.cut.append(write)
        elif write.status is None or write.status > _MOST_OK:
            made.refused.append(write)
        elif "/parts/" in what or "blockid" in write.query:
            made.parts.append(f"{what} {write.query.get('blockid', '')}")
        else:
            made.small.append(what)
    return made


def _key(write: Write) -> str:
    return write.named or unquote(write.path)


def _is_content(write: Write, what: str) -> bool:
    """Whether it carries what was read at the source, and is not this package's own record."""
    if "/compose" in what or "/rewriteTo/" in what or write.query.get("comp") == "blocklist":
        return False
    return "lake/" in what or "/parts/" in what

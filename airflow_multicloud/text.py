"""Text that others wrote, made safe to show: in a log line, a terminal, an error message."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    r"""The text with everything escaped that would not show as itself.

    Control characters (an ESC clears a terminal, a newline forges a log line), characters that
    change the direction of what follows, and halves of surrogate pairs become Python's escapes:
    ``\x1b``, ``\n``, ``\u202e``. What is printable stays as it is, so this may be applied twice.

    :param text: a key, a name or a message of a cloud.
    """
    if text.isprintable():
        return text
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def _shows(character: str) -> bool:
    # Python counts every space but U+0020 as not printable; "Zs" are spaces that do show.
    return character.isprintable() or unicodedata.category(character) == "Zs"

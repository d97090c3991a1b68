"""Tokens of writes, as callers give them and as they are noted beside secrets."""

from __future__ import annotations

import uuid
from typing import Final

#: Characters of the longest form of a UUID, ``urn:uuid:{…}``.
_LONGEST: Final = 47


def is_token(text: object) -> bool:
    """Whether it is a UUID, in any of its forms.

    Marks are read from where others may write, too: what no caller can have given is no token.
    """
    if not isinstance(text, str) or len(text) > _LONGEST or not text.isascii():
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True

"""How a commit names its segments."""

from __future__ import annotations

from typing import Annotated

import msgspec

from airflow_multicloud.core.ledger.entries import Size

Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=8192)]


class SegmentRef(msgspec.Struct, frozen=True):
    """A sorted file of entries.

    :param sha256: of the file; its name.
    :param size: its bytes.
    :param count: entries.
    :param first: the least key.
    :param last: the greatest key.
    """

    sha256: Sha256
    size: Size
    count: Count
    first: _Text
    last: _Text


#: Segments whose keys follow each other.
SortedRun = tuple[SegmentRef, ...]

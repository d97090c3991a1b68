"""Keep Python's garbage collector from what does not change while a great many objects do."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Freeze:
    """Whether there is one of this function's.

    Python tells only by going through all that is frozen: some 0.02 s with Airflow, more with more.
    A run within another one's freeze, as each of many is that one process makes, need not ask.
    """

    ours = False


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Leave out of collections, for a while, whatever is there already.

    A process with Airflow and the SDKs has a quarter of a million containers, and a full
    collection, which a few ten thousand new ones bring about, walks over all: 0.2 s each time,
    two thirds of a run over 10,000 objects that are unchanged. Nothing happens inside of
    another freeze, this function's or the program's own.
    """
    if _Freeze.ours or _is_frozen():
        yield
        return
    _Freeze.ours = True
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        _Freeze.ours = False


def _is_frozen() -> bool:
    # Python 3.12.0 and 3.12.1 count immortal objects as frozen, so the count alone does not tell.
    # A freeze takes everything out of what get_objects() lists, the oldest things too.
    if not gc.get_freeze_count():
        return False
    return all(found is not sys.modules for found in gc.get_objects())

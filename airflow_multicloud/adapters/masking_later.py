"""Who reads a secret on a thread from which Airflow's masker can't be told of it.

Airflow's supervisor may be out of reach of a thread that somebody waits for: in a triggerer it is
reached through the event loop, which may be what waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_later: ContextVar[bool] = ContextVar("airflow_multicloud_masking_later", default=False)


@contextmanager
def masking_later() -> Iterator[None]:
    """Values that are read within are not told to the masker.

    The caller tells it, before anybody else sees them
    (:func:`airflow_multicloud.adapters.masking.mask_value`).
    """
    token = _later.set(True)
    try:
        yield
    finally:
        _later.reset(token)


def is_masked_later() -> bool:
    """Whether this runs within :func:`masking_later`."""
    return _later.get()

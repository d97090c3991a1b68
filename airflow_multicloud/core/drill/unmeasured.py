"""The measurement of a drill that did not get as far."""

from __future__ import annotations

from typing import Any


def unmeasured(reason: str, *, fault: str | None = None) -> dict[str, Any]:
    """As a :class:`~.failover.Measurement` is shown, with nothing measured.

    :param reason: why not, in a sentence.
    :param fault: that was to be injected.
    """
    return {
        "fault": fault,
        "fault_at": None,
        "recovered": None,
        "problem": None,
        "reason": reason,
        "took_seconds": None,
        "rto_seconds": None,
        "rpo_seconds": None,
        "phases": None,
        "clock_ahead_seconds": None,
        "policy": None,
        "canary_found": False,
        "controls": [],
        "failback": False,
        "identities": [],
    }

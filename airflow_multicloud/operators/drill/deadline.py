"""An alert when a drill takes longer than it may."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from airflow.providers.common.compat.sdk import conf

# Airflow 3.1 has them here only.
from airflow.sdk.definitions.deadline import (  # type: ignore[attr-defined]
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
)

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import given_text

SECTION: Final = "multicloud"
OPTION: Final = "drill_deadline_seconds"

#: A year, which no drill takes.
_LONGEST = 366 * 24 * 3600

_log = logging.getLogger(__name__)


def drill_deadline_seconds() -> int:
    """How long a run of the shipped DAG may take, by Airflow's configuration; 0: no deadline.

    :raises CloudError: kind ``invalid_argument`` for an option that is no whole number from 0.
    """
    # Not getint: its error does not say what to do.
    given = conf.get(SECTION, OPTION, fallback="") or "0"
    # A text of thousands of digits is no number to Python.
    is_number = given.isascii() and given.isdecimal() and len(given) <= len(str(_LONGEST))
    if not is_number or int(given) > _LONGEST:
        raise CloudError(
            f"[{SECTION}] {OPTION}: {given_text(given)} given, expected a whole number of seconds "
            f"from 0 (no deadline) to {_LONGEST}; it is set there, or by "
            f"AIRFLOW__{SECTION.upper()}__{OPTION.upper()}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return int(given)


def drill_deadline(
    after: timedelta, callback: str | None = None, kwargs: Mapping[str, Any] | None = None
) -> DeadlineAlert:
    """A deadline for a run of a drill's DAG, for its parameter ``deadline``.

    A recovery that hangs has no RTO until it ends, so who is to be told of it in time must be told
    by the clock. It is counted from when the run is queued: give the RTO, and what comes before the
    fault.

    :param after: how long the run may take.
    :param callback: what is awaited in the triggerer then: the import path of an ``async``
        function, or of a notifier; :func:`tell_late`, which only logs, when left out.
    :param kwargs: of the callback.
    """
    path = callback or f"{__name__}.{tell_late.__name__}"
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=after,
        callback=AsyncCallback(path, dict(kwargs or {"after": str(after)})),
    )


async def tell_late(after: str, context: Mapping[str, Any] | None = None) -> None:
    """Log that a drill is late.

    :param after: how long it may take.
    :param context: what Airflow tells of the run.
    """
    run = (context or {}).get("dag_run") or {}
    dag_id, run_id = (
        run.get(name) if isinstance(run, Mapping) else getattr(run, name, None)
        for name in ("dag_id", "run_id")
    )
    _log.error(
        "the drill %s, run %s, has not ended %s after it was queued: its RTO is missed, or soon "
        "will be",
        *(dag_id, run_id, after),
    )

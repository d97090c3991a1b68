"""Wait until a cloud has exported its bill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from airflow_multicloud.core.cost.exports import export_freshness
from airflow_multicloud.documents import to_document
from airflow_multicloud.months import first_of_month
from airflow_multicloud.opening.cost.exports import open_export
from airflow_multicloud.sensors.base import PollingSensor
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


class CostExportSensor(PollingSensor):
    """Succeed when an export has a complete, recent version of a billing period.

    A period whose files are there but whose manifest is not is still being written. Returns
    the version's age.

    :param export: URI of the export (``s3://…``, ``abfs://…``, ``bigquery://…``).
    :param day: a day of the billing period, ``YYYY-MM-DD`` (UTC).
    :param max_age_hours: how old the newest version may be; may be a template.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("export", "day", "max_age_hours")

    def __init__(
        self,
        *,
        export: str,
        day: str = "{{ ds }}",
        max_age_hours: float | str = 24,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.day = day
        self.max_age_hours = max_age_hours

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """How old the newest version is."""
        return check_exported, {
            "export": self.export,
            "day": self.day,
            "max_age_seconds": float(self.max_age_hours) * 3600,
        }


def check_exported(*, export: str, day: str, max_age_seconds: float) -> dict[str, Any] | None:
    """The export's freshness when it is within the limit, else ``None``."""
    month = first_of_month(date.fromisoformat(day))
    found = export_freshness(open_export(export), month)
    limit = timedelta(seconds=max_age_seconds)
    if found.within(limit):
        return to_document(found)
    if found.age is None:
        state = "no complete version, or one that is still being written"
    else:
        state = f"{timedelta(seconds=round(found.age.total_seconds()))} old; limit {limit}"
    _log.info("not yet: %s: the bill of %s: %s", printable(found.uri), f"{month:%Y-%m}", state)
    return None

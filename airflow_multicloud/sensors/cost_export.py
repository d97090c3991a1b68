"""Wait until a cloud has exported its bill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_multicloud.core.cost.exports import export_freshness, open_export
from airflow_multicloud.operators._shell import airflow_errors
from airflow_multicloud.triggers.poll import PollTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class CostExportSensor(BaseSensorOperator):
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
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.day = day
        self.max_age_hours = max_age_hours
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Look once; then wait in the triggerer if ``deferrable``, else as sensors do."""
        if not self.deferrable:
            return super().execute(context)
        found = self.poke(context)
        if not found.is_done:
            self._wait()
        return found.xcom_value

    def _wait(self) -> NoReturn:
        self.defer(
            trigger=PollTrigger(
                check=f"{check_exported.__module__}:{check_exported.__qualname__}",
                arguments=self._arguments(),
                poll_interval=self.poke_interval,
            ),
            method_name="resume",
            timeout=timedelta(seconds=self.timeout),
        )

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the trigger found."""
        return event

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        with airflow_errors():
            facts = check_exported(**self._arguments())
        return PokeReturnValue(is_done=facts is not None, xcom_value=facts)

    def _arguments(self) -> dict[str, Any]:
        return {
            "export": self.export,
            "day": self.day,
            "max_age_seconds": float(self.max_age_hours) * 3600,
        }


def check_exported(*, export: str, day: str, max_age_seconds: float) -> dict[str, Any] | None:
    """The export's freshness when it is within the limit, else ``None``."""
    month = date.fromisoformat(day).replace(day=1)
    found = export_freshness(open_export(export), month)
    if found.within(timedelta(seconds=max_age_seconds)):
        return found.as_dict()
    return None

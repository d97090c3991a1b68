"""What the sensors share: look once, then wait in the triggerer or as sensors do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException, conf
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.operators.base import PlainLog, airflow_errors
from airflow_multicloud.triggers.poll import FAILED, PollTrigger, look, path_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class PollingSensor(PlainLog, BaseSensorOperator):
    """A sensor that asks a module's function, here or in the triggerer.

    Between two looks it waits as long as ``poke_interval`` says, and longer where a service asks
    for that (``retry_after`` of its error), but never beyond ``timeout``.

    :param deferrable: wait in the triggerer.
    """

    #: Where XCom has, besides what the sensor returns, what the pages in Airflow's UI show of it.
    report_key: ClassVar[str | None] = None

    _asked_wait: float = 0.0

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """The function that gives the facts, ``None`` for "not yet", and its JSON arguments."""
        raise NotImplementedError

    def report(self, facts: dict[str, Any]) -> dict[str, Any]:
        """What is kept under ``report_key`` of the facts that were waited for."""
        return facts

    def execute(self, context: Context) -> Any:
        """Look once; then wait in the triggerer if ``deferrable``, else as sensors do."""
        if not self.deferrable:
            return self._kept(context, super().execute(context))
        found = self.poke(context)
        if not found.is_done:
            self._defer()
        return self._kept(context, found.xcom_value)

    def _kept(self, context: Context, facts: Any) -> Any:
        ti = context.get("ti")  # None where somebody calls it without Airflow.
        if self.report_key is not None and facts is not None and ti is not None:
            ti.xcom_push(key=self.report_key, value=self.report(facts))
        return facts

    def _defer(self) -> NoReturn:
        check, arguments = self.question()
        self.defer(
            trigger=PollTrigger(
                check=path_of(check),
                arguments=arguments,
                poll_interval=self.poke_interval,
                first_wait=min(max(self._asked_wait, self.poke_interval), self.timeout),
            ),
            method_name="resume",
            timeout=timedelta(seconds=self.timeout),
        )

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the trigger found; fail, for good, with what no retry mends."""
        if FAILED in event:
            raise AirflowFailException(event[FAILED])
        self._tell(event)
        found: dict[str, Any] = self._kept(context, event)
        return found

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        with airflow_errors(), operation("operator", multicloud__operator=type(self).__name__):
            check, arguments = self.question()
            seen = look(check, arguments)
        self._asked_wait = seen.wait
        self._tell(seen.facts)
        return PokeReturnValue(is_done=seen.facts is not None, xcom_value=seen.facts)

    # The one place where Airflow's sensors say how long they wait, in both of their modes.
    def _get_next_poke_interval(
        self,
        started_at: datetime | float,
        run_duration: Callable[[], float],
        poke_count: int,
    ) -> float:
        interval = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        if self._asked_wait <= interval:
            return interval
        return max(interval, min(self._asked_wait, self.timeout - run_duration()))

    def _tell(self, facts: dict[str, Any] | None) -> None:
        # Why it is "not yet" is said by the check, here and in the triggerer.
        if facts is not None:
            self.log.info("%s", ", ".join(f"{k} {v}" for k, v in facts.items()))

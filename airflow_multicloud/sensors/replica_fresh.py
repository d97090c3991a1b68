"""Wait until a replica meets its recovery point objective."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_multicloud.core.endpoints import open_endpoint
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.operators._shell import airflow_errors
from airflow_multicloud.triggers.poll import PollTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReplicaFreshSensor(BaseSensorOperator):
    """Succeed when a replica's newest complete proof is no older than a limit.

    The age is that of the latest replication in which every object was proven at this
    replica, counted from its start: whatever was written to the source before is there.
    Returns the measured lag.

    :param replica: URI of the prefix or object that is replicated to.
    :param max_lag: the recovery point objective (RPO).
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("replica",)

    def __init__(
        self,
        *,
        replica: str,
        max_lag: timedelta,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replica = replica
        self.max_lag = max_lag
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
                check=f"{check_fresh.__module__}:{check_fresh.__qualname__}",
                arguments={
                    "replica": self.replica,
                    "max_lag_seconds": self.max_lag.total_seconds(),
                },
                poll_interval=self.poke_interval,
            ),
            method_name="resume",
            timeout=timedelta(seconds=self.timeout),
        )

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the trigger measured."""
        return event

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        with airflow_errors():
            facts = check_fresh(replica=self.replica, max_lag_seconds=self.max_lag.total_seconds())
        return PokeReturnValue(is_done=facts is not None, xcom_value=facts)


def check_fresh(*, replica: str, max_lag_seconds: float) -> dict[str, Any] | None:
    """The replica's freshness when it is within the limit, else ``None``."""
    found = freshness(open_endpoint(replica, parameter="replica"))
    if found.within(timedelta(seconds=max_lag_seconds)):
        return found.as_dict()
    return None

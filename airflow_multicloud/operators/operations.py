"""The operator that has a cloud do something, and waits for it: in the triggerer or here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException, conf
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR, TriggerFailureReason

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.opening.operations import (
    Begun,
    arguments_for,
    check_operations,
    tell_operations,
)
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.ports.operations import Operations, longest_wait
from airflow_multicloud.triggers.poll import FAILED, Check, PollTrigger, call_off, look, path_of

if TYPE_CHECKING:
    from airflow.sdk import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a step of an operator waits for before the next one.

    :param check: a function of a module, as :class:`~airflow_multicloud.triggers.poll.PollTrigger`
        calls it: it gives the facts, or "not yet".
    :param arguments: its keyword arguments (JSON).
    :param state: what the next step gets besides the facts (JSON).
    :param first_wait: before the first look, at least: a service has asked for it.
    :param on_cancel: a function of a module that gets ``arguments`` when the task is stopped while
        it waits. Without one nothing is called off in the cloud.
    :raises TypeError: for arguments or a state that JSON does not have: in whatever way the task
        waits.
    """

    check: Check
    arguments: dict[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    first_wait: timedelta = timedelta(0)
    on_cancel: Callable[..., object] | None = None

    def __post_init__(self) -> None:
        json.dumps([self.arguments, self.state])


def wait_for(
    port: type[Operations], begun: Sequence[Begun], state: dict[str, Any] | None = None
) -> Wait:
    """Wait for all of these operations to end, in whatever way.

    The next step reads the facts with
    :func:`~airflow_multicloud.opening.operations.ended_operations`. A task that is stopped
    meanwhile says in its log what goes on.

    :param port: which service has them.
    :param state: what the next step gets besides (JSON).
    """
    return Wait(
        check=check_operations,
        arguments=arguments_for(port, begun),
        state=state or {},
        first_wait=longest_wait(one.operation for one in begun),
        on_cancel=tell_operations,
    )


class OperationOperator(CloudOperator):
    """An operator that begins something, waits for it, and may then begin the next thing.

    A subclass says in ``begin`` and ``proceed`` what to do and what to wait for. Neither may rely
    on attributes that the other has set: with ``deferrable`` each runs in a process of its own.
    Nothing else differs by how the task waits. Each try starts from the
    beginning, so ``begin`` must find what an earlier try has begun.

    A task that is stopped while it waits undoes nothing in the cloud, unless its subclass gives the
    wait an ``on_cancel``. That is called when a user marks the waiting task as failed or succeeded
    or clears it (in the triggerer: from Airflow 3.3), and in a worker whenever Airflow stops the
    task; never because a triggerer ends or restarts.

    :param poll_interval: seconds before each look, at least. Under a second, Airflow up to 3.3 may
        take a task that has deferred and goes on at once for one that was killed, and try it again
        (https://github.com/apache/airflow/issues/71580).
    :param timeout: for everything between the beginning and the end, also if there are several
        waits; the task has failed then, and is left to its ``retries``.
    :param deferrable: wait in the triggerer.
    """

    def __init__(
        self,
        *,
        poll_interval: float = 10.0,
        timeout: timedelta = timedelta(hours=1),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if poll_interval <= 0:
            raise ValueError(f"poll_interval: {poll_interval} given, expected seconds above 0")
        if timeout <= timedelta(0):
            raise ValueError(f"timeout: {timeout} given, expected more than 0")
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.deferrable = deferrable
        self._until: datetime | None = None

    @property
    def time_left(self) -> timedelta:
        """What is left of ``timeout``, in ``begin`` and ``proceed``; all of it before."""
        if self._until is None:
            return self.timeout
        return max(timedelta(), self._until - datetime.now(UTC))

    def begin(self, context: Context) -> Wait | Outcome:
        """Do the first step: what to wait for, or the outcome where nothing is left to do."""
        raise NotImplementedError

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """Do the next step.

        :param facts: what the check has found.
        :param state: what the step before has left in its :class:`Wait`.
        """
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Begin; then wait and go on until there is an outcome."""
        until = datetime.now(UTC) + self.timeout
        return self._go(context, lambda: self.begin(context), until)

    def resume(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a wait in the triggerer; fail, for good, with what no retry mends."""
        if FAILED in event:
            raise AirflowFailException(event[FAILED])
        facts, state = event["facts"], event["handed_on"]["state"]
        until = datetime.fromisoformat(event["handed_on"]["until"])
        return self._go(context, lambda: self.proceed(context, facts, state), until)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Airflow's way back from the triggerer, with the error that a worker has for a timeout."""
        why = (next_kwargs or {}).get("error")
        if next_method == TRIGGER_FAIL_REPR and why == TriggerFailureReason.TRIGGER_TIMEOUT:
            raise self._timed_out()
        return super().resume_execution(next_method, next_kwargs, context)

    def _go(self, context: Context, step: Callable[[], Wait | Outcome], until: datetime) -> Any:
        self._until = until
        with self.at_work(context):
            found = step()
            while isinstance(found, Wait) and not self.deferrable:
                found = self.proceed(context, self._waited(found, until), found.state)
            if isinstance(found, Outcome):
                self.report(context, found)
            elif datetime.now(UTC) >= until:
                raise self._timed_out()
        if isinstance(found, Wait):
            # Outside of the work: it ends well here, and what it has begun is not called off.
            self._defer(found, until)
        return self.told(context, found)

    def _defer(self, wait: Wait, until: datetime) -> NoReturn:
        self.defer(
            trigger=PollTrigger(
                check=path_of(wait.check),
                arguments=wait.arguments,
                poll_interval=self.poll_interval,
                first_wait=self._first_wait(wait),
                on_cancel=None if wait.on_cancel is None else path_of(wait.on_cancel),
                # Not as the deferral's kwargs, which dag.test() of Airflow 3.1 to 3.3 loses
                # (https://github.com/apache/airflow/pull/69942).
                handed_on={"state": wait.state, "until": until.isoformat()},
            ),
            method_name="resume",
            # Airflow takes 0 for no timeout at all.
            timeout=max(until - datetime.now(UTC), timedelta(seconds=1)),
        )

    def _waited(self, wait: Wait, until: datetime) -> dict[str, Any]:
        """Wait in this process."""
        arguments, pause = wait.arguments, self._first_wait(wait)
        try:
            while True:
                left = (until - datetime.now(UTC)).total_seconds()
                cancellation.pause(min(pause, max(left, 0.0)))
                found = look(wait.check, arguments)
                if found.facts is not None:
                    return found.facts
                if left <= pause:
                    raise self._timed_out()
                arguments = arguments if found.arguments is None else found.arguments
                pause = max(self.poll_interval, found.wait)
        except (CloudError, WorkCancelledError):
            # A request that was aborted may fail with anything.
            if cancellation.requested():
                self._call_off(wait)
            raise

    def _first_wait(self, wait: Wait) -> float:
        return max(self.poll_interval, wait.first_wait.total_seconds())

    def _call_off(self, wait: Wait) -> None:
        if wait.on_cancel is None:
            self.log.warning("stopped waiting; what was begun in the cloud goes on there")
            return
        with cancellation.shielded():
            call_off(wait.on_cancel, wait.arguments)

    def _timed_out(self) -> CloudError:
        return CloudError(
            f"timeout: it was not done within {self.timeout}; what was begun in the cloud goes on "
            "there, and a retry waits for it again",
            kind=ErrorKind.TIMEOUT,
        )

"""The operator that all others are, and what the sensors share with it.

An operator says in ``perform`` what it does. Its base calls that where Airflow can stop it, makes
Airflow's of its errors, and tells what came of it: to XCom, and to the events of assets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.sdk import Asset, BaseOperator

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.cancellation import Cancellation, WorkCancelledError, cancellable
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError
from airflow_multicloud.labels import Work, current_work, working_for
from airflow_multicloud.operators.mapped import label_mapped
from airflow_multicloud.operators.remembered import event_extra, remember
from airflow_multicloud.operators.run_ids import task_of
from airflow_multicloud.registry import session
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import Context

_LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


class PlainLog:
    """A mixin before Airflow's base class: what others wrote stays within its line of the log.

    Keys, service names and answers of clouds are logged all over the operators; escaping them
    here can't be forgotten there.
    """

    @property
    def log(self) -> Any:
        """Airflow's logger for the task, with every text made printable."""
        return _Escaping(super().log)  # type: ignore[misc]


class _Escaping:
    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._log, name)
        if name not in _LEVELS:
            return method

        def write(event: object, *args: object, **fields: Any) -> None:
            method(_shown(event), *map(_shown, args), **fields)

        return write


def _shown(value: object) -> object:
    return value if isinstance(value, int | float | Decimal) else printable(str(value))


@contextmanager
def airflow_errors() -> Iterator[None]:
    """One piece of work: its errors as Airflow's, its connections read once.

    The task fails at once where a retry can't help; the rest is left to its ``retries``.
    """
    try:
        with session():
            yield
    except CloudError as err:
        if err.retryable:
            raise
        raise AirflowFailException(f"{err.kind}: {err}") from err


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    :param facts: what it returns, and what the events of its outlets get.
    :param failure: why it fails all the same; the facts are in XCom nevertheless, if its operator
        has a ``report_key``.
    :param is_plan: nothing was done yet: the facts are neither a report nor an asset's.
    :param ledgers: what the task has left in ledgers, for Airflow to remember.
    """

    facts: Any
    failure: Exception | None = None
    is_plan: bool = False
    ledgers: tuple[Remembered, ...] = ()


def failure_of(check: Callable[[], None]) -> CloudError | None:
    """What a result's ``raise_if_failed`` raises; the task tells its facts first."""
    try:
        check()
    except CloudError as err:
        return err
    return None


def _work_of(context: Context) -> Work:
    """What Airflow's variables tell of the task, and what only its context does."""
    ti = context.get("ti")
    map_index, tried = getattr(ti, "map_index", None), getattr(ti, "try_number", None)
    # Airflow gives a task that is not mapped either -1 or nothing.
    return replace(
        current_work(), map_index=-1 if map_index is None else map_index, try_number=tried
    )


class CloudOperator(PlainLog, BaseOperator):
    """An operator that stops when Airflow tells it to, and tells what it did in one way.

    Airflow calls ``on_kill`` in a signal handler, and kills the process 5 seconds later.
    """

    #: What of its arguments a mapped task is called by in Airflow's UI, where its author says
    #: nothing else (``map_index_template``).
    labelled_by: ClassVar[tuple[str, ...]] = ()
    #: Where XCom has the facts whether the task fails or not; a failed task returns nothing.
    report_key: ClassVar[str | None] = None

    _work: Cancellation | None = None

    # Airflow's metaclass wraps the first base's, which a mixin has none of: a mapped task would
    # lack its inlets.
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def perform(self, context: Context) -> Outcome:
        """Do the work. Connections are read here, and never when a DAG is parsed."""
        raise NotImplementedError

    def asset_facts(self, facts: Any) -> Any:
        """What the events of the outlets get under ``multicloud``."""
        return facts

    def execute(self, context: Context) -> Any:
        """Do the work, and tell what came of it."""
        with self.at_work(context):
            outcome = self.perform(context)
            self.report(context, outcome)
        return self.told(context, outcome)

    @contextmanager
    def at_work(self, context: Context) -> Iterator[None]:
        """A piece of the task's work: it can be stopped, and all that is made is of this task."""
        label_mapped(self, context, self.labelled_by)
        run = run_tokens.under_way(task_of(context, self))
        with (
            self._stoppable(),
            operation("operator", multicloud__operator=type(self).__name__),
            run,
            working_for(_work_of(context)),
        ):
            yield

    def report(self, context: Context, outcome: Outcome) -> None:
        """Keep what must be kept of the work whether the task fails or not; the last part of it.

        :raises Exception: the outcome's failure.
        """
        remember(self, context, outcome.ledgers)
        if self.report_key is not None and not outcome.is_plan:
            context["ti"].xcom_push(key=self.report_key, value=outcome.facts)
        if outcome.failure is not None:
            raise outcome.failure

    def told(self, context: Context, outcome: Outcome) -> Any:
        """Tell the outlets of work that went well; returns its facts."""
        for outlet in () if outcome.is_plan else self.outlets:
            if isinstance(outlet, Asset):
                told = {"multicloud": self.asset_facts(outcome.facts)}
                extra = {**told, **event_extra(outcome.ledgers)}
                context["outlet_events"][outlet].extra.update(extra)
        return outcome.facts

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Work that ``on_kill`` stops, with its errors as Airflow's."""
        with cancellable() as work:
            end = work.watch()
            self._work = work
            try:
                with airflow_errors():
                    yield
            except Exception as err:
                # Requests under way fail as well when what they are for has been aborted.
                if isinstance(err, WorkCancelledError) or work.cancelled_at is not None:
                    raise AirflowException(f"the task was stopped: {work.why}") from err
                raise
            except BaseException as err:
                work.cancel(type(err).__name__)  # execution_timeout: on_kill comes too late.
                raise
            finally:
                self._work = None
                end()

    def on_kill(self) -> None:
        """Stop the work: what nobody could take up again is undone, the rest is recorded."""
        if self._work is not None:
            self._work.cancel("Airflow has asked the task to stop")

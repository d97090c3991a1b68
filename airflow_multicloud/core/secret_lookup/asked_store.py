"""One store that is asked: on threads that nobody waits for, and not while it is out of reach."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from airflow_multicloud.adapters.connections import keep_connection, own_session
from airflow_multicloud.adapters.masking_later import masking_later
from airflow_multicloud.core.secret_lookup.options import LookupOptions
from airflow_multicloud.core.telemetry import in_context, operation
from airflow_multicloud.errors import CloudError, ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretsService, SecretValue

#: Requests to one store that may be without an answer at the same time.
MOST_UNDER_WAY = 16
#: Failures in a row after which a store is left alone for a while.
_MOST_FAILURES = 2

_asking: ContextVar[bool] = ContextVar("airflow_multicloud_secret_lookup", default=False)


def is_asking() -> bool:
    """Whether this runs within a lookup, whose own needs must be met elsewhere."""
    return _asking.get()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a store has answered.

    :param store: its connection id.
    :param value: ``None`` when it does not have one, or failed.
    :param error: why it could not be asked, if so.
    :param skipped: whether it was not even asked.
    """

    store: str
    value: SecretValue | None = field(default=None, repr=False)
    error: CloudError | None = None
    skipped: bool = False

    @property
    def is_withheld(self) -> bool:
        """Whether the store has it and does not give it out: disabled, removed, its key unusable.

        That is neither a value nor absence: somebody may enable or recover it.
        """
        return (
            isinstance(self.error, SecretsError)
            and self.error.kind is ErrorKind.PRECONDITION_FAILED
        )


class AskedStore:
    """A store, and how it has answered so far.

    :param conn_id: its connection id, for logs.
    :param open_store: gives its hook; called once, on the first request's thread.
    :param clock: seconds of a monotonic clock.
    :param read_connection: gives its connection, which is kept; called on the thread that asks,
        since Airflow tells its supervisor of what is read.
    """

    def __init__(
        self,
        conn_id: str,
        open_store: Callable[[], SecretsService],
        options: LookupOptions,
        clock: Callable[[], float] = time.monotonic,
        *,
        read_connection: Callable[[], object] | None = None,
    ) -> None:
        self.conn_id = conn_id
        self._read_connection = read_connection
        self._connection: object = None
        self._open = open_store
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._hook: SecretsService | None = None
        self._numbers = itertools.count()
        self._under_way: dict[int, float] = {}
        self._overdue: set[int] = set()
        self._failures = 0
        self._left_until = 0.0

    def why_not(self) -> str | None:
        """Why it is not asked now; ``None`` when it is."""
        with self._lock:
            now = self._clock()
            self._count_overdue(now)
            if len(self._under_way) >= MOST_UNDER_WAY:
                return f"{len(self._under_way)} requests to it have no answer yet"
            if now < self._left_until:
                return f"it has failed {self._failures} times in a row; asked again in a while"
            if self._failures >= _MOST_FAILURES:
                # This one tries whether it is back; the others go on without it.
                self._left_until = now + self._options.retry_after
            return None

    def ask(self, name: str, tell: Callable[[Answer], None]) -> None:
        """Begin to ask for a secret; whoever gives its value away tells the masker of it before.

        :param tell: is given the answer, on another thread; never, while the store hangs.
        """
        connection = self._known_connection()
        number = next(self._numbers)
        with self._lock:
            self._under_way[number] = self._clock()

        def run() -> None:
            _asking.set(True)
            answer = self._answer(name, connection)
            self._note(number, answer)
            tell(answer)

        threading.Thread(
            target=in_context(run),
            name=f"multicloud-secret-{self.conn_id}",
            daemon=True,
        ).start()

    def _known_connection(self) -> object:
        """The connection, or the error that reading it has ended with."""
        if self._connection is None and self._read_connection is not None:
            token = _asking.set(True)
            try:
                with own_session():
                    self._connection = self._read_connection()
            except Exception as err:  # noqa: BLE001 - it is this store's answer
                return err
            finally:
                _asking.reset(token)
        return self._connection

    def _keep(self, connection: object) -> None:
        if isinstance(connection, Exception):
            raise connection
        if connection is not None:
            keep_connection(self.conn_id, connection)

    def _answer(self, name: str, connection: object) -> Answer:
        hook: SecretsService | None = None
        try:
            # Who waits may hold a session's locks.
            with (
                own_session(),
                masking_later(),
                operation("secrets.lookup", multicloud__conn_id=self.conn_id),
            ):
                self._keep(connection)
                hook = self._opened()
                return Answer(store=self.conn_id, value=_read(hook, name))
        except CloudError as err:
            return Answer(store=self.conn_id, error=err)
        except Exception as err:  # noqa: BLE001 - costs this answer; its text may hold anything
            # What an open hook can't cope with may be this one secret's: the store is no worse.
            why = SecretsError(
                f"connection {self.conn_id!r}: its hook failed with {type(err).__name__}",
                kind=ErrorKind.UNAVAILABLE if hook is None else ErrorKind.INTEGRITY,
            )
            return Answer(store=self.conn_id, error=why)

    def _opened(self) -> SecretsService:
        with self._opening:
            if self._hook is None:
                self._hook = self._open()
            return self._hook

    def _note(self, number: int, answer: Answer) -> None:
        with self._lock:
            began = self._under_way.pop(number)
            known = number in self._overdue
            self._overdue.discard(number)
            late = self._clock() - began > self._options.timeout
            if answer.error is None and not late:
                self._failures, self._left_until = 0, 0.0
            elif not known and (late or (answer.error and answer.error.kind.is_outage)):
                self._failed(self._clock())

    def _count_overdue(self, now: float) -> None:
        for number, began in self._under_way.items():
            if now - began > self._options.timeout and number not in self._overdue:
                self._overdue.add(number)
                self._failed(now)

    def _failed(self, now: float) -> None:
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            self._left_until = now + self._options.retry_after


def _read(hook: SecretsService, name: str) -> SecretValue | None:
    try:
        hook.check_secret_name(name)
    except SecretsError:
        return None  # A name that the cloud can't have: it was not asked.
    try:
        return hook.read_secret(name)
    except SecretsError as err:
        # All else leaves open whether it is there.
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        raise

"""Each connection read once, and its clients kept, for as long as one piece of work lasts.

A session belongs to a task, a command or a call of the API, never to the process: a triggerer and
a long-lived worker must see a connection that was changed, and a connection's content can't be
compared without reading it, which is what a session spares. It is kept in a context variable, so
threads that work for a task share its session.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from airflow_multicloud.adapters.locks import KeyLocks

T = TypeVar("T")


@dataclass(slots=True)
class _Session:
    kept: dict[Hashable, Any] = field(default_factory=dict)
    locks: KeyLocks = field(default_factory=KeyLocks)


_session: ContextVar[_Session | None] = ContextVar("airflow_multicloud_session", default=None)


@contextmanager
def session() -> Iterator[None]:
    """Keep connections and clients until this ends; within another session it is that one."""
    if _session.get() is not None:
        yield
        return
    with own_session():
        yield


@contextmanager
def own_session() -> Iterator[None]:
    """As :func:`session`, also within another one: what is asked for there may wait for this."""
    token = _session.set(_Session())
    try:
        yield
    finally:
        _session.reset(token)


def once_per_session(key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` gave for this key earlier in the session; without one it is always called.

    :param key: names what is made; nothing is kept when making it fails.
    """
    current = _session.get()
    if current is None:
        return make()
    with current.locks.of(key):  # two threads would read the same connection at once, else
        if key not in current.kept:
            current.kept[key] = make()
        found: T = current.kept[key]
        return found


def keep_connection(conn_id: str, connection: object) -> None:
    """Give the session a connection that was read before it began, so that it reads none.

    :param conn_id: of Airflow.
    :param connection: Airflow's object.
    """
    once_per_session(("connection", conn_id), lambda: connection)


class SessionConnections:
    """A mix-in before Airflow's base hook: its connection is the session's, read once."""

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """The connection, as Airflow's ``BaseHook.get_connection``."""
        inherited: Any = super()
        return once_per_session(("connection", conn_id), lambda: inherited.get_connection(conn_id))

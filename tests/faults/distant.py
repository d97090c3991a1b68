"""The in-memory cloud of one process, as other processes use it that may be killed at any request.

A request is applied whole once all of it has arrived, and not at all if its sender died before.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import signal
import struct
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from multiprocessing.connection import Client, Connection, Listener
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from airflow_multicloud.errors import CloudError, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef, PartLimits


def _frozen(held: dict[str, str]) -> MappingProxyType[str, str]:
    return MappingProxyType(held)


copyreg.pickle(MappingProxyType, lambda held: (_frozen, (dict(held),)))

#: Every body that is read arrives in chunks of this size.
CHUNK = 1 << 10
_VERBS = (
    *("stat_object", "put_object", "delete_object", "stat_bucket", "get_tags", "set_tags"),
    *("copy_within", "begin_upload", "put_part", "list_parts", "complete_upload", "abort_upload"),
    *("left_uploads", "take_up", "left_records"),
)
_LISTINGS = ("list_objects", "list_versions", "list_uploads")

#: How many bytes an account has taken for objects and parts, by (account, key).
taken: Counter[tuple[str, str]] = Counter()


class Counted(object_store.Hook):
    """Counts the bytes that it takes."""

    def put_object(self, ref: ObjectRef, body, *rest, **more):  # type: ignore[no-untyped-def]
        taken[self.memory_conn_id, ref.key] += len(body)
        return super().put_object(ref, body, *rest, **more)

    def put_part(self, upload, number, body, **more):  # type: ignore[no-untyped-def]
        taken[self.memory_conn_id, upload.ref.key] += len(body)
        return super().put_part(upload, number, body, **more)


class Where(StrEnum):
    """When a process dies: before a request, in the middle of its body, or before its answer."""

    BEFORE = "before"
    MIDDLE = "middle"
    AFTER = "after"


@dataclass(frozen=True)
class Death:
    """At which request of a process it dies; at none if there are not so many."""

    where: Where = Where.BEFORE
    number: int = 0


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


class Way:
    """From one process to the cloud: a connection for each of its threads."""

    def __init__(self, address: str, death: Death) -> None:
        self._address = address
        self._death = death
        self._numbers = count(1)
        self._local = threading.local()
        self.requests = 0

    def ask(self, account: str, verb: str, args: Any, more: Any) -> tuple[Any, bool]:
        """The answer, and whether the process dies while it reads the body."""
        number = self.requests = next(self._numbers)
        fatal = number == self._death.number
        if fatal and self._death.where is Where.BEFORE:
            _die()
        asked = pickle.dumps((account, verb, _plain(args), _plain(more)))
        reads = verb == "get_object"
        if fatal and self._death.where is Where.MIDDLE and not reads:
            header = struct.pack("!i", len(asked))
            os.write(self._connection.fileno(), header + asked[: len(asked) // 2])
            _die()
        self._connection.send_bytes(asked)
        ended, answer = pickle.loads(self._connection.recv_bytes())
        if fatal and self._death.where is Where.AFTER:
            _die()
        if not ended:
            message, kind, cloud = answer
            raise StorageError(message, kind=kind, cloud=cloud)
        return answer, fatal

    @property
    def _connection(self) -> Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = Client(self._address, "AF_UNIX")
        made: Connection = self._local.connection
        return made


def _plain(value: Any) -> Any:
    """Arguments as they can be sent: views of a buffer as bytes."""
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


class _Body:
    """What is read; the process may die half-way."""

    def __init__(self, meta: ObjectMeta, content: bytes, *, fatal: bool) -> None:
        self.meta = meta
        self._content = content
        self._fatal = fatal

    def read(self) -> bytes:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        half = len(self._content) // 2
        for start in range(0, len(self._content), CHUNK):
            if self._fatal and start + CHUNK > half:
                yield self._content[start:half]
                _die()
            yield self._content[start : start + CHUNK]
        if self._fatal:
            _die()


class Distant(object_store.Hook):
    """An account of the cloud as another process sees it."""

    def __init__(self, conn_id: str, way: Way, limits: PartLimits) -> None:
        super().__init__(conn_id)
        self.way = way
        self._limits = limits

    @property
    def part_limits(self) -> PartLimits:
        return self._limits

    def get_object(self, ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        answer, fatal = self.way.ask(self.memory_conn_id, "get_object", (ref,), limits)
        return _Body(*answer, fatal=fatal)


def _asked(verb: str) -> Callable[..., Any]:
    def ask(self: Distant, *args: Any, **more: Any) -> Any:
        return self.way.ask(self.memory_conn_id, verb, args, more)[0]

    return ask


def _listed(verb: str) -> Callable[..., Any]:
    def ask(self: Distant, *args: Any, **more: Any) -> Iterator[Any]:
        yield from self.way.ask(self.memory_conn_id, verb, args, more)[0]

    return ask


for _verb in _VERBS:
    setattr(Distant, _verb, _asked(_verb))
for _verb in _LISTINGS:
    setattr(Distant, _verb, _listed(_verb))


class Cloud:
    """Answers other processes from the accounts of this one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._listener = Listener(address, "AF_UNIX")
        self._open: set[Connection] = set()
        self._changed = threading.Condition()

    def accept(self) -> None:
        """Answer until it is closed."""
        with suppress(OSError):
            while True:
                connection = self._listener.accept()
                with self._changed:
                    self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def wait_until_quiet(self) -> None:
        """Wait until all has been applied that a dead process has sent."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, timeout=30)

    def _serve(self, connection: Connection) -> None:
        with suppress(EOFError, OSError):
            while True:
                asked = pickle.loads(connection.recv_bytes())
                connection.send_bytes(pickle.dumps(_answer(*asked)))
        connection.close()
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()


def _answer(account: str, verb: str, args: Any, more: Any) -> tuple[bool, Any]:
    try:
        answer = getattr(Counted(account), verb)(*args, **more)
        if verb == "get_object":
            return True, (answer.meta, bytes(answer.read()))
        return True, list(answer) if verb in _LISTINGS else answer
    except CloudError as err:
        return False, (str(err), err.kind, err.cloud)


@contextmanager
def serving(address: str) -> Iterator[Cloud]:
    """The cloud, for as long as it is needed."""
    cloud = Cloud(address)
    thread = threading.Thread(target=cloud.accept, name="distant-cloud", daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        cloud.close()

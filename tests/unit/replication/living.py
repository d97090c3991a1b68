"""A primary that lives, its replicas and a clock, in memory; runs that are interrupted on purpose.

Everything is deterministic: one request after the other, and other runs or a kill at the n-th.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger import commits, merging, segments, writing
from airflow_multicloud.core.ledger.names import LEDGER
from airflow_multicloud.core.replication import (
    coverage,
    facts,
    planning,
    recording,
    run,
    settling,
    shards,
    stock,
)
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import conn_of, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_multicloud.ports.object_store import Digests, ObjectMeta, ObjectRef

_numbers = count()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_MEMORY = "airflow_multicloud.testing.memory_cloud.object_store"
_TELLING_TIME = (
    *(import_module(f"{_MEMORY}.{name}") for name in ("space", "parts")),
    *(writing, recording, coverage, facts, run, planning, settling, shards),
)


class Clock:
    """Stands still until it is told; looks like :class:`datetime` to whoever asks for the time."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self, _: object = None) -> datetime:
        return self._now

    def tick(self, seconds: float = 1) -> datetime:
        self._now += timedelta(seconds=seconds)
        return self._now

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


class InTurn:
    """A stream that is read where it is consumed, in place of a thread's reading ahead."""

    def __init__(self, _: object, stream: Iterator[Any]) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go."""

    def __iter__(self) -> Iterator[Any]:
        return self._stream


@contextmanager
def living() -> Iterator[Clock]:
    """Time stands still, listings come one after the other, and a ledger soon has segments."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        for module in _TELLING_TIME:
            patch.setattr(module, "datetime", clock)
        patch.setattr(stock, "Ahead", InTurn)
        patch.setattr(writing, "time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(commits, "MOST_RECENT", 3)
        patch.setattr(segments, "ENTRIES", 2)
        patch.setattr(merging, "_ONE_BY_ONE", 2)
        yield clock


class Killed(BaseException):
    """The process is gone; nothing catches this, and it makes no more requests."""


class Script:
    """What happens at which request of one run."""

    def __init__(self, actions: Mapping[int, Callable[[], None]]) -> None:
        self._actions = dict(actions)
        self._lock = threading.RLock()
        self.requests = 0
        self.dead = False

    def alive(self) -> None:
        if self.dead:
            raise Killed

    def request(self) -> None:
        with self._lock:
            self.alive()
            self.requests += 1
            action = self._actions.pop(self.requests, None)
            if action is None:
                return
            try:
                action()
            except Killed:
                self.dead = True
                raise


def kill() -> None:
    raise Killed


def apart(action: Callable[[], object]) -> None:
    """Do something as another process would: with nothing of this thread's context."""
    raised: list[BaseException] = []

    def do() -> None:
        try:
            action()
        except BaseException as err:  # noqa: BLE001 - raised below
            raised.append(err)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    for err in raised:
        raise err


class Watched(object_store.Hook):
    """A store each of whose requests may be the one at which something happens."""

    def __init__(self, conn_id: str, script: Script) -> None:
        super().__init__(conn_id)
        self._script = script

    def _reads(self, key: str) -> None:
        # Ledgers are read by several threads at once: in no order that could be told again.
        if key.startswith(LEDGER):
            self._script.alive()
        else:
            self._script.request()

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self._reads(prefix)
        yield from super().list_objects(bucket, prefix)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self._reads(ref.key)
        return super().stat_object(ref)

    def get_object(self, ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        self._reads(ref.key)
        return super().get_object(ref, **limits)

    def put_object(self, ref: ObjectRef, *rest, **more):  # type: ignore[no-untyped-def]
        self._script.request()
        return super().put_object(ref, *rest, **more)

    def delete_object(self, ref: ObjectRef, **more):  # type: ignore[no-untyped-def]
        self._script.request()
        super().delete_object(ref, **more)

    def begin_upload(self, *rest, **more):  # type: ignore[no-untyped-def]
        self._script.request()
        return super().begin_upload(*rest, **more)

    def put_part(self, *rest, **more):  # type: ignore[no-untyped-def]
        self._script.request()
        return super().put_part(*rest, **more)

    def complete_upload(self, *rest, **more):  # type: ignore[no-untyped-def]
        self._script.request()
        return super().complete_upload(*rest, **more)


def watched(end: Endpoint, script: Script, scope: str = "") -> Endpoint:
    """An endpoint, or a part of it, through a store that is watched."""
    location = end.location.with_key(end.location.key + scope)
    return replace(end, store=Watched(conn_of(end), script), location=location)


@dataclass
class Source:
    """A primary and all that it ever had, by name: since when, and what (``None``: nothing)."""

    clock: Clock
    end: Endpoint = field(default_factory=endpoint)
    history: dict[str, list[tuple[datetime, bytes | None]]] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> None:
        self.history.setdefault(name, []).append((self.clock.tick(), content))
        self.end.store.put_object(self.end.ref(self.end.location.key + name), content)

    def delete(self, name: str) -> None:
        if self.now(name) is not None:
            self.history[name].append((self.clock.tick(), None))
            self.end.store.delete_object(self.end.ref(self.end.location.key + name))

    def move(self) -> None:
        """All that it has lies elsewhere from now on."""
        self.clock.tick()
        new, bucket = endpoint(), f"moved-{next(_numbers)}"
        object_store.Hook(conn_of(new)).ensure_bucket(bucket)
        new = replace(new, location=replace(new.location, bucket=bucket))
        for name in self.history:
            if (content := self.now(name)) is not None:
                new.store.put_object(new.ref(new.location.key + name), content)
        self.end = new

    def learn(self) -> None:
        """Take what a failback has written here as changes of now."""
        now = contents(self.end)
        for name in sorted({*now, *self.history}):
            if now.get(name) != self.now(name):
                found = now.get(name)
                self.history.setdefault(name, []).append((self.clock.now(), found))

    def now(self, name: str) -> bytes | None:
        changes = self.history.get(name)
        return changes[-1][1] if changes else None

    def at(self, name: str, moment: datetime) -> bytes | None:
        """What it had once every change before a moment was made."""
        before = [content for when, content in self.history.get(name, []) if when < moment]
        return before[-1] if before else None

    def since(self, name: str, moment: datetime) -> list[bytes | None]:
        """What it had then and at any time after."""
        after = [content for when, content in self.history.get(name, []) if when >= moment]
        return [self.at(name, moment), *after]


#: The bucket of another source.
STRANGER = "stranger"


def stranger() -> Endpoint:
    """Another source: a ledger tells sources apart by their places."""
    made = endpoint()
    object_store.Hook(conn_of(made)).ensure_bucket(STRANGER)
    return replace(made, location=replace(made.location, bucket=STRANGER))


def contents(end: Endpoint) -> dict[str, bytes]:
    """What lies at an endpoint, by name."""
    hook = object_store.Hook(conn_of(end))
    return {
        meta.key.removeprefix(end.location.key): bytes(hook.get_object(end.ref(meta.key)).read())
        for meta in hook.list_objects(end.bucket, end.location.key)
        if not meta.key.startswith(RESERVED_PREFIX)
    }


def is_of(digests: Digests, content: bytes) -> bool:
    """Whether digests, of which one is known at least, are those of a content."""
    ours = digests_of(content)
    pairs = [(digests.sha256, ours.sha256), (digests.md5, ours.md5)]
    known = [pair for pair in pairs if None not in pair]
    return bool(known) and all(left == right for left, right in known)

"""Stores of the memory cloud, whose every call can be the last one, or the moment of another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.secret_sync.engine import sync
from airflow_multicloud.core.secret_sync.options import DeletionPolicy, OnConflict, SyncOptions
from airflow_multicloud.core.secret_sync.report import SyncReport
from airflow_multicloud.ports.secrets import SecretState
from airflow_multicloud.testing.memory_cloud.secrets import Hook, SecretSpace, secrets_of
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES

HOME, ONE, TWO = "memory_home", "memory_one", "memory_two"
PREFIX = "app/"
A, B, C = "app/a", "app/b", "app/c"

_VERBS = (
    *("describe_store", "find_secrets", "describe_secret", "read_secret", "write_secret"),
    *("remove_secret", "list_secret_versions", "tag_secret", "recover_secret"),
)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """The stores, the clock that they share, and what happens between two steps of a run.

    :param at: number of a moment, before or after a call → what happens then.
    """

    at: dict[int, Callable[[], object]] = field(default_factory=dict)
    moments: int = 0

    def pass_by(self) -> None:
        """A moment: before a call, or after it."""
        self.moments += 1
        happens = self.at.pop(self.moments, None)
        if happens is not None:
            happens()

    def tick(self) -> None:
        """The clocks of all stores say the same, and go on."""
        spaces = [secrets_of(conn_id) for conn_id in (HOME, ONE, TWO)]
        now = max(space.moment for space in spaces) + timedelta(seconds=1)
        for space in spaces:
            space.moment = now

    def write(self, conn_id: str, name: str, value: bytes) -> str:
        """Another writer's doing; the version's id."""
        self.tick()
        return self.space(conn_id).write(NAMES.encode(name), value).id

    def remove(self, conn_id: str, name: str) -> None:
        """Another's doing: it can be recovered."""
        self.tick()
        space = self.space(conn_id)
        space.remove(space.kept[NAMES.encode(name)])

    def space(self, conn_id: str) -> SecretSpace:
        return secrets_of(conn_id)

    def tags(self, conn_id: str, name: str) -> dict[str, str]:
        return dict(self.space(conn_id).kept[NAMES.encode(name)].tags)

    def tag(self, conn_id: str, name: str, tags: dict[str, str]) -> None:
        self.space(conn_id).tag(NAMES.encode(name), tags)

    def values(self, conn_id: str) -> dict[str, bytes]:
        """What is current, without what was removed."""
        kept = self.space(conn_id).kept.values()
        return {
            NAMES.decode(one.cloud_name) or one.cloud_name: one.versions[-1].value
            for one in kept
            if one.removed_until is None
        }

    def history(self, conn_id: str, name: str) -> list[bytes]:
        kept = self.space(conn_id).kept.get(NAMES.encode(name))
        return [] if kept is None else [version.value for version in kept.versions]

    def disable(self, conn_id: str, name: str) -> None:
        version = self.space(conn_id).kept[NAMES.encode(name)].versions[-1]
        version.state = SecretState.DISABLED

    def sync(self, *to: str, **options: Any) -> SyncReport:
        """Make all destinations equal, on one thread: moments have their numbers."""
        accounts = options.pop("accounts", {})
        if "names" not in options:
            options.setdefault("prefix", PREFIX)
        destinations = [self.place(conn_id) for conn_id in to or (ONE,)]
        for name, kind in (("on_conflict", OnConflict), ("deletion_policy", DeletionPolicy)):
            options[name] = kind(options.get(name, next(iter(kind))))
        given = SyncOptions(**{"workers": 1, **options})
        return sync(self.place(HOME), destinations, given, accounts)

    def place(self, conn_id: str) -> Destination[Any]:
        return Destination(conn_id=conn_id, cloud="memory", hook=Watched(self, conn_id))


class Watched(Hook):
    """The memory cloud's hook; the world goes on between its calls."""

    def __init__(self, world: World, conn_id: str) -> None:
        super().__init__(conn_id)
        self.world = world


def _watched(verb: str) -> Callable[..., Any]:
    def call(self: Watched, *args: Any, **kwargs: Any) -> Any:
        self.world.pass_by()
        self.world.tick()
        found = getattr(super(Watched, self), verb)(*args, **kwargs)
        found = iter(list(found)) if isinstance(found, Iterator) else found
        self.world.pass_by()
        return found

    return call


for _verb in _VERBS:
    setattr(Watched, _verb, _watched(_verb))

"""The databases of the memory cloud."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec
from airflow_multicloud.testing.memory_cloud.database import Databases, Hook, databases_of

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.sql_faults import DatabaseFault

_CONN_ID = "database_contract"
_TABLE, _STANDING = "items", "c-standing"


def rig() -> DatabaseRigSpec:
    return DatabaseRigSpec(
        name="memory",
        cloud="memory",
        hook=Hook,
        open=lambda _request: Hook(_CONN_ID),
        lab=lambda _request: _Lab(databases_of(_CONN_ID)),
        plant=_plant,
    )


class _Lab:
    def __init__(self, kept: Databases) -> None:
        self._kept = kept

    def primary(self, name: str, rows: Sequence[str]) -> DatabaseRef:
        return self._kept.create(name, {_TABLE: [(row,) for row in rows]})

    def standing(self, rows: Sequence[str]) -> DatabaseRef:
        known = self._kept.servers.get(_STANDING)
        return known.ref if known else self.primary(_STANDING, rows)

    def abroad(self, name: str) -> DatabaseRef:
        return self._kept.create(name, region="mem-2")

    def replica(self, of: DatabaseRef, name: str) -> DatabaseRef:
        return self._kept.replicate(_name(of), name)

    def write(self, ref: DatabaseRef, row: str) -> None:
        self._kept.insert(_name(ref), _TABLE, (row,))

    def rows(self, ref: DatabaseRef) -> list[str]:
        return sorted(str(row) for (row,) in self._kept.rows(_name(ref), _TABLE))

    def moment(self) -> datetime:
        return self._kept.moment()

    def hold(self, replica: DatabaseRef, primary: DatabaseRef) -> None:
        self._kept.pause(_name(replica))
        self._kept.advance(timedelta(seconds=2))

    def release(self, replica: DatabaseRef) -> None:
        self._kept.resume(_name(replica))

    def damage(self, snapshot: DatabaseRef) -> None:
        self._kept.damage(_name(snapshot))

    def clear(self) -> None:
        for name in set(self._kept.servers) - {_STANDING}:
            del self._kept.servers[name]
        self._kept.snapshots.clear()


def _name(ref: DatabaseRef) -> str:
    return ref.id.rpartition("/")[2]


def _plant(_request: pytest.FixtureRequest, faults: Sequence[DatabaseFault]) -> None:
    planted = databases_of(_CONN_ID).faults
    planted.clear()
    planted.plant(faults)

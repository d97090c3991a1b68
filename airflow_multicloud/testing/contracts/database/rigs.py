"""Rigs of the database contract: a cloud's databases, and what a test does to them behind the port.

::

    RIG = DatabaseRigSpec(
        name="local_rds",
        cloud="aws",
        hook=Hook,
        open=connected(DatabaseService, "aws_database_local", "local_rds"),
        lab=lambda request: …,
        plant=lambda request, faults: …,
    )
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

import pytest

from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabaseNetwork,
    DatabaseRef,
    DatabaseService,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    Snapshot,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.contracts.rigs import apply_gaps, has_capability, parametrize
from airflow_multicloud.testing.sql_faults import DatabaseFault

#: On everything that a contract test orders.
LABEL = "multicloud-contract"
#: What the instances of :meth:`DatabaseRig.primary` and :meth:`DatabaseRig.standing` hold.
ROWS = ("one", "two", "three")
_LONGEST_S = 120


class DatabaseLab(Protocol):
    """What a rig does without the port: it makes instances, and looks into them by SQL."""

    def primary(self, name: str, rows: Sequence[str]) -> DatabaseRef:
        """A new instance that is available, with one table of one text column.

        :param rows: its rows.
        """
        ...

    def standing(self, rows: Sequence[str]) -> DatabaseRef:
        """Such an instance that is made once and that no test changes; it is available."""
        ...

    def abroad(self, name: str) -> DatabaseRef:
        """A new instance that is available, in another region than the connection's own."""
        ...

    def replica(self, of: DatabaseRef, name: str) -> DatabaseRef:
        """A new replica that is available and has all rows."""
        ...

    def write(self, ref: DatabaseRef, row: str) -> None:
        """Commit one more row.

        :raises Exception: when the instance takes no writes.
        """
        ...

    def rows(self, ref: DatabaseRef) -> list[str]:
        """The table's rows, sorted."""
        ...

    def moment(self) -> datetime:
        """A moment after all that was written, and before all that will be."""
        ...

    def hold(self, replica: DatabaseRef, primary: DatabaseRef) -> None:
        """Have a replica show nothing more of what its primary commits, and be behind it."""
        ...

    def release(self, replica: DatabaseRef) -> None:
        """Have it show all again."""
        ...

    def damage(self, snapshot: DatabaseRef) -> None:
        """Have what is restored of a snapshot lack rows, which no cloud would say."""
        ...

    def clear(self) -> None:
        """Remove all instances but the standing one, and all snapshots, whoever made them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRigSpec:
    """How to get at one cloud's databases.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs; a second call gives another hook of the
        same account.
    :param lab: what the rig does to the databases; of a second call likewise.
    :param plant: plants these faults and no others: those of before are taken away.
    :param open_refused: gives a hook whose credentials the cloud refuses; left out where there are
        no credentials.
    :param network: where an instance is attached that is restored from a snapshot of one that is
        gone; left out where the cloud knows it nevertheless.
    :param engine: of its instances, in the port's word.
    :param has_named_instances: whether a reference may be an instance's plain name.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], DatabaseService]
    lab: Callable[[pytest.FixtureRequest], DatabaseLab]
    plant: Callable[[pytest.FixtureRequest, Sequence[DatabaseFault]], None]
    open_refused: Callable[[pytest.FixtureRequest], DatabaseService] | None = None
    network: DatabaseNetwork | None = None
    engine: str = "postgres"
    has_named_instances: bool = True
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRig:
    """One account, for one test.

    :param lab: what the rig does without the port.
    :param mark: the value of :data:`LABEL` on all that this test orders.
    """

    spec: DatabaseRigSpec
    hook: DatabaseService
    lab: DatabaseLab
    reopen: Callable[[], DatabaseService]
    plant: Callable[[Sequence[DatabaseFault]], None]
    mark: str

    def primary(self) -> DatabaseRef:
        """A new instance with :data:`ROWS`."""
        return self.lab.primary(self.name(), ROWS)

    def standing(self) -> DatabaseRef:
        """An instance with :data:`ROWS` that no test changes, so that it is made once."""
        return self.lab.standing(ROWS)

    def name(self) -> str:
        """A new name."""
        return f"c-{uuid.uuid4().hex[:12]}"

    def snapshot_order(
        self, of: DatabaseRef, *, name: str = "", token: str = "", labels: Mapping[str, str] = {}
    ) -> SnapshotOrder:
        """A new order."""
        return SnapshotOrder(
            database=of,
            name=name or self.name(),
            token=token or str(uuid.uuid4()),
            labels={LABEL: self.mark, **labels},
        )

    def restore_order(
        self,
        source: FromSnapshot | FromPointInTime,
        *,
        name: str = "",
        token: str = "",
        labels: Mapping[str, str] = {},
        deletion_protected: bool = False,
    ) -> RestoreOrder:
        """A new order; its name contains digits of its token, which some clouds need."""
        token = token or str(uuid.uuid4())
        return RestoreOrder(
            source=source,
            name=name or f"c-{uuid.UUID(token).hex[:12]}",
            token=token,
            labels={LABEL: self.mark, **labels},
            deletion_protected=deletion_protected,
        )

    def taken(self, of: DatabaseRef, order: SnapshotOrder | None = None) -> Snapshot:
        """A snapshot that is available."""
        begun = self.hook.snapshot_database(order or self.snapshot_order(of))
        done = self.succeeded(begun)
        (found,) = [
            snapshot
            for snapshot in self.hook.list_snapshots(of, {LABEL: self.mark})
            if snapshot.ref.id == done.resource
        ]
        return found

    def restored(self, order: RestoreOrder) -> DatabaseInstance:
        """An instance that was restored."""
        done = self.succeeded(self.hook.restore_database(order))
        return self.hook.describe_database(DatabaseRef(done.resource))

    def latest(self, of: DatabaseRef) -> DatabaseInstance:
        """An instance that was restored to the latest moment of another."""
        return self.restored(self.restore_order(FromPointInTime(of)))

    def succeeded(self, operation: Operation, hook: DatabaseService | None = None) -> Operation:
        """The operation when it has succeeded."""
        done = self.wait(operation, hook)
        assert done.state is OperationState.SUCCEEDED, done  # noqa: S101 - the suite asserts
        return done

    def wait(self, operation: Operation, hook: DatabaseService | None = None) -> Operation:
        """The operation when it is final."""
        end = time.monotonic() + _LONGEST_S
        while not operation.state.is_final:
            if time.monotonic() > end:
                pytest.fail(f"{operation.action} of {operation.resource} goes on after minutes")
            operation = (hook or self.hook).describe_operation(operation)
            time.sleep(0 if operation.state.is_final else 0.02)
        return operation

    def listed(self) -> list[DatabaseInstance]:
        """All that this test has restored and that is there."""
        return list(self.hook.list_databases({LABEL: self.mark}))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDatabaseRig:
    """A hook whose credentials the cloud refuses, for one test."""

    cloud: str
    hook: DatabaseService


def parametrize_database_rigs(metafunc: pytest.Metafunc, specs: Sequence[DatabaseRigSpec]) -> None:
    """Run a test that takes a rig on every one that has what its class needs."""
    parametrize(
        metafunc,
        "database_rig",
        specs,
        able=lambda spec, needs: all(has_capability(spec.hook, need) for need in needs),
    )
    refused = [spec for spec in specs if spec.open_refused is not None]
    parametrize(metafunc, "refused_database_rig", refused)


@pytest.fixture
def database_rig(request: pytest.FixtureRequest) -> Iterator[DatabaseRig]:
    """One account; import it into your ``conftest.py``. What a test makes is removed."""
    spec: DatabaseRigSpec = request.param
    apply_gaps(request, spec)
    rig = DatabaseRig(
        spec=spec,
        hook=spec.open(request),
        lab=spec.lab(request),
        reopen=lambda: spec.open(request),
        plant=lambda faults: spec.plant(request, faults),
        mark=f"m{uuid.uuid4().hex[:10]}",
    )
    yield rig
    spec.plant(request, ())
    rig.lab.clear()


@pytest.fixture
def refused_database_rig(request: pytest.FixtureRequest) -> RefusedDatabaseRig:
    """One whose credentials are refused; import it into your ``conftest.py``."""
    spec: DatabaseRigSpec = request.param
    apply_gaps(request, spec)
    if spec.open_refused is None:
        raise TypeError(f"rig {spec.name} has no open_refused")
    return RefusedDatabaseRig(cloud=spec.cloud, hook=spec.open_refused(request))

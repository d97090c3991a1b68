"""Ledger, replica and a plain model agree after whatever happens, in whatever order.

Sources change, runs with other selections overlap, die at any request, are tried again, fail back
and follow a source that moved, while others change what lies at a replica, and another source is
replicated to a part of it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from airflow_multicloud.core.heap import frozen_heap
from airflow_multicloud.core.replication import engine, shards
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef

from .checks import Checked
from .living import Killed, Script, Source, apart, contents, kill, living, stranger, watched
from .memory import BUCKET, SMALL, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_multicloud.core.endpoints import Endpoint

NAMES = ["a", "b.csv", "x/a", "x/b.csv", "x/y/c"]
SECONDS = st.sampled_from([1, 5, 20, 100])
#: Beyond 64 bytes objects go by parts.
SIZES = st.sampled_from([4, 4, 4, 9, 70])
AGES = st.sampled_from([None, None, 3, 12, 50]).map(
    lambda seconds: None if seconds is None else timedelta(seconds=seconds)
)
names = st.sampled_from(NAMES)
scopes = st.sampled_from(["", "", "", "x/", "x/a"])
filters = st.one_of(
    st.just(ObjectFilter()),
    st.just(ObjectFilter()),
    st.builds(
        ObjectFilter,
        include=st.sampled_from([("*",), ("*.csv",), ("x/*", "a")]),
        exclude=st.sampled_from([(), (), ("*.csv",), ("a",)]),
        min_size=st.sampled_from([None, None, 5]),
        max_size=st.sampled_from([None, 10]),
    ),
    st.builds(ObjectFilter, min_age=AGES),
    st.builds(ObjectFilter, max_age=AGES),
)
#: Of two replicas: which.
sides = st.sampled_from([(0,), (0, 1), (1, 0)])


@dataclass(frozen=True)
class Order:
    """One run that is to be made."""

    scope: str
    chosen: ObjectFilter
    sides: tuple[int, ...]
    deletes: bool
    run_id: str | None


orders = st.builds(
    Order, scopes, filters, sides, st.booleans(), st.sampled_from([None, None, "again"])
)


@dataclass(frozen=True)
class Change:
    """Something that happens at the source, or behind this package's back at a replica."""

    name: str
    size: int
    side: int | None
    deleted: bool


@dataclass(frozen=True)
class Intrusion:
    """Another source is replicated to a part of a replica."""

    scope: str
    side: int
    deletes: bool


intrusions = st.builds(
    Intrusion, st.sampled_from(["x/", "x/", *NAMES]), st.sampled_from([0, 1]), st.booleans()
)
changes = st.builds(Change, names, SIZES, st.sampled_from([None, None, None, 0, 1]), st.booleans())
happenings = st.one_of(changes, orders, intrusions, st.just("die"))
interruptions = st.lists(
    st.tuples(st.integers(1, 16), happenings), max_size=3, unique_by=lambda one: one[0]
)
#: Changes and waiting before a run.
before = st.lists(st.one_of(changes, changes, SECONDS), max_size=4)


@pytest.fixture(scope="module", autouse=True)
def heap() -> Iterator[None]:
    """Each of some thousand runs would have all that is left of other tests collected after it."""
    with frozen_heap():
        yield


@dataclass
class Step:
    """What a step of the machine has brought about so far."""

    disturbed: set[tuple[int, str]] = field(default_factory=set)
    killed: set[str] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """What may happen to a primary and its replicas."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = self.stack.enter_context(living())
        self.source = Source(self.clock)
        self.replicas = (endpoint("copy/"), endpoint("copy/"))
        self.checked = [Checked(end, self.source) for end in self.replicas]
        self.stranger = stranger()
        self.numbers = count(1000)
        self.step = Step()
        for name in NAMES:
            self.source.put(name, self.fresh(4))

    def teardown(self) -> None:
        self.stack.close()

    def fresh(self, size: int) -> bytes:
        """Content that nothing else has."""
        return f"{next(self.numbers)}".encode().ljust(size, b".")

    @initialize(first=st.booleans())
    def begin(self, first: bool) -> None:
        if first:
            self.whole_run([])

    @rule(before=before, order=orders, during=interruptions)
    def run(
        self, before: Sequence[object], order: Order, during: Sequence[tuple[int, object]]
    ) -> None:
        self.first(before)
        self.replicate(order, during)

    @rule(before=before, two=st.tuples(orders, orders), at=st.integers(1, 14), between=before)
    def two_runs_at_once(
        self,
        before: Sequence[object],
        two: tuple[Order, Order],
        at: int,
        between: Sequence[object],
    ) -> None:
        """The one that began later ends earlier, and has seen what was changed meanwhile."""
        self.first(before)
        outer, inner = two
        self.replicate(outer, [(at, (*between, inner))])

    @rule(
        before=before,
        order=orders,
        between=st.lists(happenings, max_size=2),
        during=interruptions,
    )
    def run_in_shards(
        self,
        before: Sequence[object],
        order: Order,
        between: Sequence[object],
        during: Sequence[tuple[int, object]],
    ) -> None:
        self.first(before)
        script, run_id = self.script(during), self.run_id(order)
        replication = self.replication(order, script)

        def all_steps() -> None:
            plan = shards.plan_shards(replication, shards=2, run_id=run_id)
            for happening in between:
                self.happen(happening)
            for shard in plan.shards:
                shards.replicate_shard(replication, run_id=run_id, shard=shard)
            shards.close_shards(replication, run_id=run_id)

        self.attempt(all_steps, run_id)

    @rule(side=st.sampled_from([0, 1]), during=interruptions)
    def fail_back(self, side: int, during: Sequence[tuple[int, object]]) -> None:
        """Changes at the source meanwhile would be lost by whoever fails back: there are none."""
        self.clock.tick()
        script = self.script([one for one in during if one[1] == "die"])
        back = Replication(
            watched(self.replicas[side], script),
            (watched(self.source.end, script),),
            replace(SMALL, concurrency=1),
        )
        self.attempt(lambda: engine.replicate(back, run_id="back"), "back")
        self.source.learn()

    @rule(intrusion=intrusions, during=interruptions)
    def intrude(self, intrusion: Intrusion, during: Sequence[tuple[int, object]]) -> None:
        """What another source has written over or deleted, no look of the first vouches for."""
        self.replicate_other(intrusion, during)

    def replicate_other(
        self, intrusion: Intrusion, during: Sequence[tuple[int, object]] = ()
    ) -> None:
        self.clock.tick()
        scope, script, run_id = intrusion.scope, self.script(during), f"other-{next(self.numbers)}"
        name = f"{scope}a" if scope.endswith("/") else scope
        key = self.stranger.location.key + name
        self.stranger.store.put_object(self.stranger.ref(key), self.fresh(4))
        deletes = intrusion.deletes and scope.endswith("/")
        replication = Replication(
            watched(self.stranger, script, scope),
            (watched(self.replicas[intrusion.side], script, scope),),
            replace(
                SMALL,
                concurrency=1,
                delete_extraneous=deletes,
                max_delete=100 if deletes else None,
            ),
        )
        self.attempt(lambda: engine.replicate(replication, run_id=run_id), run_id)

    @rule()
    def move(self) -> None:
        self.source.move()

    @rule(before=before)
    def whole_run(self, before: Sequence[object]) -> None:
        """A run that nothing disturbs leaves both replicas as the source is."""
        self.first(before)
        if not contents(self.source.end):
            return
        order = Order("", ObjectFilter(), (0, 1), deletes=True, run_id=None)
        engine.replicate(self.replication(order, Script({})))
        for checked in self.checked:
            checked.is_as_the_source()

    @invariant()
    def agree(self) -> None:
        step, self.step = self.step, Step()
        for err in step.errors:
            raise err
        for side, checked in enumerate(self.checked):
            disturbed = {name for at, name in step.disturbed if at == side}
            checked.check(disturbed=disturbed, killed=step.killed)

    def replicate(self, order: Order, during: Sequence[tuple[int, object]]) -> None:
        script, run_id = self.script(during), self.run_id(order)
        replication = self.replication(order, script)
        self.attempt(lambda: engine.replicate(replication, run_id=run_id), run_id)

    def run_id(self, order: Order) -> str:
        return order.run_id or f"run-{next(self.numbers)}"

    def replication(self, order: Order, script: Script) -> Replication:
        self.clock.tick()
        return Replication(
            watched(self.source.end, script, order.scope),
            tuple(watched(self.replicas[side], script, order.scope) for side in order.sides),
            replace(
                SMALL,
                filter=order.chosen,
                concurrency=1,
                delete_extraneous=order.deletes,
                max_delete=100 if order.deletes else None,
            ),
        )

    def attempt(self, action: Callable[[], object], run_id: str) -> None:
        """A run that may die, and may fail by what is changed meanwhile."""
        try:
            action()
        except Killed:
            self.step.killed.add(run_id)
        except ReplicationFailedError:
            pass
        except StorageError as err:
            # The source was emptied, or a plan was taken away by another run of this name.
            if err.kind is not ErrorKind.NOT_FOUND:
                self.step.errors.append(err)
            for checked in self.checked:  # A run that is not closed may count as under way.
                checked.killed.add(run_id)
        except Exception as err:  # noqa: BLE001 - raised by the next check: perhaps within a run
            self.step.errors.append(err)

    def script(self, during: Sequence[tuple[int, object]]) -> Script:
        actions: Mapping[int, Callable[[], None]] = {
            number: kill if what == "die" else partial(self.happen, what) for number, what in during
        }
        return Script(actions)

    def first(self, before: Sequence[object]) -> None:
        for what in before:
            self.happen(what)

    def happen(self, what: object) -> None:
        if isinstance(what, tuple):
            self.first(what)
        elif isinstance(what, int):
            self.clock.tick(what)
        elif isinstance(what, Change):
            self.make(what)
        elif isinstance(what, Order):
            apart(lambda: self.replicate(what, ()))
        elif isinstance(what, Intrusion):
            apart(lambda: self.replicate_other(what))
        else:
            self.clock.tick()

    def make(self, change: Change) -> None:
        if change.side is None:
            if change.deleted:
                self.source.delete(change.name)
            else:
                self.source.put(change.name, self.fresh(change.size))
            return
        end: Endpoint = self.replicas[change.side]
        self.clock.tick()
        self.step.disturbed.add((change.side, change.name))
        ref = ObjectRef(BUCKET, end.location.key + change.name)
        if not change.deleted:
            end.store.put_object(ref, self.fresh(change.size))
        elif change.name in contents(end):
            end.store.delete_object(ref)


TestModel = Machine.TestCase
TestModel.settings = settings(
    max_examples=100,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=[Phase.generate],
)

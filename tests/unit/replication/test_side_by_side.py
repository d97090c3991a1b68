"""Sources side by side in one bucket: whose age counts, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .living import Clock, living
from .memory import SMALL, conn_of, endpoint, endpoint_with, fill, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.replication.options import ReplicationOptions
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

NONE = timedelta(0)
TIDY = replace(SMALL, delete_extraneous=True, max_delete=10)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with living() as made:
        yield made


@pytest.fixture
def there() -> Endpoint:
    return endpoint("copy/")


def below(end: Endpoint, name: str) -> Endpoint:
    return replace(end, location=end.location.with_key(end.location.key + name))


def run(source: Endpoint, there: Endpoint, options: ReplicationOptions = SMALL) -> None:
    replicate(Replication(source, (there,), options))


class Refusing(object_store.Hook):
    """Takes no object of some name."""

    def put_object(self, ref: ObjectRef, *rest, **more) -> ObjectMeta:  # type: ignore[no-untyped-def]
        if ref.key.endswith("/never"):
            raise StorageError("denied", kind=ErrorKind.PERMISSION_DENIED)
        return super().put_object(ref, *rest, **more)


def fail(source: Endpoint, there: Endpoint) -> None:
    with pytest.raises(ReplicationFailedError):
        run(source, replace(there, store=Refusing(conn_of(there))))


def age(there: Endpoint, clock: Clock) -> timedelta | None:
    as_of = freshness(there).as_of
    return None if as_of is None else clock.now() - as_of


def sources(there: Endpoint) -> list[str]:
    return [look.source for look in ledger(there).commit.looks]


class TestNeverArrived:
    def test_a_nested_replica_is_not_fresh_for_what_its_surroundings_have(
        self, there: Endpoint, clock: Clock
    ) -> None:
        outer, inner = endpoint_with({"x": b"1"}), endpoint_with({"never": b"2"})
        run(outer, there)
        fail(inner, below(there, "b/"))
        run(outer, there)
        assert age(below(there, "b/"), clock) is None
        assert age(there, clock) is None
        assert (freshness(there).objects, freshness(there).proven) == (2, 1)
        run(inner, below(there, "b/"))
        run(outer, there)
        assert age(below(there, "b/"), clock) == NONE
        assert age(there, clock) == NONE

    def test_it_stays_so_once_the_object_that_was_in_its_way_is_gone_at_its_source(
        self, there: Endpoint, clock: Clock
    ) -> None:
        outer, inner = endpoint_with({"x": b"1", "b/never": b"1"}), endpoint_with({"never": b"2"})
        run(outer, there)
        fail(inner, below(there, "b/"))
        outer.store.delete_object(outer.ref(outer.key_of("b/never")))
        for _ in range(2):
            run(outer, there)
            assert age(below(there, "b/"), clock) is None
            assert age(there, clock) is None
        run(inner, below(there, "b/"))
        run(outer, there)
        assert age(there, clock) == NONE
        assert freshness(there).complete

    def test_once_its_source_is_given_up_it_holds_nothing_back(
        self, there: Endpoint, clock: Clock
    ) -> None:
        old = endpoint_with({"x": b"1", "never": b"2"})
        new = endpoint_with({"x": b"1"})
        fail(old, there)
        run(new, there)
        assert age(there, clock) is None
        run(new, there, TIDY)
        assert sources(there) == [new.place]
        assert age(there, clock) == NONE

    def test_what_the_new_source_has_as_well_holds_nothing_back(
        self, there: Endpoint, clock: Clock
    ) -> None:
        old, new = endpoint_with({"never": b"2"}), endpoint_with({"never": b"2"})
        run(endpoint_with({"b": b"3"}), below(there, "b/"))
        fail(old, there)
        run(new, there)
        assert old.place not in sources(there)
        assert age(there, clock) == NONE


class TestNested:
    def test_a_replica_within_another_is_as_old_as_what_the_other_has_there(
        self, there: Endpoint, clock: Clock
    ) -> None:
        outer = endpoint_with({"sub/a": b"1"})
        run(outer, there)
        clock.tick(7200)
        fill(outer, {"sub/a": b"changed"})
        run(endpoint_with({"b": b"3"}), below(there, "sub/"))
        assert age(below(there, "sub/"), clock) == timedelta(hours=2)
        run(outer, there)
        assert age(below(there, "sub/"), clock) == NONE

    def test_without_objects_of_another_source_it_is_as_fresh_as_its_own_look(
        self, there: Endpoint, clock: Clock
    ) -> None:
        run(endpoint_with({"x": b"1"}), there)
        clock.tick(7200)
        run(endpoint_with({"b": b"3"}), below(there, "sub/"))
        assert age(below(there, "sub/"), clock) == NONE


def test_a_run_that_passes_over_what_another_source_has_replaced_never_calls_it_fresh(
    there: Endpoint, clock: Clock
) -> None:
    young = replace(SMALL, filter=ObjectFilter(min_age=timedelta(seconds=9)))
    source = endpoint_with({"x": b"1", "y": b"2"})
    clock.tick(60)
    run(source, there, young)
    run(below(endpoint_with({"x": b"other"}), "x"), below(there, "x"))
    for number in range(4):
        fill(source, {"x": b"new %d" % number})
        clock.tick()
        run(source, there, young)
        assert age(there, clock) is None
    clock.tick(60)
    run(source, there, young)
    assert age(there, clock) == timedelta(seconds=9)


class TestMoved:
    """An old look goes once its source has nothing here, whatever others have."""

    def test_objects_of_a_third_source_keep_no_old_look(
        self, there: Endpoint, clock: Clock
    ) -> None:
        old, new = endpoint_with({"x": b"1"}), endpoint_with({"x": b"1"})
        nested = endpoint_with({"b": b"3"})
        run(old, there)
        run(nested, below(there, "b/"))
        clock.tick(7200)
        run(nested, below(there, "b/"))
        run(new, there)
        assert sources(there) == [new.place, nested.place]
        assert age(there, clock) == NONE

    def test_what_was_taken_over_keeps_no_look(self, there: Endpoint, clock: Clock) -> None:
        outer, nested = endpoint_with({"x": b"1"}), endpoint_with({"b": b"3"})
        taken = endpoint_with({"c": b"5"})
        for end, name in ((outer, ""), (nested, "b/"), (taken, "c/")):
            run(end, below(there, name))
        clock.tick(7200)
        fill(outer, {"c/c": b"5"})
        run(nested, below(there, "b/"))
        run(outer, there)
        assert sources(there) == [outer.place, nested.place]
        assert age(there, clock) == NONE

    def test_a_single_object_of_another_source_keeps_none(
        self, there: Endpoint, clock: Clock
    ) -> None:
        old, new = endpoint_with({"x": b"1"}), endpoint_with({"x": b"1"})
        run(old, there)
        run(below(endpoint_with({"cfg": b"c"}), "cfg"), below(there, "cfg"))
        clock.tick(7200)
        run(new, there)
        assert sources(there) == [new.place]
        assert age(there, clock) == NONE

    def test_one_object_that_is_left_keeps_its_own(self, there: Endpoint, clock: Clock) -> None:
        old, new = endpoint_with({"x": b"1", "y": b"2"}), endpoint_with({"x": b"1"})
        run(old, there)
        clock.tick(7200)
        run(new, there)
        assert set(sources(there)) == {old.place, new.place}
        assert age(there, clock) == timedelta(hours=2)

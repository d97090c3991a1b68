"""How many requests it takes to look names up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters import listed_pages
from airflow_multicloud.core.replication import looking
from airflow_multicloud.core.replication.looking import look_up
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import conn_of, endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

PAGE = 10


class Counting(object_store.Hook):
    """Counts its requests: a listing's pages, as they are read, and all others."""

    asked: int
    pages: int

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self.asked += 1
        return super().stat_object(ref)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self.pages += 1
        for number, meta in enumerate(super().list_objects(bucket, prefix), 1):
            yield meta
            self.pages += number % PAGE == 0


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_PAGE", PAGE)
    monkeypatch.setattr(listed_pages, "_PAGE", PAGE)


def having(names: Sequence[str]) -> tuple[Endpoint, Counting]:
    """A replica that has these objects, each with its name for content; another lies beside it."""
    end = endpoint("copy/")
    for name in names:
        end.store.put_object(end.ref(end.key_of(name)), name.encode())
    for key in ("copx", "copy", "copz/a"):
        end.store.put_object(end.ref(key), b"")
    store = Counting(conn_of(end))
    store.asked = store.pages = 0
    return replace(end, store=store), store


def found(end: Endpoint, names: Sequence[str]) -> list[str]:
    """The names that are there, each with what lies there."""
    results = list(look_up(end, names))
    assert [listed.name for _, listed in results] == [name for name, _ in results]
    assert all(listed.size == len(name.encode()) for name, listed in results)
    return [name for name, _ in results]


MANY = [f"{number:04}" for number in range(1000)]


def test_all_of_them_take_a_listing() -> None:
    end, store = having(MANY)
    assert found(end, MANY) == MANY
    assert (store.asked, store.pages) == (0, len(MANY) // PAGE + 1)


@pytest.mark.parametrize("first", [0, 1, 95, 100, 490, 899])
def test_a_range_takes_hardly_more_than_its_own_pages(first: int) -> None:
    end, store = having(MANY)
    wanted = MANY[first : first + 100]
    assert found(end, wanted) == wanted
    own = 100 // PAGE
    # Besides them: for each digit a page that is too much, and one for each group that begins.
    assert store.asked + store.pages <= own + 2 * 4 + 2 * 10


def test_names_that_begin_long_alike_are_no_further_apart() -> None:
    names = [f"year=2026/month=01/day=07/hour=13/part-{name}.parquet" for name in MANY]
    end, store = having(names)
    assert found(end, names[490:590]) == names[490:590]
    assert store.asked + store.pages <= 100 // PAGE + 2 * 4 + 2 * 10


def test_a_few_are_asked_for_one_by_one() -> None:
    end, store = having(MANY)
    wanted = ["0001", "0500", "0500x", "0999"]
    assert found(end, wanted) == ["0001", "0500", "0999"]
    assert (store.asked, store.pages) == (4, 0)


def test_many_far_from_each_other_take_no_listing_of_all_between_them() -> None:
    end, store = having(MANY)
    wanted = MANY[::50]
    assert found(end, wanted) == wanted
    assert store.asked + store.pages <= 2 * len(wanted)


def test_what_is_not_there_is_left_out() -> None:
    end, store = having(MANY[::2])
    assert found(end, MANY) == MANY[::2]
    assert found(end, [f"{name}x" for name in MANY]) == []
    assert found(end, [f"A{name}" for name in MANY]) == []
    assert found(end, [f" {name}" for name in MANY]) == []
    assert found(end, []) == []
    assert store.asked == 0


def test_keys_that_are_the_beginning_of_others() -> None:
    names = sorted({"a" * n for n in range(1, 600)} | {f"{'a' * n}b" for n in range(600)})
    end, _ = having(names)
    assert found(end, names) == names
    assert found(end, names[::3]) == names[::3]
    assert found(end, names[1100:]) == names[1100:]


def test_in_the_order_of_utf_8() -> None:
    names = sorted([f"{letter}{n:02}" for letter in "aé￿𐀀😀" for n in range(30)])
    end, _ = having(names)
    assert found(end, names) == names
    assert found(end, names[35:115]) == names[35:115]


def test_one_object_is_asked_for() -> None:
    end, store = having(["x"])
    one = replace(end, location=end.location.with_key("copy/x"))
    assert [name for name, _ in look_up(one, [""])] == [""]
    assert (store.asked, store.pages) == (1, 0)


def test_what_can_not_be_asked_for_is_left_out() -> None:
    class Away(object_store.Hook):
        def stat_object(self, ref: ObjectRef) -> ObjectMeta:
            raise StorageError("not today", kind=ErrorKind.TIMEOUT)

    end, _ = having(MANY)
    away = replace(end, store=Away(conn_of(end)))
    assert found(away, MANY[:8]) == []
    assert found(away, MANY[:9]) == MANY[:9]


def test_a_listing_in_another_order_may_lack_some() -> None:
    class Unordered(object_store.Hook):
        def list_objects(self, *given: Any) -> Iterator[ObjectMeta]:
            first, second, *others = super().list_objects(*given)
            yield from [second, first, *others]

    end, _ = having(MANY)
    assert found(replace(end, store=Unordered(conn_of(end))), MANY) == MANY[1:]

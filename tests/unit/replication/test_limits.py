"""A run that would replace more than it may is refused before the first write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.engine import plan, replicate
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, fill, own, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import ObjectMeta

TREE = {f"d/{number:02}": bytes([number]) * 9 for number in range(10)}
#: As an attacker leaves them: other bytes, of another length, under the same names.
RANSOMED = {name: b"encrypted " + content for name, content in TREE.items()}


def limited(most: float, **options: object) -> ReplicationOptions:
    return replace(SMALL, max_replace=most, **options)


def replicated(*, destinations: int = 1) -> World:
    made = world(TREE, destinations=destinations)
    replicate(made.replication())
    return made


def refused(made: World, options: ReplicationOptions) -> str:
    before = [(tree_of(end), own(end)) for end in made.destinations]
    with pytest.raises(StorageError) as caught:
        replicate(made.replication(options))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert [(tree_of(end), own(end)) for end in made.destinations] == before
    for other in (
        lambda: plan(made.replication(options)),
        lambda: shards.plan_shards(made.replication(options), shards=2, run_id="r"),
    ):
        with pytest.raises(StorageError) as also:
            other()
        assert str(also.value) == str(caught.value)
    assert [(tree_of(end), own(end)) for end in made.destinations] == before
    return str(caught.value)


@pytest.mark.parametrize(("most", "said"), [(9, "9"), (0, "0"), (0.99, "9 (99%)"), (0.0, "0 (0%)")])
def test_a_ransomed_source_is_stopped(most: float, said: str) -> None:
    made = replicated()
    fill(made.source, RANSOMED)
    place = made.destinations[0].location
    assert refused(made, limited(most)) == (
        f"max_replace: 10 of the 10 objects at {place} would be replaced, or may be, more than "
        f"the {said} allowed; nothing was changed; see whether the source is damaged or "
        "encrypted (a dry run without max_replace names the objects), and allow more if these "
        "changes are meant"
    )


@pytest.mark.parametrize("most", [3, 0.3, 1.0])
def test_as_many_as_allowed_are_replaced(most: float) -> None:
    made = replicated()
    changed = dict(list(RANSOMED.items())[:3])
    fill(made.source, changed | {"new": b"new"})
    (told,) = replicate(made.replication(limited(most))).destinations
    assert told.outcomes == {Outcome.REPLACED: 3, Outcome.COPIED: 1, Outcome.UNCHANGED: 7}
    assert tree_of(made.destinations[0]) == TREE | changed | {"new": b"new"}


def test_one_more_than_allowed_is_not() -> None:
    made = replicated()
    fill(made.source, dict(list(RANSOMED.items())[:4]))
    assert refused(made, limited(3)).startswith("max_replace: 4 of the 10 objects")
    assert "more than the 3 (39%) allowed" in refused(made, limited(0.39))


def test_a_share_is_the_number_that_is_written() -> None:
    # 0.29 × 100 is 28.999… in floats.
    assert limited(0.29).replaceable(100) == 29
    assert limited(1e-7).replaceable(10**7) == 1
    assert limited(1).replaceable(100) == 1
    assert limited(1.0).replaceable(100) == 100
    assert SMALL.replaceable(100) is None


def test_each_destination_counts_for_itself() -> None:
    made = replicated(destinations=2)
    fill(made.source, dict(list(RANSOMED.items())[:2]))
    fill(made.destinations[1], {f"kept/{number}": b"" for number in range(90)})
    replicate(made.replication(limited(0.2)))
    fill(made.source, dict(list(RANSOMED.items())[2:5]))
    # 3 of 10 are too many, 3 of 100 are not.
    assert f"of the 10 objects at {made.destinations[0].location}" in refused(made, limited(0.2))
    other = replace(made, destinations=made.destinations[1:])
    replicate(other.replication(limited(0.2)))
    # Named is the one that has too many, wherever it stands.
    turned = replace(made, destinations=made.destinations[::-1])
    assert f"of the 10 objects at {made.destinations[0].location}" in refused(turned, limited(0.2))


def test_new_objects_are_no_replacements() -> None:
    made = world(TREE)
    (told,) = replicate(made.replication(limited(0))).destinations
    assert told.outcomes == {Outcome.COPIED: 10}
    (told,) = replicate(made.replication(limited(0))).destinations
    assert told.outcomes == {Outcome.UNCHANGED: 10}


class Listing(object_store.Hook):
    """A store whose listing shows these digests only."""

    shown: tuple[str, ...] = ()

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            digests = {name: getattr(meta.digests, name) for name in self.shown}
            yield replace(meta, digests=Digests(**digests))


class Torn(object_store.Hook):
    """A store of which one digest says that the content is another."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            yield replace(meta, digests=replace(meta.digests, md5="0" * 32))


class CrcListing(Listing):
    shown = ("crc32c",)


class Md5Listing(Listing):
    shown = ("crc32c", "md5")


@pytest.mark.parametrize("hook", [Listing, CrcListing, Torn])
def test_what_nothing_proves_may_be_replaced_and_so_counts(hook: type[Listing]) -> None:
    made = world(TREE)
    fill(made.destinations[0], TREE)
    made = made.with_destination(hook(conn_of(made.destinations[0])))
    (planned,) = plan(made.replication())
    assert (planned.replace, planned.compare) == (0, 10)
    assert refused(made, limited(9)).startswith("max_replace: 10 of the 10 objects")
    (told,) = replicate(made.replication(limited(10))).destinations
    assert told.outcomes == {Outcome.VERIFIED: 10}


@pytest.mark.parametrize("hook", [object_store.Hook, Md5Listing])
def test_what_both_listings_show_to_be_the_same_does_not(hook: type[object_store.Hook]) -> None:
    """A run that was killed before it could record its last objects can be run again."""
    made = world(TREE)
    fill(made.destinations[0], TREE)
    made = made.with_destination(hook(conn_of(made.destinations[0])))
    (told,) = replicate(made.replication(limited(0))).destinations
    assert told.outcomes == {Outcome.VERIFIED: 10}


@pytest.mark.parametrize("hook", [object_store.Hook, Listing, CrcListing, Md5Listing])
@pytest.mark.parametrize("recorded", [True, False])
def test_other_content_of_the_same_length_counts(
    hook: type[object_store.Hook], recorded: bool
) -> None:
    made = replicated() if recorded else world(TREE)
    if not recorded:
        fill(made.destinations[0], TREE)
    fill(made.source, dict.fromkeys(list(TREE)[1:], bytes(9)))
    made = made.with_destination(hook(conn_of(made.destinations[0])))
    assert refused(made, limited(8)).startswith("max_replace: ")


def test_where_only_attributes_are_looked_at_the_content_is_proven() -> None:
    made = replicated()
    options = limited(0, compare_attributes=CompareAttributes.ALWAYS)
    (planned,) = plan(made.replication(options))
    assert planned.settled + planned.compare == 10
    (told,) = replicate(made.replication(options)).destinations
    assert told.outcomes == {Outcome.UNCHANGED: 10}


def test_the_share_is_of_what_the_globs_leave_there() -> None:
    made = replicated()
    fill(made.destinations[0], {f"other/{number}": b"" for number in range(90)})
    fill(made.source, dict(list(RANSOMED.items())[:2]))
    chosen = ObjectFilter(include=("d/*",), exclude=("d/09",), max_size=1000)
    said = refused(made, limited(0.1, filter=chosen))
    assert said.startswith("max_replace: 2 of the 9 objects")
    assert "more than the 0 (10%) allowed" in said
    replicate(made.replication(limited(0.1)))  # 2 of 100


def test_with_immutable_nothing_is_replaced_and_nothing_refused() -> None:
    made = world(TREE)
    fill(made.destinations[0], TREE)
    made = made.with_destination(Listing(conn_of(made.destinations[0])))
    (told,) = replicate(made.replication(limited(0, immutable=True))).destinations
    assert told.outcomes == {Outcome.VERIFIED: 10}


@pytest.mark.parametrize("most", [-1, -0.1, 1.1, float("nan"), float("inf"), True, "10%"])
def test_what_is_neither_a_count_nor_a_share_is_refused(most: object) -> None:
    with pytest.raises(StorageError) as caught:
        ReplicationOptions(max_replace=most)  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert str(caught.value) == (
        f"max_replace: {most!r} given, expected a count (an int, at least 0) or a share (a float "
        "from 0 to 1)"
    )

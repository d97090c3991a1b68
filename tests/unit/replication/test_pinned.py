"""A large object is what was listed, from its listing to its proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

LARGE = bytes(range(100))


class Moved(memory.Unversioned):
    """Between the listing and the look at an object, one thing of it changed."""

    changed = "etag"

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        meta = super().stat_object(ref)
        if self.changed == "etag":
            return replace(meta, etag="another")
        return replace(meta, size=meta.size + 1)


@pytest.mark.parametrize("changed", ["etag", "size"])
def test_another_object_than_the_listed_one_is_not_copied(changed: str) -> None:
    made = memory.world({"a": LARGE})
    store = Moved(memory.conn_of(made.source))
    store.changed = changed
    with pytest.raises(ReplicationFailedError) as caught:
        replicate(made.with_source(store).replication())
    report = caught.value.report
    assert report.destinations[0].outcomes == {Outcome.SOURCE_CHANGED: 1}
    assert report.failures[0].kind is ErrorKind.SOURCE_CHANGED
    assert memory.tree_of(made.destinations[0]) == {}
    assert memory.uploads(made.destinations[0]) == []


class Silent(object_store.Hook):
    """A source that reports no digest: all that is known of an object was computed."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return (replace(m, digests=Digests()) for m in super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return replace(super().stat_object(ref), digests=Digests())


def test_the_digest_of_the_whole_is_known_afterwards() -> None:
    """However many parts it came in, the root over it is the same."""
    made = memory.world({"a": LARGE}, destinations=2)
    silent = made.with_source(Silent(memory.conn_of(made.source)))
    in_parts, at_once = (replace(silent, destinations=(end,)) for end in made.destinations)
    options = replace(memory.SMALL, large_object=len(LARGE))
    roots = {
        replicate(in_parts.replication()).root,
        replicate(at_once.replication(options)).root,
    }
    assert len(roots) == 1
    other = memory.world({"a": bytes(len(LARGE))})
    assert replicate(other.replication()).root not in roots


@pytest.mark.parametrize("kind", [ErrorKind.NOT_FOUND, ErrorKind.PERMISSION_DENIED])
def test_what_a_destination_no_longer_has_is_copied(kind: ErrorKind) -> None:
    """It went after the listing; what can't be looked at is no reason to write."""

    class Going(Silent):
        looked = False

        def stat_object(self, ref: ObjectRef) -> ObjectMeta:
            if ref.key == "copy/a" and not self.looked:
                self.looked = True
                if kind is not ErrorKind.NOT_FOUND:
                    raise StorageError("not seen", kind=kind)
                self.delete_object(ref)
            return super().stat_object(ref)

    made = memory.world({"a": LARGE[:10]})
    (end,) = made.destinations
    memory.fill(end, {"a": LARGE[:10]})
    made = made.with_destination(Going(memory.conn_of(end)))
    if kind is ErrorKind.NOT_FOUND:
        assert replicate(made.replication()).failures == ()
        assert memory.tree_of(end) == {"a": LARGE[:10]}
        return
    with pytest.raises(ReplicationFailedError) as caught:
        replicate(made.replication())
    (failure,) = caught.value.report.failures
    assert (failure.outcome, failure.kind) == (Outcome.FAILED, kind)

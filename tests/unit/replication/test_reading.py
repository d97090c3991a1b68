"""What is read to compare it costs no digest that nothing is compared with."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from airflow_multicloud.adapters.digests import StreamDigest, digests_of
from airflow_multicloud.core.reading import digests_by_reading
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import Digests, ObjectMeta, ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

CONTENT = b"content"


def test_md5_is_computed_where_it_is_asked_for() -> None:
    end = memory.endpoint_with({"a": CONTENT})
    ref = end.ref(memory.PREFIX + "a")
    known = digests_of(CONTENT)
    assert digests_by_reading(end, ref, if_etag=None) == replace(known, md5=None)
    assert digests_by_reading(end, ref, if_etag=None, digest=StreamDigest(md5=True)) == known


class _Telling(object_store.Hook):
    """Tells one digest, or none."""

    told = Digests()

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return replace(super().stat_object(ref), digests=self.told)


@pytest.mark.parametrize("same", [True, False])
def test_a_source_that_tells_an_md5_alone_is_compared_by_it(same: bool) -> None:
    """Where nothing may be replaced, what no store proves is read."""
    lab = memory.world({"a": CONTENT})
    memory.fill(lab.destinations[0], {"a": CONTENT if same else CONTENT[::-1]})
    source, there = (_Telling(memory.conn_of(end)) for end in (lab.source, *lab.destinations))
    source.told = Digests(md5=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest())
    lab = lab.with_source(source).with_destination(there)
    replication = lab.replication(replace(memory.SMALL, immutable=True))
    if same:
        report = replicate(replication)
    else:
        with pytest.raises(ReplicationFailedError, match="its content differs") as raised:
            replicate(replication)
        report = raised.value.report
    outcome = Outcome.VERIFIED if same else Outcome.CONFLICT
    assert report.destinations[0].outcomes == {outcome: 1}
    assert report.bytes_read == 0  # The source need not be read for it.

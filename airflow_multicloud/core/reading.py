"""What a store holds, by reading it: where its own digest is what anybody may have declared."""

from __future__ import annotations

from collections.abc import Callable

from airflow_multicloud.adapters.digests import StreamDigest, compare
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.ports.object_store import CheckedReads, Digests, ObjectRef


def digests_by_reading(
    end: Endpoint,
    ref: ObjectRef,
    *,
    if_etag: str | None,
    spend: Callable[[int], object] | None = None,
    digest: StreamDigest | None = None,
) -> Digests:
    """The digests of an object's bytes, each checked on the way where the store can do that.

    :param spend: told how many bytes each chunk has; may wait.
    :param digest: what computes them, if not SHA-256 and CRC32C alone.
    :raises CloudError: as the read itself.
    """
    etag = if_etag or None
    if has_capability(end.store, CheckedReads):
        chunks = end.store.get_checked(ref, if_etag=etag)
    else:
        chunks = iter(end.store.get_object(ref, if_etag=etag))
    digest = digest or StreamDigest()
    for chunk in chunks:
        cancellation.check()
        if spend is not None:
            spend(memoryview(chunk).nbytes)
        digest.update(chunk)
    return digest.digests()


def altered_on_the_way(
    source: Endpoint,
    ref: ObjectRef,
    read: Digests,
    declared: Digests,
    *,
    if_etag: str | None,
    spend: Callable[[int], object],
) -> str | None:
    """Why the bytes read are not the object, of which the store has a declared digest only.

    One that differs says nothing yet: whoever wrote the object may have declared anything. So
    the object is read once more; one that agrees is not asked for more.

    :param read: the digests of what was read.
    :raises CloudError: as the read itself.
    """
    compared = compare(read, declared)
    if compared is None or compared.equal:
        return None
    again = digests_by_reading(
        source, ref, if_etag=if_etag, spend=spend, digest=StreamDigest.like(read)
    )
    same = compare(read, again)
    if same is not None and same.identical:
        return None
    return "the bytes read are others than those read once more, and were altered on the way"

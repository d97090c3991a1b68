"""Write a stream of unknown length to a store in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from airflow_multicloud.core.digest import StreamDigest, crc32c_of, digests_of
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    Part,
    PartUploads,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


def put_stream(
    endpoint: Endpoint,
    key: str,
    chunks: Iterable[Buffer],
    options: WriteOptions = WriteOptions(),
    *,
    part_size: int = 8 << 20,
) -> ObjectMeta:
    """Write ``chunks`` as one object, holding at most about two parts of it.

    Whatever fails, nothing is visible under the key and no parts are left behind.
    """
    parts = _rechunk(chunks, part_size)
    first = next(parts, b"")
    second = next(parts, None)
    ref = endpoint.ref(key)
    if second is None:
        return endpoint.store.put_object(ref, first, options, digests=digests_of(first))
    store = endpoint.store
    if not isinstance(store, PartUploads):
        raise StorageError(
            f"{endpoint.location.with_key(key)}: larger than part_size ({part_size} bytes), and "
            f"{endpoint.cloud} has no uploads in parts",
            kind=ErrorKind.UNSUPPORTED,
            cloud=endpoint.cloud,
        )
    upload = store.begin_upload(ref, options)
    try:
        whole = StreamDigest()
        sent: list[Part] = []
        for body in chain((first, second), parts):
            whole.update(body)
            digests = Digests(crc32c=crc32c_of(body))
            sent.append(store.put_part(upload, len(sent) + 1, body, digests=digests))
        return store.complete_upload(upload, sent, options, digests=whole.digests())
    except BaseException:
        store.abort_upload(upload)
        raise


def _rechunk(chunks: Iterable[Buffer], size: int) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)

"""Write a stream of unknown length to a store in bounded memory, in two steps.

Staging sends the bytes, committing makes the object visible; between the two the caller may
still decide otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import StreamDigest, crc32c_of, digests_of
from airflow_multicloud.core import cancellation, run_tokens
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.left_uploads import clear_left_uploads
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    Part,
    PartUpload,
    PartUploads,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


_log = logging.getLogger(__name__)

#: A write whose answer got lost is repeated by the SDK, and then meets its own object (or finds
#: its upload gone, as that was completed): whoever gets one of these looks whether it is there.
PERHAPS_OURS = frozenset(
    {ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED, ErrorKind.NOT_FOUND}
)


@dataclass(frozen=True, slots=True)
class StagedBody:
    """A small object, still in memory."""

    store: ObjectStore
    ref: ObjectRef
    body: bytes
    options: WriteOptions

    def commit(self) -> ObjectMeta:
        """Write the object."""
        digests = digests_of(self.body)
        return self.store.put_object(self.ref, self.body, self.options, digests=digests)

    def discard(self) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class StagedParts:
    """A large object whose parts the store holds, invisible."""

    store: PartUploads
    upload: PartUpload
    parts: tuple[Part, ...]
    options: WriteOptions
    digests: Digests
    over: Callable[[], None]

    def commit(self) -> ObjectMeta:
        """Make the object visible."""
        written = self.store.complete_upload(
            self.upload, self.parts, self.options, digests=self.digests
        )
        self.over()
        return written

    def discard(self) -> None:
        """Have the store drop the parts."""
        self.store.abort_upload(self.upload)
        self.over()


Staged = StagedBody | StagedParts


def stage_stream(
    endpoint: Endpoint,
    key: str,
    chunks: Iterable[Buffer],
    options: WriteOptions = WriteOptions(),
    *,
    part_size: int = 8 << 20,
) -> Staged:
    """Send ``chunks``, holding at most about two parts of them; nothing is visible yet.

    Whatever fails, no parts are left behind, as far as the store lets them be discarded.

    :raises StorageError: kind ``unsupported`` when the stream is larger than ``part_size``
        and the store has no uploads in parts.
    """
    parts = _rechunk(chunks, part_size)
    first = next(parts, b"")
    second = next(parts, None)
    ref = endpoint.ref(key)
    store = endpoint.store
    if second is None:
        return StagedBody(store, ref, first, options)
    if not isinstance(store, PartUploads):
        raise StorageError(
            f"{endpoint.location.with_key(key)}: larger than {part_size} bytes, and "
            f"{endpoint.cloud} has no uploads in parts",
            kind=ErrorKind.UNSUPPORTED,
            cloud=endpoint.cloud,
        )
    # Nobody takes up again what an earlier try has left.
    clear_left_uploads(replace(endpoint, location=endpoint.location.with_key(key)))
    upload = store.begin_upload(ref, options, run=run_tokens.current())
    abort = partial(store.abort_upload, upload)
    # Nobody takes these parts up again.
    over = cancellation.register(f"an upload to {endpoint.location.with_key(key)}", abort)
    try:
        whole = StreamDigest()
        sent: list[Part] = []
        for body in chain((first, second), parts):
            cancellation.check()
            whole.update(body)
            digests = Digests(crc32c=crc32c_of(body))
            sent.append(store.put_part(upload, len(sent) + 1, body, digests=digests))
    except BaseException:
        drop(abort, over)
        raise
    return StagedParts(store, upload, tuple(sent), options, whole.digests(), over)


def put_stream(
    endpoint: Endpoint,
    key: str,
    chunks: Iterable[Buffer],
    options: WriteOptions = WriteOptions(),
    *,
    part_size: int = 8 << 20,
) -> ObjectMeta:
    """Write ``chunks`` as one object; see :func:`stage_stream`."""
    staged = stage_stream(endpoint, key, chunks, options, part_size=part_size)
    try:
        return staged.commit()
    except BaseException:
        drop(staged.discard)
        raise


def drop(discard: Callable[[], None], over: Callable[[], None] = cancellation.nothing) -> None:
    """Discard what was staged; that this fails is logged, and hides nothing that went before.

    :param over: called when it is gone.
    """
    try:
        discard()
        over()
    except CloudError as err:
        _log.warning("what was staged could not be dropped: %s: %s", err.kind, err)


def _rechunk(chunks: Iterable[Buffer], size: int) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(memoryview(buffer)[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)

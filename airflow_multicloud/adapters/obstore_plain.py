"""Small plain objects through obstore, with as little done for each of them as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import obstore

from airflow_multicloud.adapters.obstore import is_plain_key, put_mode
from airflow_multicloud.ports.object_store import (
    Digests,
    IfUnchanged,
    ObjectAttributes,
    PlainAsked,
    PlainRead,
    PlainWrite,
    PlainWritten,
)

if TYPE_CHECKING:
    from obstore import Attributes, Bytes, GetOptions, GetResult, PutMode, PutResult
    from obstore.store import ObjectStore

#: Sets of attributes that are kept in their decoded and encoded forms: most objects of a bucket
#: have one of a few.
_MOST_KEPT = 256
_MD5_DIGITS = 32


class ObstorePlainBucket:
    """A bucket of any cloud; fits ``PlainBucket``. May be used from any thread.

    :param store: the bucket.
    :param decode: attributes that came with a read; ``None`` when they are not all that it has.
    :param encode: attributes as obstore sends them; ``None`` when it can't.
    :param by_version: whether a version, and not an ETag, is what identifies content.
    :param etag_is_md5: whether the ETag of what is written in one request is its MD5.
    :param prepare: called before requests; may refresh credentials, and fail.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        decode: Callable[[Mapping[str, str]], ObjectAttributes | None],
        encode: Callable[[ObjectAttributes], Attributes | None],
        by_version: bool = False,
        etag_is_md5: bool = False,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self._store = store
        self._decode = decode
        self._encode = encode
        self._by_version = by_version
        self._etag_is_md5 = etag_is_md5
        self._prepare = prepare
        self._decoded: dict[tuple[tuple[str, str], ...], ObjectAttributes] = {}
        # By identity, with the value itself, so that no other one can have its identity.
        self._encoded: dict[int, tuple[ObjectAttributes, Attributes]] = {}

    # What is done between two requests finds cold caches, and takes ten times as long as it does in
    # a loop of its own. So all requests are prepared before the first, and judged after the last.

    def read_all(self, asked: Sequence[PlainAsked]) -> Sequence[PlainRead | None]:
        """See ``PlainBucket``."""
        prepared = [(one.key, one.size, self._get_options(one)) for one in asked]
        if not self._is_ready():
            return [None] * len(asked)
        get, store = obstore.get, self._store
        found: list[tuple[GetResult, Bytes] | None] = []
        for key, size, options in prepared:
            if options is None:
                found.append(None)
                continue
            try:
                result = get(store, key, options=options)
                # Of another size, it may not fit into the memory that was granted for it.
                same = result.meta["size"] == size
                found.append((result, result.bytes()) if same else None)
            except BaseException as err:  # noqa: BLE001 - what is no failure is raised
                _check_declines(err)
                found.append(None)
        return [
            None if got is None else self._read(one, *got)
            for one, got in zip(asked, found, strict=True)
        ]

    def write_all(self, writes: Sequence[PlainWrite]) -> Sequence[PlainWritten | None]:
        """See ``PlainBucket``."""
        prepared = [(one.key, one.body, self._sent(one), self._mode(one)) for one in writes]
        if not self._is_ready():
            return [None] * len(writes)
        put, store = obstore.put, self._store
        found: list[PutResult | None] = []
        for key, body, sent, mode in prepared:
            if sent is None:
                found.append(None)
                continue
            try:
                found.append(put(store, key, body, attributes=sent, mode=mode, use_multipart=False))
            except BaseException as err:  # noqa: BLE001 - as above
                _check_declines(err)
                found.append(None)
        return [None if one is None else self._written(one) for one in found]

    def _is_ready(self) -> bool:
        try:
            if self._prepare is not None:
                self._prepare()
        except BaseException as err:  # noqa: BLE001 - as above
            _check_declines(err)
            return False
        return True

    def _get_options(self, asked: PlainAsked) -> GetOptions | None:
        if not asked.etag or not is_plain_key(asked.key):
            return None
        options: GetOptions = {}
        if asked.version is not None:
            options["version"] = asked.version
        if not self._by_version:
            options["if_match"] = f'"{asked.etag}"'
        return options

    def _read(self, asked: PlainAsked, result: GetResult, body: Bytes) -> PlainRead | None:
        found = result.meta
        told = found["version"] if self._by_version else (found["e_tag"] or "").strip('"')
        if told != asked.etag or len(body) != asked.size:
            return None
        attributes = self._known(tuple(result.attributes.items()))
        return None if attributes is None else PlainRead(body, attributes)

    def _written(self, done: PutResult) -> PlainWritten | None:
        etag, version = (done["e_tag"] or "").strip('"'), done["version"]
        if self._by_version:
            etag = version or ""
        if not etag:
            return None
        told = Digests(md5=etag) if self._etag_is_md5 and len(etag) == _MD5_DIGITS else Digests()
        return PlainWritten(etag, None if version == "null" else version, told)

    def _mode(self, write: PlainWrite) -> PutMode:
        condition = write.condition
        if self._by_version and isinstance(condition, IfUnchanged):
            return {"version": condition.version or condition.etag}
        return put_mode(condition)

    def _known(self, raw: tuple[tuple[str, str], ...]) -> ObjectAttributes | None:
        found = self._decoded.get(raw)
        if found is None and (found := self._decode(dict(raw))) is not None:
            if len(self._decoded) >= _MOST_KEPT:
                self._decoded.clear()
            self._decoded[raw] = found
        return found

    def _sent(self, write: PlainWrite) -> Attributes | None:
        attributes = write.attributes
        held = self._encoded.get(id(attributes))
        encoded = self._encode(attributes) if held is None else held[1]
        if encoded is None or not is_plain_key(write.key):
            return None
        if held is None:
            if len(self._encoded) >= _MOST_KEPT:
                self._encoded.clear()
            self._encoded[id(attributes)] = (attributes, encoded)
        return {**encoded, **write.metadata}


def _check_declines(err: BaseException) -> None:
    """Raise what is no failure of a request: an interrupt, Airflow's timeout.

    A panic in obstore is no ``Exception``, and fails a request.
    """
    if isinstance(err, MemoryError) or not (
        isinstance(err, Exception) or type(err).__name__ == "PanicException"
    ):
        raise err

"""Small plain objects through obstore, with as little done for each of them as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import obstore

from airflow_multicloud.adapters.obstore import is_plain_key
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    ObjectAttributes,
    PlainRead,
    PlainWritten,
    WriteCondition,
)

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, PutMode
    from obstore.store import ObjectStore
    from typing_extensions import Buffer

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
    :param prepare: called before each request; may refresh credentials.
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

    def read(self, key: str, *, size: int, etag: str, version: str | None) -> PlainRead | None:
        """See ``PlainBucket``."""
        options: GetOptions = {}
        if version is not None:
            options["version"] = version
        if not self._by_version:
            options["if_match"] = f'"{etag}"'
        if not etag or not is_plain_key(key):
            return None
        try:
            if self._prepare is not None:
                self._prepare()
            result = obstore.get(self._store, key, options=options)
            found = result.meta
            same = version if self._by_version else etag
            told = found["version"] if self._by_version else (found["e_tag"] or "").strip('"')
            if told != same or found["size"] != size:
                return None
            body = result.bytes()
            attributes = self._known(tuple(result.attributes.items()))
        except BaseException as err:  # noqa: BLE001 - what is no failure is raised
            _check_declines(err)
            return None
        return None if attributes is None or len(body) != size else PlainRead(body, attributes)

    def write(
        self,
        key: str,
        body: Buffer,
        attributes: ObjectAttributes,
        *,
        metadata: Mapping[str, str],
        condition: WriteCondition | None,
    ) -> PlainWritten | None:
        """See ``PlainBucket``."""
        encoded = self._sent(attributes)
        if encoded is None or not is_plain_key(key):
            return None
        try:
            if self._prepare is not None:
                self._prepare()
            done = obstore.put(
                self._store,
                key,
                body,
                attributes={**encoded, **metadata},
                mode=self._mode(condition),
                use_multipart=False,
            )
        except BaseException as err:  # noqa: BLE001 - what is no failure is raised
            _check_declines(err)
            return None
        etag, version = (done["e_tag"] or "").strip('"'), done["version"]
        if self._by_version:
            return PlainWritten(version, version) if version else None
        if not etag:
            return None
        told = Digests(md5=etag) if self._etag_is_md5 and len(etag) == _MD5_DIGITS else Digests()
        return PlainWritten(etag, None if version == "null" else version, told)

    def _mode(self, condition: WriteCondition | None) -> PutMode:
        if condition is None:
            return "overwrite"
        if isinstance(condition, IfAbsent):
            return "create"
        if self._by_version:
            return {"version": condition.version or condition.etag}
        return {"e_tag": f'"{condition.etag}"'}

    def _known(self, raw: tuple[tuple[str, str], ...]) -> ObjectAttributes | None:
        found = self._decoded.get(raw)
        if found is None and (found := self._decode(dict(raw))) is not None:
            if len(self._decoded) >= _MOST_KEPT:
                self._decoded.clear()
            self._decoded[raw] = found
        return found

    def _sent(self, attributes: ObjectAttributes) -> Attributes | None:
        held = self._encoded.get(id(attributes))
        if held is not None:
            return held[1]
        encoded = self._encode(attributes)
        if encoded is not None:
            if len(self._encoded) >= _MOST_KEPT:
                self._encoded.clear()
            self._encoded[id(attributes)] = (attributes, encoded)
        return encoded


def _check_declines(err: BaseException) -> None:
    """Raise what is no failure of a request: an interrupt, Airflow's timeout.

    A panic in obstore is no ``Exception``, and fails a request.
    """
    if isinstance(err, MemoryError) or not (
        isinstance(err, Exception) or type(err).__name__ == "PanicException"
    ):
        raise err

"""Reading Cloud Storage objects: through obstore, or JSON for what obstore can't read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.bodies import EmptyBody, StreamedBody
from airflow_multicloud.adapters.reading import byte_range
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase, name_of
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.clouds.gcp.object_store.fields import checked_generation, generation_of
from airflow_multicloud.clouds.gcp.object_store.headers import (
    known_generation,
    read_length,
    read_meta,
    told_attributes,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import GCSStore
    from typing_extensions import Buffer

_CHUNK = 1 << 20


class GCSReads(ObjectStoreBase):
    """Reads of one object."""

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata."""
        return self._stat(ref, f"looking at {name_of(ref)}")

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read a range as stored; the answer's generation is compared with ``if_etag``."""
        doing = f"reading {name_of(ref)}"
        body = self._open_or_empty(ref, start, end, doing)
        try:
            for wanted in (ref.version, if_etag):
                _check_generation(body.meta, wanted, doing)
            if start or end is not None or body.meta.attributes is not None:
                return body
            return _Described(body, self._described(body.meta, doing))
        except BaseException:
            if isinstance(body, StreamedBody):
                body.close()
            raise

    def _described(self, read: ObjectMeta, doing: str) -> ObjectMeta:
        """What the object that is being read has for attributes and digests."""
        try:
            return self._stat(ObjectRef(read.bucket, read.key, read.version), doing)
        except StorageError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            raise StorageError(
                f"{doing}: the object changed while it was read",
                kind=ErrorKind.SOURCE_CHANGED,
                cloud=NAME,
            ) from err

    def _open_or_empty(
        self, ref: ObjectRef, start: int, end: int | None, doing: str
    ) -> EmptyBody | StreamedBody:
        if end is not None and end <= start:  # HTTP can't ask for an empty range
            return EmptyBody(self._stat(ref, doing))
        try:
            return self._open_body(ref, start, end, doing)
        except StorageError as err:
            # No range of an empty object can be satisfied.
            if err.kind is not ErrorKind.INVALID_ARGUMENT or not (start or end is not None):
                raise
            meta = self._stat(ref, doing)
            if meta.size > 0:
                raise
            return EmptyBody(meta)

    def _open_body(self, ref: ObjectRef, start: int, end: int | None, doing: str) -> StreamedBody:
        store = self._store(ref.bucket) if _obstore.is_plain_key(ref.key) else None
        if store is not None:
            try:
                return self._from_obstore(store, ref, start, end, doing)
            except StorageError as err:
                if not _obstore.unreadable_headers(err):
                    raise
        return self._from_json(ref, start, end, doing)

    def _from_obstore(
        self, store: GCSStore, ref: ObjectRef, start: int, end: int | None, doing: str
    ) -> StreamedBody:
        version = checked_generation(ref.version) if ref.version else None
        options = _obstore.get_options(start, end, version=version)
        with translated(doing):
            self._api.ensure_fresh()
        with _obstore.translated(NAME, doing):
            result = _obstore.get(store, ref.key, options, cloud=NAME, doing=doing)
        found = result.meta
        generation = known_generation(found["version"], doing)
        meta = ObjectMeta(
            bucket=ref.bucket,
            key=ref.key,
            size=found["size"],
            etag=generation,
            version=generation,
            last_modified=found["last_modified"],
            attributes=told_attributes({str(n): v for n, v in result.attributes.items()}),
        )
        first, last = result.range
        return _obstore.body_of(result, meta, length=last - first, cloud=NAME, doing=doing)

    def _from_json(self, ref: ObjectRef, start: int, end: int | None, doing: str) -> StreamedBody:
        with translated(doing):
            response = self._api.media(
                ref.bucket, ref.key, generation_of(ref), byte_range(start, end)
            )
        try:
            with well_formed(doing, NAME):
                length = read_length(response.headers)
                meta = read_meta(ref, response.headers, doing)
        except StorageError:
            response.close()
            raise
        return StreamedBody(
            meta,
            lambda: response.stream(_CHUNK, decode_content=False),
            length=length,
            doing=doing,
            cloud=NAME,
            translated=translated,
            # When all was read the pool has the connection back, and this does nothing.
            close=response.close,
        )


def _check_generation(meta: ObjectMeta, wanted: str | None, doing: str) -> None:
    if wanted and wanted != meta.version:
        raise StorageError(
            f"{doing}: is generation {meta.version} by now, not {wanted}",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=NAME,
        )


class _Described:
    """A read, with all that is known of its object."""

    def __init__(self, body: ObjectBody, meta: ObjectMeta) -> None:
        self._body = body
        self._meta = meta

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range."""
        return self._body.read()

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks as they arrive."""
        return iter(self._body)

"""Reading Cloud Storage objects: through obstore, or JSON for what obstore can't read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import GCSStore

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import (
    UNKNOWN_TIME,
    http_date,
    not_an_answer,
    size_of,
    well_formed,
)
from airflow_multicloud.adapters.attributes import (
    decode_metadata,
    header_text,
)
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import (
    CONNECT_SECONDS,
    READ_SECONDS,
    object_path,
)
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.clouds.gcp.object_store.fields import (
    checked_generation,
    generation_of,
    meta_of,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectAttributes,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import urllib3
    from obstore import GetOptions
    from obstore.store import ClientConfig
    from typing_extensions import Buffer

    from airflow_multicloud.clouds.gcp.object_store.client import JsonApi

_CHUNK = 1 << 20
# obstore's ``timeout`` covers the whole body, however large; ``read_timeout`` is what ends a
# download that stands still.
_HEADERS = {
    "Content-Type": "content_type",
    "Content-Encoding": "content_encoding",
    "Content-Language": "content_language",
    "Content-Disposition": "content_disposition",
}
_METADATA = "X-Goog-Meta-"
_NO_OVERALL_TIMEOUT = timedelta(days=1)


class Reader:
    """Reads through one :class:`JsonApi`'s endpoint and credentials."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api
        self._stores: dict[str, GCSStore] = {}
        self._alone = _obstore.only_to(api.endpoint)

    def read(
        self, ref: ObjectRef, *, start: int, end: int | None, if_etag: str | None, doing: str
    ) -> ObjectBody:
        """Open bytes ``start`` up to ``end`` of the live object or of ``ref.version``.

        :param if_etag: the generation that is to be read (kind ``precondition_failed``).
        """
        body = self._open_or_empty(ref, start=start, end=end, doing=doing)
        try:
            for wanted in (ref.version, if_etag):
                _check_other(body.meta, wanted, doing)
            if start or end is not None or body.meta.attributes is not None:
                return body
            return _Described(body, self._described(body.meta, doing))
        except BaseException:
            if isinstance(body, _JsonBody):
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
        self, ref: ObjectRef, *, start: int, end: int | None, doing: str
    ) -> ObjectBody:
        if end is not None and end <= start:  # HTTP can't ask for an empty range
            return _EmptyBody(self._stat(ref, doing))
        try:
            return self._open(ref, start=start, end=end, doing=doing)
        except StorageError as err:
            # No range of an empty object can be satisfied.
            if err.kind is not ErrorKind.INVALID_ARGUMENT or not (start or end is not None):
                raise
            meta = self._stat(ref, doing)
            if meta.size > 0:
                raise
            return _EmptyBody(meta)

    def _open(self, ref: ObjectRef, *, start: int, end: int | None, doing: str) -> ObjectBody:
        store = self._store(ref.bucket) if _obstore.is_plain_key(ref.key) else None
        if store is not None:
            try:
                return self._from_obstore(store, ref, start=start, end=end, doing=doing)
            except StorageError as err:
                if not _obstore.unreadable_headers(err):
                    raise
        return self._from_json(ref, start=start, end=end, doing=doing)

    def _stat(self, ref: ObjectRef, doing: str) -> ObjectMeta:
        with translated(doing):
            found = self._api.call("GET", object_path(ref.bucket, ref.key), generation_of(ref))
        return meta_of(ref.bucket, found)

    def _from_obstore(
        self, store: GCSStore, ref: ObjectRef, *, start: int, end: int | None, doing: str
    ) -> ObjectBody:
        options: GetOptions = {}
        if ref.version:
            options["version"] = checked_generation(ref.version)
        if end is not None:
            options["range"] = (start, end)
        elif start:
            options["range"] = {"offset": start}
        with translated(doing):
            self._api.ensure_fresh()
        with _obstore.translated(NAME, doing):
            result = _obstore.get(store, ref.key, options, cloud=NAME, doing=doing)
        found = result.meta
        generation = _known(found["version"], doing)
        meta = ObjectMeta(
            bucket=ref.bucket,
            key=ref.key,
            size=found["size"],
            etag=generation,
            version=generation,
            last_modified=found["last_modified"],
            attributes=_told_by({str(n): v for n, v in result.attributes.items()}),
        )
        first, last = result.range
        return _obstore.body_of(result, meta, length=last - first, cloud=NAME, doing=doing)

    def _from_json(self, ref: ObjectRef, *, start: int, end: int | None, doing: str) -> ObjectBody:
        byte_range = None
        if start or end is not None:
            byte_range = f"bytes={start}-{'' if end is None else end - 1}"
        with translated(doing):
            response = self._api.media(ref.bucket, ref.key, generation_of(ref), byte_range)
        headers = response.headers
        try:
            with well_formed(doing, NAME):
                length = size_of(headers["content-length"])
                # "bytes 0-9/100": the whole object's size stands behind the slash.
                size = size_of(headers.get("content-range", f"/{length}").rpartition("/")[2])
                generation = _known(headers.get("x-goog-generation"), doing)
                modified = headers.get("last-modified")
                meta = ObjectMeta(
                    bucket=ref.bucket,
                    key=ref.key,
                    size=size,
                    etag=generation,
                    version=generation,
                    last_modified=http_date(modified) if modified else UNKNOWN_TIME,
                    attributes=_told_by(_attribute_headers(headers)),
                )
        except StorageError:
            response.close()
            raise
        return _JsonBody(response, meta, length=length, doing=doing)

    def _store(self, bucket: str) -> GCSStore | None:
        """The bucket for obstore; ``None`` behind a proxy, see :func:`_obstore.only_to`."""
        if self._alone is None:
            return None
        if (store := self._stores.get(bucket)) is None:
            api = self._api
            headers = {"accept-encoding": "gzip"}  # as stored, never decompressed
            if api.quota_project:
                headers["x-goog-user-project"] = api.quota_project
            client: ClientConfig = {
                **self._alone,
                "default_headers": headers,
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "read_timeout": timedelta(seconds=READ_SECONDS),
                "timeout": _NO_OVERALL_TIMEOUT,
            }
            store = self._stores[bucket] = GCSStore(
                bucket,
                base_url=api.endpoint,
                client_options=client,
                retry_config={"max_retries": api.retries},
                # Anonymous ones too, which are not asked for: without a provider obstore fails on
                # a key file that the environment names and that is none.
                credential_provider=api.obstore_credential,
                skip_signature=api.anonymous,
            )
        return store


def _told_by(headers: Mapping[str, str]) -> ObjectAttributes | None:
    """The attributes that a download's headers tell; ``None`` when they don't.

    Those of a private object have a Cache-Control that it does not have itself, and so have those
    of a public one (https://cloud.google.com/storage/docs/metadata#cache-control).
    """
    if "Cache-Control" in headers:
        return None
    named = dict(headers)
    named.pop("Storage-Class", None)
    fields = {field: named.pop(header, None) for header, field in _HEADERS.items()}
    return ObjectAttributes(**fields, metadata=decode_metadata(named))


def _attribute_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a JSON download as obstore names those of an XML one."""
    found = {}
    for name, value in headers.items():
        title = name.title()
        if title in _HEADERS or title == "Cache-Control":
            found[title] = header_text(value)
        elif title.startswith(_METADATA):
            found[name[len(_METADATA) :].lower()] = header_text(value)
    return found


def _check_other(meta: ObjectMeta, wanted: str | None, doing: str) -> None:
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


class _EmptyBody:
    """A read of no bytes."""

    def __init__(self, meta: ObjectMeta) -> None:
        self._meta = meta

    @property
    def meta(self) -> ObjectMeta:
        """The object that was to be read."""
        return self._meta

    def read(self) -> Buffer:
        """No bytes."""
        return b""

    def __iter__(self) -> Iterator[Buffer]:
        """No chunks."""
        return iter(())


class _JsonBody:
    """The body of an open JSON download, never decoded."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, meta: ObjectMeta, *, length: int, doing: str
    ) -> None:
        self._response = response
        self._meta = meta
        self._length = length
        self._doing = doing

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range."""
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in chunks as they arrive."""
        seen = 0
        stream = self._response.stream(_CHUNK, decode_content=False)
        try:
            while True:
                with translated(self._doing):
                    chunk = next(stream, None)
                if chunk is None:
                    break
                seen += len(chunk)
                yield chunk
        finally:
            self.close()
        if seen != self._length:
            raise StorageError(
                f"{self._doing}: {seen} of {self._length} bytes arrived",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )

    def close(self) -> None:
        """Close the connection, unless all was read: then the pool has it back."""
        self._response.close()


def _known(generation: str | None, doing: str) -> str:
    """The generation that an answer must name: without it nothing pins what is read."""
    if not generation:
        raise not_an_answer(doing, NAME, "no x-goog-generation, so the object read is not known")
    return generation

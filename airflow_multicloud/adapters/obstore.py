"""What the object stores share that read and write small objects through obstore (Rust).

obstore addresses objects by a normalised path, so it can't name every key; a hook asks
:func:`is_plain_key` first and takes its SDK for the others. Its error texts hold request
URLs, whose query may be a signature: they are redacted here and never chained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
import obstore.exceptions as obs
from requests.utils import get_environ_proxies, select_proxy

from airflow_multicloud.adapters.answers import kind_of_status, redirected
from airflow_multicloud.adapters.bodies import StreamedBody
from airflow_multicloud.adapters.sdk_logs import without_secrets
from airflow_multicloud.adapters.secret_text import without_header_values
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, IfUnchanged

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, GetResult, PutMode, PutResult
    from obstore.store import ClientConfig, ObjectStore
    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ObjectMeta, WriteCondition

#: Larger chunks leave as much again to the allocator, for every thread that reads.
_CHUNK = 256 << 10
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUERY = re.compile(r"\?[^\s\"'`]*")
# An answer's body; who knows its cloud's says what can be said of it.
_XML = re.compile(r":\s*\ufeff?<[?A-Za-z].*")
# A stall is a GenericError; only its debug text names reqwest's kind of error.
_TIMED_OUT = re.compile(r"\n\s+kind: Timeout,|timed out")
_STATUS = re.compile(r"status code: (\d{3})")
# object_store 0.14, client/header.rs and client/get.rs: of an answer that is there.
_HEADERS = re.compile(
    r"non UTF-8 characters|non-ASCII data|Header missing from response|Invalid last modified"
    r"|Invalid content length"
)

# Nothing can listen there, and no message names it but for :func:`only_to`.
_NOWHERE = "127.0.0.1:0"
_REDIRECTED = re.compile(rf"tcp connect error\",\s+{re.escape(_NOWHERE)},")

_BY_TYPE: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (obs.NotFoundError, ErrorKind.NOT_FOUND),
    (obs.AlreadyExistsError, ErrorKind.ALREADY_EXISTS),
    (obs.PreconditionError, ErrorKind.PRECONDITION_FAILED),
    (obs.NotModifiedError, ErrorKind.PRECONDITION_FAILED),
    (obs.PermissionDeniedError, ErrorKind.PERMISSION_DENIED),
    (obs.UnauthenticatedError, ErrorKind.UNAUTHENTICATED),
    (obs.NotSupportedError, ErrorKind.UNSUPPORTED),
)

_BY_STATUS = {
    "400": ErrorKind.INVALID_ARGUMENT,
    "401": ErrorKind.UNAUTHENTICATED,
    "403": ErrorKind.PERMISSION_DENIED,
    "404": ErrorKind.NOT_FOUND,
    "408": ErrorKind.TIMEOUT,
    "409": ErrorKind.PRECONDITION_FAILED,
    "412": ErrorKind.PRECONDITION_FAILED,
    "416": ErrorKind.INVALID_ARGUMENT,
    "429": ErrorKind.THROTTLED,
    "501": ErrorKind.UNSUPPORTED,
    "503": ErrorKind.UNAVAILABLE,
    "504": ErrorKind.TIMEOUT,
}


def is_plain_key(key: str) -> bool:
    """Whether obstore names exactly this key by this path.

    Its paths drop leading and trailing slashes and refuse empty, ``.`` and ``..`` segments
    and control characters (object_store's ``Path``).
    """
    return not _CONTROL.search(key) and all(
        segment not in ("", ".", "..") for segment in key.split("/")
    )


def only_to(url: str) -> ClientConfig | None:
    """Client options by which nothing is sent to any other host than the URL's.

    obstore follows redirects, with the session token in its headers, and has no option to leave
    that off. So every other host is behind a proxy that does not exist. What stays possible is a
    redirect to another port of the same host.

    ``None`` where the environment has a proxy for the URL: it would have to be the proxy for a
    redirect too, so obstore is of no use there.
    """
    if select_proxy(url, get_environ_proxies(url)):
        return None
    parts = urlsplit(url)
    return {
        "allow_http": parts.scheme == "http",
        "proxy_url": f"http://{_NOWHERE}",
        "proxy_excludes": parts.hostname or "",
    }


def redact(text: str) -> str:
    """The first line of an error text without URL queries, which may carry signatures.

    Without the XML that the service answered either, of which that line is the beginning.
    """
    first = text.strip().split("\n", 1)[0]
    return without_header_values(without_secrets(_QUERY.sub("?…", _XML.sub("", first))))


@contextmanager
def translated(cloud: str, doing: str) -> Iterator[None]:
    """Turn obstore's exceptions into this package's; ``doing`` names the call and object."""
    try:
        yield
    except CloudError:
        raise
    except (obs.BaseError, FileNotFoundError, TimeoutError) as err:
        if _REDIRECTED.search(str(err)):
            raise redirected(doing, cloud) from None
        kind = _kind(err)
        area = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else StorageError
        raise area(f"{doing}: {redact(str(err))}", kind=kind, cloud=cloud) from None


def unreadable_headers(err: CloudError) -> bool:
    """Whether obstore gave an answer up for a header that it can't take: another client can."""
    return _HEADERS.search(str(err)) is not None


def _kind(err: Exception) -> ErrorKind:
    for cls, kind in _BY_TYPE:
        if isinstance(err, cls):
            return kind
    if isinstance(err, FileNotFoundError):
        return ErrorKind.NOT_FOUND
    text = str(err)
    if status := _STATUS.search(text):
        return _BY_STATUS.get(status[1]) or kind_of_status(int(status[1]))
    if _TIMED_OUT.search(text) or isinstance(err, TimeoutError):
        return ErrorKind.TIMEOUT
    return ErrorKind.UNAVAILABLE


def get(store: ObjectStore, key: str, options: GetOptions, *, cloud: str, doing: str) -> GetResult:
    """A read; what obstore panics at is an error like any other.

    :raises StorageError: kind ``integrity``.
    """
    etag = options.get("if_match") or ""
    if _CONTROL.search(etag):
        raise StorageError(
            f"{doing}: its ETag has control characters, which no request can name: {etag!r}",
            kind=ErrorKind.INTEGRITY,
            cloud=cloud,
        )
    try:
        return obstore.get(store, key, options=options)
    except BaseException as err:
        if type(err).__name__ != "PanicException":
            raise
        raise StorageError(
            f"{doing}: the answer can't be read", kind=ErrorKind.INTEGRITY, cloud=cloud
        ) from None


def put(
    store: ObjectStore, key: str, data: Buffer, attributes: Attributes, mode: PutMode
) -> PutResult:
    """One atomic write; a conditional one is sent again, once, when its connection broke.

    obstore itself repeats only unconditional ones. A write that had arrived then fails by its own
    object, which callers recognise by its digest; none is made twice.
    """
    try:
        return obstore.put(store, key, data, attributes=attributes, mode=mode, use_multipart=False)
    except obs.BaseError as err:
        broke = _kind(err) is ErrorKind.UNAVAILABLE and not _STATUS.search(str(err))
        if mode == "overwrite" or not broke:
            raise
    return obstore.put(store, key, data, attributes=attributes, mode=mode, use_multipart=False)


def put_mode(condition: WriteCondition | None) -> PutMode:
    """A write condition as obstore has it, where an ETag is what identifies content."""
    match condition:
        case IfAbsent():
            return "create"
        case IfUnchanged(etag=etag):
            return {"e_tag": f'"{etag}"'}
        case None:
            return "overwrite"


def get_options(
    start: int, end: int | None, *, version: str | None = None, if_match: str | None = None
) -> GetOptions:
    """Obstore's options for bytes ``start`` up to ``end``.

    :param if_match: the ETag as the header has it, with its quotes.
    """
    options: GetOptions = {}
    if if_match is not None:
        options["if_match"] = if_match
    if version:
        options["version"] = version
    if end is not None:
        options["range"] = (start, end)
    elif start:
        options["range"] = {"offset": start}
    return options


def body_of(
    result: GetResult, meta: ObjectMeta, *, length: int, cloud: str, doing: str
) -> StreamedBody:
    """An obstore read as the port's ``ObjectBody``."""
    return StreamedBody(
        meta,
        lambda: result.stream(min_chunk_size=_CHUNK),
        length=length,
        doing=doing,
        cloud=cloud,
        translated=partial(translated, cloud),
        whole=result.bytes,
    )

"""Files that are read or written as streams: local, or in any object store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.core.failover.targets import FileTarget, Staged
from airflow_multicloud.core.streams import stage_stream
from airflow_multicloud.errors import (
    CloudError,
    ErrorKind,
    StorageError,
    kind_of_os_error,
)
from airflow_multicloud.opening.endpoints import open_endpoint

if TYPE_CHECKING:
    from typing_extensions import Buffer

_SEPARATOR = "://"
_CHUNK = 1 << 20


def is_uri(where: str | Path) -> bool:
    """Whether it lies in an object store rather than on this machine."""
    return isinstance(where, str) and _SEPARATOR in where


def stream_place(
    parameter: str, where: str | Path, *, error: type[CloudError] = StorageError
) -> Iterator[Buffer]:
    """The bytes of a file or an object, some at a time.

    :param parameter: what ``where`` was given for, for errors.
    :param error: the class of what is raised for a file.
    :raises CloudError: naming ``parameter``; kind ``not_found``, ``invalid_argument`` for what is
        no file, or the kind of the store's or the system's error, also between chunks.
    """
    if not is_uri(where):
        yield from _read_file(parameter, Path(where), error)
        return
    endpoint = open_endpoint(str(where), parameter=parameter)
    try:
        yield from endpoint.store.get_object(endpoint.location.ref)
    except CloudError as err:
        if str(endpoint.location) in str(err):
            raise
        raise err.with_context(f"{parameter}: {endpoint.location}") from err


def read_place(
    parameter: str, where: str | Path, limit: int, *, error: type[CloudError] = StorageError
) -> bytes:
    """The content of a file or an object.

    :param parameter: what ``where`` was given for, for errors.
    :param limit: in bytes.
    :param error: the class of what is raised for a file, and for more than the limit.
    :raises CloudError: as :func:`stream_place`; kind ``invalid_argument`` for more than the limit.
    """
    content = bytearray()
    for chunk in stream_place(parameter, where, error=error):
        content += chunk
        if len(content) > limit:
            raise error(
                f"{parameter}: {where} has more than {limit >> 20} MiB",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
    return bytes(content)


def check_place(
    parameter: str, where: str | Path, *, error: type[CloudError] = StorageError
) -> Endpoint | None:
    """Refuse what can't be written to, before anything is asked of anybody.

    That is a directory, a prefix, and what is kept for this package's own files.

    :param error: the class of what is raised for what is no place.
    :return: where the object is to be; ``None`` for a local file.
    :raises CloudError: kind ``invalid_argument``.
    """
    text = str(where)
    if not text.strip() or text.endswith("/") or (not is_uri(where) and Path(text).is_dir()):
        raise error(
            f"{parameter}: {text!r} given, expected a file's path or an object's URI, "
            "not a directory or prefix",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if not is_uri(where):
        return None
    endpoint = open_endpoint(text, parameter=parameter)
    check_reserved(endpoint, parameter=parameter)
    return endpoint


def stage_place(parameter: str, where: str | Path, chunks: Iterable[Buffer]) -> Staged:
    """Send the bytes of a file or an object that is put in place, whole, when that is committed.

    :raises CloudError: as :func:`check_place`; kind ``quota`` when the disk is full.
    """
    endpoint = check_place(parameter, where)
    if endpoint is None:
        return FileTarget(Path(where)).stage(chunks)
    return stage_stream(endpoint, endpoint.location.key, chunks)


def _read_file(parameter: str, path: Path, error: type[CloudError]) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError as err:
        raise error(f"{parameter}: there is no file {path}", kind=ErrorKind.NOT_FOUND) from err
    except (OSError, ValueError) as err:
        why, kind = str(err), ErrorKind.INVALID_ARGUMENT
        if isinstance(err, OSError):
            why, kind = err.strerror or why, kind_of_os_error(err)
        raise error(f"{parameter}: {path} can't be read: {why}", kind=kind) from err

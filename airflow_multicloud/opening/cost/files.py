"""Small files of the cost questions (price tables, rates): local, or in any object store."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import (
    CloudError,
    CostAnalysisError,
    ErrorKind,
    StorageError,
    kind_of_os_error,
)
from airflow_multicloud.opening import places
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.places import is_uri


def read_place(parameter: str, where: str | Path, limit: int) -> bytes:
    """The content of a file or an object.

    :param parameter: what ``where`` was given for, for errors.
    :param limit: in bytes.
    :raises CloudError: kind ``not_found``; kind ``invalid_argument`` for more than the limit, or
        what is no file; for a file that can't be read, the kind of the system's error.
    """
    if not is_uri(where):
        return _read_file(parameter, Path(where), limit)
    endpoint = open_endpoint(str(where), parameter=parameter)
    body = endpoint.store.get_object(endpoint.location.ref)
    content = bytearray()
    for chunk in body:
        content += chunk
        if len(content) > limit:
            raise _too_large(parameter, where, limit)
    return bytes(content)


def find_place(parameter: str, where: str | Path, limit: int) -> bytes | None:
    """:func:`read_place`; ``None`` where nothing is there yet."""
    try:
        return read_place(parameter, where, limit)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return None


def check_place(parameter: str, where: str | Path) -> Endpoint | None:
    """As :func:`airflow_multicloud.opening.places.check_place`, with an error of costs."""
    return places.check_place(parameter, where, error=CostAnalysisError)


def write_place(parameter: str, where: str | Path, content: bytes) -> str:
    """Put a file or an object in place, whole or not at all; returns its path or URI.

    A new file has the permissions that the umask gives, one that is replaced keeps its own, and a
    symbolic link is followed.

    :raises CloudError: as :func:`check_place`; kind ``quota`` when the disk is full.
    """
    endpoint = check_place(parameter, where)
    if endpoint is None:
        return _write_file(parameter, Path(where), content)
    put_stream(endpoint, endpoint.location.key, [content])
    return str(endpoint.location)


def _read_file(parameter: str, path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError as err:
        raise CostAnalysisError(
            f"{parameter}: there is no file {path}", kind=ErrorKind.NOT_FOUND
        ) from err
    except (OSError, ValueError) as err:
        raise _unusable(parameter, path, "read", err) from err
    if len(content) > limit:
        raise _too_large(parameter, path, limit)
    return content


def _write_file(parameter: str, path: Path, content: bytes) -> str:
    try:
        FileTarget(path).stage([content]).commit()
    except StorageError as err:
        why = str(err).removeprefix("target: ")
        raise CostAnalysisError(
            f"{parameter}: {path} can't be written: {why}", kind=err.kind
        ) from err
    except ValueError as err:
        raise _unusable(parameter, path, "written", err) from err
    return str(path)


def _unusable(
    parameter: str, path: Path, what: str, err: OSError | ValueError
) -> CostAnalysisError:
    why, kind = str(err), ErrorKind.INVALID_ARGUMENT
    if isinstance(err, OSError):
        why, kind = err.strerror or why, kind_of_os_error(err)
    return CostAnalysisError(f"{parameter}: {path} can't be {what}: {why}", kind=kind)


def _too_large(parameter: str, where: str | Path, limit: int) -> CostAnalysisError:
    return CostAnalysisError(
        f"{parameter}: {where} has more than {limit >> 20} MiB",
        kind=ErrorKind.INVALID_ARGUMENT,
    )

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
)
from airflow_multicloud.opening import places


def read_place(parameter: str, where: str | Path, limit: int) -> bytes:
    """As :func:`airflow_multicloud.opening.places.read_place`, with an error of costs."""
    return places.read_place(parameter, where, limit, error=CostAnalysisError)


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


def _write_file(parameter: str, path: Path, content: bytes) -> str:
    try:
        FileTarget(path).stage([content]).commit()
    except StorageError as err:
        why = str(err).removeprefix("target: ")
        raise CostAnalysisError(
            f"{parameter}: {path} can't be written: {why}", kind=err.kind
        ) from err
    except ValueError as err:
        raise CostAnalysisError(
            f"{parameter}: {path} can't be written: {err}", kind=ErrorKind.INVALID_ARGUMENT
        ) from err
    return str(path)

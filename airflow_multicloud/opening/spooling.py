"""What can be read only once, such as a pipe, kept so that it can be read again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from airflow_multicloud.core import cancellation
from airflow_multicloud.errors import ErrorKind, StorageError, kind_of_os_error
from airflow_multicloud.opening.places import is_uri, stream_place
from airflow_multicloud.text import size_text

#: What is kept at most, in the directory for temporary files.
MOST_BYTES = 10**9
_CHUNK = 1 << 20


def is_read_once(where: str | Path) -> bool:
    """Whether it is there and no regular file, so that a second reading would find nothing."""
    path = Path(where)
    return not is_uri(where) and path.exists() and not path.is_file() and not path.is_dir()


class Spool:
    """The bytes of what can be read only once, in a temporary file until it is closed.

    :param parameter: what ``where`` was given for, for errors.
    """

    def __init__(self, parameter: str, where: str | Path) -> None:
        self._parameter = parameter
        self._where = where
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - its owner closes it
        self._is_full = False

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def read(self) -> Iterator[bytes]:
        """All of it from the beginning, each time.

        :raises CloudError: as :func:`~airflow_multicloud.opening.places.stream_place`; kind
            ``invalid_argument`` for more than :data:`MOST_BYTES`, ``quota`` when the disk is full.
        """
        try:
            if not self._is_full:
                self._fill()
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                yield chunk
        except OSError as err:
            raise StorageError(
                f"{self._parameter}: {self._where} can't be kept in {tempfile.gettempdir()} to be "
                f"read again: {err.strerror or err}",
                kind=kind_of_os_error(err),
            ) from err

    def _fill(self) -> None:
        size = 0
        for chunk in stream_place(self._parameter, self._where):
            cancellation.check()
            size += len(memoryview(chunk))
            if size > MOST_BYTES:
                raise StorageError(
                    f"{self._parameter}: {self._where} is no regular file, and has more than "
                    f"{size_text(MOST_BYTES)}, which is what is kept to be read again; write it "
                    "to a file, and give that",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
            self._file.write(chunk)
        self._file.flush()
        self._is_full = True

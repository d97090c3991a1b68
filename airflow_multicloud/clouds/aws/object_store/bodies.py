"""Bodies on their way through boto3, without needless copies or tiny reads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from awscrt import checksums  # type: ignore[import-untyped]

from airflow_multicloud.clouds.aws.errors import CLOUD
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import Digests, ObjectMeta

_CHUNK = 1 << 20


class OutgoingBody:
    """A buffer that boto3 takes for a file and sends as it is.

    boto3 takes no memoryview, and urllib3 reads files 16 KiB at a time; this answers its
    first ``read`` with everything that is left, so the buffer goes to the socket uncopied.
    """

    def __init__(self, data: Buffer) -> None:
        self._view = memoryview(data).cast("B")
        self._position = 0

    def __len__(self) -> int:
        return len(self._view)

    def read(self, _size: int = -1) -> memoryview | bytes:
        """Everything from the current position on."""
        rest = self._view[self._position :]
        self._position = len(self._view)
        return rest or b""

    def tell(self) -> int:
        """The current position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position (boto3 rewinds before it signs and before it retries)."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}
        self._position = base[whence] + offset
        return self._position


def crc32c_of(body: Buffer) -> str:
    """A buffer's CRC32C in hexadecimal."""
    return f"{checksums.crc32c(body):08x}"


def md5_of(body: Buffer) -> str:
    """A buffer's MD5 in hexadecimal."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def sha256_of(body: Buffer) -> str:
    """A buffer's SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def check_other_bytes(body: Buffer, digests: Digests, doing: str) -> None:
    """Compare a body with what the caller computed over it, before anything is sent.

    :raises StorageError: kind ``integrity``.
    """
    actual = {
        "crc32c": crc32c_of(body) if digests.crc32c else None,
        "sha256": sha256_of(body) if digests.sha256 else None,
        "md5": md5_of(body) if digests.md5 else None,
    }
    for name, value in actual.items():
        if value is not None and value != getattr(digests, name):
            raise StorageError(
                f"{doing}: the body's {name} is {value}, digests say {getattr(digests, name)}",
                kind=ErrorKind.INTEGRITY,
                cloud=CLOUD,
            )


class SdkBody:
    """A boto3 read as the port's ``ObjectBody``."""

    def __init__(self, stream: Any, meta: ObjectMeta, *, length: int, doing: str) -> None:
        self._stream = stream
        self._meta = meta
        self._length = length
        self._doing = doing

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range."""
        with translated(self._doing):
            data: bytes = self._stream.read()
        self._check(len(data))
        return data

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks of 1 MiB."""
        seen = 0
        while True:
            with translated(self._doing):
                chunk: bytes = self._stream.read(_CHUNK)
            if not chunk:
                break
            seen += len(chunk)
            yield chunk
        self._check(seen)

    def _check(self, got: int) -> None:
        if got != self._length:
            raise StorageError(
                f"{self._doing}: {got} of {self._length} bytes arrived",
                kind=ErrorKind.INTEGRITY,
                cloud=CLOUD,
            )


class EmptyBody:
    """No bytes: a zero-byte object, or a range without bytes."""

    def __init__(self, meta: ObjectMeta) -> None:
        self._meta = meta

    @property
    def meta(self) -> ObjectMeta:
        """The object that was read."""
        return self._meta

    def read(self) -> Buffer:
        """Nothing."""
        return b""

    def __iter__(self) -> Iterator[Buffer]:
        """Nothing."""
        return iter(())

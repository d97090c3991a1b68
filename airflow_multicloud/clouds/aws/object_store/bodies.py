"""A body on its way out through boto3, without needless copies or tiny reads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


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

    def readinto(self, target: memoryview) -> int:
        """The next bytes into ``target``: so awscrt reads what it signs, and in no other way."""
        part = self._view[self._position : self._position + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        """The current position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position (boto3 rewinds before it signs and before it retries)."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}
        self._position = base[whence] + offset
        return self._position

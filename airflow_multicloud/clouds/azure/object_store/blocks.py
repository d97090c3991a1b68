"""Blocks: their limits, their lists, and ids that say which part of which upload they are.

"Put Block" (https://learn.microsoft.com/rest/api/storageservices/put-block): an id is at most
64 bytes before Base64, and all ids of one blob have the same length. Ours have 64: a mark,
the upload id (a random number, a digest of the encryption scope, the token of the run that began
it), the part's number, when it was sent (microseconds) and its CRC32C.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import RUN_LENGTH, Digests, Part, PartLimits, PartUpload

_MARK = "amc2"
_RANDOM, _SCOPE, _NUMBER, _SENT, _CRC32C = 8, 6, 3, 9, 6
_UPLOAD = _RANDOM + _SCOPE + RUN_LENGTH
_ID = re.compile(
    rf"{_MARK}([\w~-]{{{_UPLOAD}}})([\w-]{{{_NUMBER}}})([\w-]{{{_SENT}}})([\w-]{{{_CRC32C}}})",
    re.ASCII,
)
_NO_RUN = "~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIB = 1 << 20
#: https://learn.microsoft.com/azure/storage/blobs/scalability-targets
LIMITS = PartLimits(
    put_limit=5_000 * _MIB,
    min_part=1,
    max_part=4_000 * _MIB,
    max_parts=50_000,
    max_object=50_000 * 4_000 * _MIB,
    expiry=timedelta(days=7),
)
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SCOPE_MARK = "."
_REPLACES = "!"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of ours: its id, and what the id says."""

    block_id: str
    upload: str
    number: int
    sent: datetime
    crc32c: str
    size: int

    def as_part(self) -> Part:
        """The port's view; the id is the token."""
        digests = Digests(crc32c=self.crc32c)
        return Part(self.number, self.size, self.block_id, digests, self.sent)


def new_upload_id(
    encryption_scope: str | None, *, replaces: str | None = None, run: str | None = None
) -> str:
    """A fresh upload id, which carries the encryption scope that every block needs as well.

    :param replaces: the ETag of a blob of another type, to be deleted before blocks are taken.
    :param run: the token of the run that begins it.
    """
    number = secrets.token_urlsafe(_RANDOM)[:_RANDOM]
    upload = number + _scope_digest(encryption_scope) + (run or "").ljust(RUN_LENGTH, _NO_RUN)
    return with_scope(upload + (f"{_REPLACES}{replaces}" if replaces else ""), encryption_scope)


def with_scope(upload: str, encryption_scope: str | None) -> str:
    """The upload id of an upload by the part of it that block ids hold."""
    return f"{upload}{_SCOPE_MARK}{encryption_scope}" if encryption_scope else upload


def split_upload_id(upload_id: str) -> tuple[str, str | None]:
    """The part of an upload id that block ids hold, and the encryption scope."""
    upload, _, scope = upload_id.partition(_SCOPE_MARK)
    return upload.partition(_REPLACES)[0], scope or None


def run_of(upload_id: str) -> str | None:
    """The token of the run that began an upload, if it was given one."""
    upload, _ = split_upload_id(upload_id)
    return upload[_RANDOM + _SCOPE :].rstrip(_NO_RUN) or None


def replaces(upload_id: str) -> str | None:
    """The ETag of the blob of another type that was there when this upload began."""
    return upload_id.partition(_SCOPE_MARK)[0].partition(_REPLACES)[2] or None


def is_of_scope(upload: str, encryption_scope: str | None) -> bool:
    """Whether an upload, by the part of its id that block ids hold, is of this scope."""
    return upload[_RANDOM : _RANDOM + _SCOPE] == _scope_digest(encryption_scope)


def _scope_digest(encryption_scope: str | None) -> str:
    digest = hashlib.sha256((encryption_scope or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:_SCOPE]


def new_block_id(upload: str, number: int, crc32c: str) -> str:
    """The id for a part about to be sent."""
    sent = _packed(time.time_ns() // 1000, _SENT)
    return f"{_MARK}{upload}{_packed(number, _NUMBER)}{sent}{_packed(int(crc32c, 16), _CRC32C)}"


def parse_block(block_id: str, size: int) -> Block | None:
    """What a block id says, or ``None`` when another tool made it."""
    found = _ID.fullmatch(block_id)
    if found is None:
        return None
    try:
        sent = _EPOCH + timedelta(microseconds=_unpacked(found[3]))
    except OverflowError:
        return None
    return Block(block_id, found[1], _unpacked(found[2]), sent, f"{_unpacked(found[4]):08x}", size)


def _packed(number: int, width: int) -> str:
    """A number in six bits per character, the highest first."""
    return "".join(_DIGITS[number >> 6 * at & 63] for at in reversed(range(width)))


def _unpacked(text: str) -> int:
    number = 0
    for digit in text:
        number = number << 6 | _DIGITS.index(digit)
    return number


def latest_per_number(blocks: Iterable[Block]) -> list[Block]:
    """One block per part number: the one sent last, since sending again replaces."""
    latest: dict[int, Block] = {}
    for block in sorted(blocks, key=lambda b: (b.number, b.sent, b.block_id)):
        latest[block.number] = block
    return list(latest.values())


def check_tokens(upload: PartUpload, parts: Sequence[Part], doing: str) -> None:
    """Check that every part is one of this upload.

    :raises StorageError: kind ``invalid_argument``.
    """
    upload_id, _ = split_upload_id(upload.upload_id)
    for part in parts:
        block = parse_block(part.token, part.size)
        if block is None or (block.upload, block.number) != (upload_id, part.number):
            raise StorageError(
                f"{doing}: part {part.number} has the token {part.token!r}, which is not of "
                "this part of this upload",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )


def base64_id(block_id: str) -> str:
    """A block's id as requests name it."""
    return base64.b64encode(block_id.encode("ascii")).decode("ascii")


def block_list(parts: Sequence[Part]) -> bytes:
    """The body of "Put Block List": exactly these blocks, in this order."""
    root = ET.Element("BlockList")
    for part in parts:
        ET.SubElement(root, "Uncommitted").text = base64_id(part.token)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text

"""CRC32C of streams, and of an object from those of its parts."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Final

import google_crc32c
from awscrt import checksums

_POLYNOMIAL: Final = 0x82F63B78
_ONE: Final = 1 << 31


def extend(crc: int, data: bytes) -> int:
    """The CRC32C of more bytes."""
    return int(google_crc32c.extend(crc, data))


def extend_crc64(crc: int, data: bytes) -> int:
    """Azure's CRC64 of more bytes."""
    return int(checksums.crc64nvme(data, crc))


def base64_of_crc64(crc: int) -> str:
    """As Azure writes it: little-endian, Base64."""
    return base64.b64encode(crc.to_bytes(8, "little")).decode()


def combine(first: int, second: int, length: int) -> int:
    """The CRC32C of two strings one after the other; ``length`` is the second's.

    As in zlib's ``crc32_combine``: appending n bytes multiplies by x^(8n) modulo the polynomial.
    """
    return _times(_shift(length), first) ^ second


def base64_of(crc: int) -> str:
    """As the clouds write it: big-endian, Base64."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def md5() -> hashlib._Hash:
    """A new MD5."""
    return hashlib.md5(usedforsecurity=False)


@lru_cache(maxsize=1024)
def _shift(length: int) -> int:
    power, base = _ONE, 1 << 23  # x^0 and x^8, lowest power in the highest bit
    while length:
        if length & 1:
            power = _times(base, power)
        base = _times(base, base)
        length >>= 1
    return power


def _times(a: int, b: int) -> int:
    product, bit = 0, _ONE
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        bit >>= 1
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return product

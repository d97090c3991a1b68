"""Contents that a CRC32C can't tell apart."""

from __future__ import annotations

from airflow_multicloud.adapters.digests import crc32c_of


def with_crc32c_of(wanted: bytes, content: bytes) -> bytes:
    """The content with its last four bytes chosen so that it has the CRC32C of another."""
    table = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    reverse = {entry >> 24: index for index, entry in enumerate(table)}
    back = int(crc32c_of(wanted), 16) ^ 0xFFFFFFFF
    for _ in range(4):
        index = reverse[back >> 24]
        back = ((back ^ table[index]) << 8 | index) & 0xFFFFFFFF
    body = content[:-4]
    ahead = int(crc32c_of(body), 16) ^ 0xFFFFFFFF
    return body + (back ^ ahead).to_bytes(4, "little")

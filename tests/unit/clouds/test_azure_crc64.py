"""The CRC64 that Azure verifies blocks by."""

from __future__ import annotations

import base64

import pytest

from airflow_multicloud.clouds.azure.object_store.writing import content_crc64


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_published_check_value(kind: type) -> None:
    """CRC-64/NVME of "123456789" in the catalogue of parametrised CRC algorithms."""
    header = content_crc64(kind(b"123456789"))
    assert int.from_bytes(base64.b64decode(header), "little") == 0xAE8B14860A799888

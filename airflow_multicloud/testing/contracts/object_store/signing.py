"""URLs that need no credentials."""
# ruff: noqa: S101, PLR2004, S310 - a test suite asserts, compares with literal numbers, and
# opens the URLs that the store under test signed

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    SignedUrls,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    fails,
    put,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


_SIGNATURE = re.compile(r"(?<=signature=)[^&]{8}|(?<=sig=)[^&]{8}", re.IGNORECASE)


def _request(
    url: str,
    *,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    # Else urllib calls every body a form, and some servers then take it apart.
    sent = {"content-type": "application/octet-stream", **(headers or {})} if data else {}
    request = urllib.request.Request(url, data=data, method=method, headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


class SignedUrlsContract:
    """The port's ``SignedUrls``; requests are made without credentials."""

    needs: ClassVar[tuple[type, ...]] = (SignedUrls,)

    @pytest.mark.parametrize("key", ["key", "dir/a b+é%41?#"], ids=["plain", "awkward"])
    def test_get(self, rig: StoreRig, key: str) -> None:
        """Whoever has the URL can read the object."""
        put(rig.store, rig.ref(key), b"content")
        hour = timedelta(hours=1)
        signed = rig.signer().sign_url(rig.ref(key), method="GET", expires_in=hour)
        assert _request(signed.reveal()) == (200, b"content")
        assert signed.expires_at.utcoffset() == timedelta(0)
        assert abs(signed.expires_at - datetime.now(UTC) - hour) < timedelta(minutes=1)

    def test_put(self, rig: StoreRig) -> None:
        """Whoever has the URL can write the object."""
        signed = rig.signer().sign_url(rig.ref("key"), method="PUT", expires_in=timedelta(hours=1))
        status, _ = _request(
            signed.reveal(), method="PUT", data=b"content", headers=rig.signed_put_headers
        )
        assert status in (200, 201)
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_is_secret(self, rig: StoreRig) -> None:
        """Its texts show neither the URL nor the signature."""
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        signature = _SIGNATURE.search(signed.reveal())
        assert signature is not None
        for text in (str(signed), repr(signed), f"{signed}"):
            assert signature[0] not in text
            assert "://" not in text

    def test_tampered(self, rig: StoreRig) -> None:
        """Another signature is refused."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        status, content = _request(_SIGNATURE.sub("00000000", signed.reveal()))
        assert (status, content) == (403, b"")

    def test_other_method(self, rig: StoreRig) -> None:
        """A URL for reading does not allow writing."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        status, _ = _request(
            signed.reveal(), method="PUT", data=b"other", headers=rig.signed_put_headers
        )
        assert status == 403
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_expires(self, rig: StoreRig) -> None:
        """Not long after the time stated, it is worth nothing."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(
            rig.ref("key"), method="GET", expires_in=timedelta(seconds=1)
        )
        time.sleep(2.5)
        assert _request(signed.reveal())[0] in (400, 403)

    @pytest.mark.parametrize(
        ("method", "seconds"),
        [pytest.param("TRACE", 60, id="method"), pytest.param("GET", 0, id="expires_in")],
    )
    def test_refuses(self, rig: StoreRig, method: str, seconds: int) -> None:
        """Methods but GET and PUT, and durations that are none."""
        with fails(rig, ErrorKind.INVALID_ARGUMENT):
            rig.signer().sign_url(
                rig.ref("key"), method=method, expires_in=timedelta(seconds=seconds)
            )

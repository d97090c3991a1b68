"""A small file over https, checked to be whole."""

from __future__ import annotations

import http.client
import ipaddress
import re
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import urlsplit

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.text import printable

_TIMEOUT = 60.0  # seconds between two bytes
_CHUNK = 1 << 16
_NOT_FOUND = frozenset({404, 410})
_TRY_AGAIN = 500
_BUSY = 429


def is_url(where: str) -> bool:
    """Whether this module can fetch it."""
    return where.startswith(("https://", "http://"))


def download(parameter: str, url: str, limit: int) -> bytes:
    """What an address serves.

    :param parameter: what ``url`` was given for, for errors.
    :param limit: in bytes.
    :raises CostAnalysisError: kind ``invalid_argument`` for plain http to another machine;
        ``unavailable`` (worth a retry) for what the network or the server does; ``not_found``;
        ``integrity`` for more than the limit, or less than was announced.
    """
    _check(parameter, url)
    # The scheme was checked, also that of redirections; certificates are verified by default.
    request = urllib.request.Request(url, headers={"User-Agent": "airflow-multicloud"})  # noqa: S310
    opener = urllib.request.build_opener(_SafeRedirects(parameter))
    try:
        with opener.open(request, timeout=_TIMEOUT) as answer:
            content = bytearray()
            while chunk := answer.read(_CHUNK):
                content += chunk
                if len(content) > limit:
                    raise CostAnalysisError(
                        f"{parameter}: {shown_url(url)} serves more than {limit >> 20} MiB",
                        kind=ErrorKind.INTEGRITY,
                    )
            announced = answer.headers.get("Content-Length", "")
    except urllib.error.HTTPError as err:
        with err:
            raise _failed(parameter, url, f"HTTP {err.code}", _kind(err.code)) from err
    except (OSError, http.client.HTTPException) as err:
        why = str(getattr(err, "reason", "") or err or type(err).__name__)
        raise _failed(parameter, url, why, ErrorKind.UNAVAILABLE) from err
    if announced.isdecimal() and int(announced) != len(content):
        why = f"{len(content)} of {announced} bytes came"
        raise _failed(parameter, url, why, ErrorKind.UNAVAILABLE)
    return bytes(content)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows to https only."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse what would leave TLS."""
        try:
            _check(self._parameter, newurl)
        except CostAnalysisError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(parameter: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    if parts is None or not host or parts.username is not None:
        raise _refused(parameter, url, "expected https://host/path, without credentials")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise _refused(parameter, url, "expected https, or http on this machine")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(parameter: str, url: str, why: str) -> CostAnalysisError:
    return CostAnalysisError(
        f"{parameter}: {shown_url(url)!r} given, {why}", kind=ErrorKind.INVALID_ARGUMENT
    )


def _failed(parameter: str, url: str, why: str, kind: ErrorKind) -> CostAnalysisError:
    return CostAnalysisError(
        f"{parameter}: {shown_url(url)} could not be fetched: {why}", kind=kind
    )


def shown_url(url: str) -> str:
    """An address without what may be a password or a signature: before an ``@``, after a ``?``."""
    place = re.split(r"[?#]", url, maxsplit=1)[0]
    return printable(place.rpartition("@")[2])


def _kind(status: int) -> ErrorKind:
    if status in _NOT_FOUND:
        return ErrorKind.NOT_FOUND
    if status == _BUSY:
        return ErrorKind.THROTTLED
    return ErrorKind.UNAVAILABLE if status >= _TRY_AGAIN else ErrorKind.INVALID_ARGUMENT

"""No credentials that suffice by themselves go over a connection that anybody can read."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from airflow_multicloud.errors import CredentialsError, ErrorKind


def refuse_plain_http(url: str, what: str, *, cloud: str) -> None:
    """Refuse an endpoint that would be shown a token over plain http.

    A request that is signed may go there: the signature is of no use for another one. On loopback
    there is nobody to listen.

    :param what: the credentials, for the message.
    :raises CredentialsError: kind ``invalid_argument``, naming the host.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or _is_loopback(parts.hostname or ""):
        return
    raise CredentialsError(
        f"{what} would go over plain http to {parts.hostname}, where anybody on the way can read "
        "and use it; expected an endpoint with https://, or one on this machine",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=cloud,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761, section 6.3: these are never anybody else's.
        return host == "localhost" or host.endswith(".localhost")

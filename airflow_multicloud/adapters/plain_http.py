"""No credentials that suffice by themselves go over a connection that anybody can read."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from airflow_multicloud.errors import CredentialsError, ErrorKind

_IPV4 = 4
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.ip_address("::1")


def goes_past_proxies(url: str) -> bool:
    """Whether requests with a token to this endpoint must not go through a proxy.

    To plain http it may go on loopback only, and a proxy would carry it away from there.
    """
    return urlsplit(url).scheme == "http"


def check_plain_http(url: str, what: str, *, cloud: str) -> None:
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
    # Not its subdomains: whether those are asked of a name server is up to the resolver.
    if host == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found in _LOOPBACK if found.version == _IPV4 else found == _LOOPBACK_6

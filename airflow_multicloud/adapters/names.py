"""How messages name what they are about: by its URI, as every cloud's do."""

from __future__ import annotations

import hashlib
from urllib.parse import quote, urlsplit

from airflow_multicloud.ports.object_store import ObjectRef

_LONGEST_STORE = 255
_PORTS = {"http": 80, "https": 443}


def name_of(ref: ObjectRef, scheme: str, *, version: str = "version") -> str:
    """An object: ``s3://bucket/key``, with its version where one is meant.

    :param scheme: the cloud's.
    :param version: what the cloud calls a version.
    """
    which = f" ({version} {ref.version})" if ref.version else ""
    return f"{scheme}://{ref.bucket}/{ref.key}{which}"


def store_name(url: str) -> str:
    """What names the store at an endpoint; see the port's ``StoreName``.

    Host, port (unless it is the scheme's own) and path. What else a URL may have is left out: a
    login and a query may be secrets.

    :param url: of the endpoint, with or without a scheme.
    """
    parts = urlsplit(url if "://" in url else f"//{url}")
    host = (parts.hostname or "").rstrip(".")
    try:
        port = parts.port
    except ValueError:  # What no request can be sent to.
        port = None
    host = f"[{host}]" if ":" in host else host
    at = "" if port in (None, _PORTS.get(parts.scheme)) else f":{port}"
    name = quote(host + at + parts.path.rstrip("/"), safe=":[]")
    if len(name) <= _LONGEST_STORE:
        return name
    return f"{name[:180]}~{hashlib.sha256(name.encode()).hexdigest()}"

"""Which Airflow this is: several may work in one cloud account, with the same DAGs and run ids.

It goes into all that is found again by DAG, run and task. It is told by the option ``airflow_id``
of the section ``[multicloud]``, else by the address that people reach it at (``[api] base_url``).
An Airflow that has neither can't be told from another such one.
"""

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf

from airflow_multicloud.errors import CloudError, ErrorKind

SECTION: Final = "multicloud"
OPTION: Final = "airflow_id"
_LONGEST = 200
_DIGITS = 12


def airflow_id() -> str:
    """What this Airflow's processes have in common, and no other has; empty when nothing tells.

    :raises CloudError: ``invalid_argument`` for an option that is no line of text.
    """
    given = conf.get(SECTION, OPTION, fallback="") or ""
    if given:
        if len(given) > _LONGEST or not given.isprintable() or given != given.strip():
            raise CloudError(
                f"[{SECTION}] {OPTION}: {given[:_LONGEST]!r} given, expected a text of one line, "
                f"at most {_LONGEST} characters, without spaces around it",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return given
    return _of_address(conf.get("api", "base_url", fallback="") or "")


def _of_address(base_url: str) -> str:
    """A digest of an address; empty for one that many have: of this machine, or none."""
    try:
        url = urlsplit(base_url.strip())
        host, port = url.hostname or "", url.port
    except ValueError:
        return ""
    if not host or _is_own(host):
        return ""
    place = f"{host}:{port or ''}{url.path.rstrip('/')}"
    return hashlib.sha256(place.encode()).hexdigest()[:_DIGITS]


def _is_own(host: str) -> bool:
    """Whether a host is whichever machine asks."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified

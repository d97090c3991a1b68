"""Which Airflow this is: several may work in one cloud account, with the same DAGs and run ids.

It goes into all that is found again by DAG, run and task. It is told by the option ``airflow_id``
of the section ``[multicloud]``, else by the address that people reach it at (``[api] base_url``).
An Airflow that has neither can't be told from another such one. Addresses that each copy of a setup
has (a service's name in a compose file, private addresses) tell nothing.
"""

from __future__ import annotations

import hashlib
import logging
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf

from airflow_multicloud.errors import CloudError, ErrorKind

SECTION: Final = "multicloud"
OPTION: Final = "airflow_id"
_LONGEST = 200
#: Names that each container, and each cluster of Kubernetes, knows its own machines by:
#: https://docs.docker.com/desktop/features/networking/networking-how-tos/,
#: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
_OWN = (".localhost", ".localdomain", ".docker.internal", ".cluster.local")
_DIGITS = 12

_log = logging.getLogger(__name__)


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


def warn_if_untold() -> None:
    """Say in the log that another Airflow's snapshots may be taken for this one's."""
    if not airflow_id():
        _log.warning(
            "keep: nothing tells this Airflow from others that have the same DAG and task and work "
            "in the same account, and their snapshots count as its own: they may be removed. Set "
            "[%s] %s in each of them",
            SECTION,
            OPTION,
        )


def _of_address(base_url: str) -> str:
    """A digest of an address; empty for one that many have, or none."""
    try:
        url = urlsplit(base_url.strip())
        host, port = url.hostname or "", url.port
    except ValueError:
        return ""
    if not host or _is_of_many(host.rstrip(".")):
        return ""
    place = f"{host}:{port or ''}{url.path.rstrip('/')}"
    return hashlib.sha256(place.encode()).hexdigest()[:_DIGITS]


def _is_of_many(host: str) -> bool:
    """Whether a host is another one in each network, or on each machine, that asks."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(_OWN)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    # Loopback is private as well.
    return address.is_private or address.is_link_local or address.is_unspecified

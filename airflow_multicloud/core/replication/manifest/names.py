"""Where the records of a replica lie, and how its places are spelt in them."""

from __future__ import annotations

from airflow_multicloud import known_clouds
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint

LATEST = f"{RESERVED_PREFIX}latest/"
#: How the names of pointers and of manifests end.
POINTER, MANIFEST = ".json", ".jsonl"


def place(endpoint: str) -> str:
    """A URI without its connection id and with one scheme for those that mean the same place.

    It is the same data, whoever reaches it and however it is spelt.
    """
    scheme, _, rest = endpoint.partition("://")
    authority, _, key = rest.partition("/")
    return f"{known_clouds.canonical_scheme(scheme)}://{authority.rpartition('@')[2]}/{key}"


def directory_of(kind: str, replica: Endpoint, source: str) -> str:
    """Where records of a kind lie, for a replica of a source."""
    return f"{RESERVED_PREFIX}{kind}/{_identity(replica, source)}"


def _identity(replica: Endpoint, source: str) -> str:
    return f"{short(replica.location.key)}-{short(place(source))}"


def short(text: str) -> str:
    """What stands for a prefix in the names of its records."""
    return sha256_of(text.encode())[:16]

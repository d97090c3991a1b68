"""The in-memory cloud: the reference implementation of the ports, for tests.

It lives in the process that uses it, needs no Airflow, and is stricter than any real cloud:
what works here uses the ports as they are documented. No entry point names it; a test calls
:func:`register`. ``memory_cloud.object_store.reset()`` empties it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_multicloud.registry import Cloud

NAME = "memory"
TITLE = "In-memory cloud"
REQUIREMENT = "airflow-multicloud"
CONN_TYPES = ("memory",)
#: URI scheme → the connection used when the URI names none.
URI_SCHEMES = {"mem": "memory_default"}


def register() -> Cloud:
    """Make the in-memory cloud known to the registry; doing so again changes nothing.

    A connection of type ``memory`` (``AIRFLOW_CONN_X=memory://``) then reaches the space of
    its connection id.
    """
    # Imported here: the registry imports this module's constants only, never the reverse.
    from airflow_multicloud.registry import Cloud, list_providers, register_provider

    cloud = Cloud(
        name=NAME,
        title=TITLE,
        module=__name__,
        requirement=REQUIREMENT,
        conn_types=CONN_TYPES,
        uri_schemes=URI_SCHEMES,
    )
    if cloud not in list_providers():
        register_provider(cloud)
    return cloud

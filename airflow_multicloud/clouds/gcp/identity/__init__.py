"""Whom Google Cloud takes the connection's credentials for."""

from __future__ import annotations

from airflow_multicloud.clouds.gcp.identity.client import IdentityBase
from airflow_multicloud.ports.identity import Identity


class GCPIdentityHook(IdentityBase):
    """The identity port on Airflow's base hook, with every form of credentials it takes."""


#: What registry.resolve(Identity, …) makes for Google Cloud connections.
Hook: type[Identity] = GCPIdentityHook

"""Google identity: whose the credentials are, what they may do, and tokens for part of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.identity.permissions import TestedPermissions
from airflow_multicloud.clouds.gcp.identity.tokens import DownscopedTokens
from airflow_multicloud.ports.identity import Identity, PermissionChecks, ScopedTokens


class GCPIdentityHook(TestedPermissions, DownscopedTokens):
    """The identity port on Airflow's base hook, with every form of credentials it takes."""


#: What registry.resolve(Identity, …) makes for Google Cloud connections.
Hook: type[Identity] = GCPIdentityHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[PermissionChecks], type[ScopedTokens]] = (GCPIdentityHook,) * 2

"""AWS identity: whom the credentials belong to, what they may do, and tokens for part of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.aws.identity.permissions import SimulatedPermissions
from airflow_multicloud.clouds.aws.identity.tokens import SessionTokens
from airflow_multicloud.ports.identity import Identity, PermissionChecks, ScopedTokens


class StsIdentityHook(SimulatedPermissions, SessionTokens):
    """The identity port, with permissions by IAM's simulator and tokens by STS."""


Hook: type[Identity] = StsIdentityHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[PermissionChecks], type[ScopedTokens]] = (StsIdentityHook,) * 2

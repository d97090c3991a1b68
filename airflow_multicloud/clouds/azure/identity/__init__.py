"""Whom Azure takes the caller for, and what it may do.

There are no scoped tokens: a token of Microsoft Entra's allows everything that its owner's roles
grant at its audience. A shared access signature allows less, but it works for storage only and is
not a token; :class:`~airflow_multicloud.ports.object_store.SignedUrls` makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.identity.permissions import RolePermissions
from airflow_multicloud.clouds.azure.identity.principals import Principals
from airflow_multicloud.ports.identity import Identity, PermissionChecks


class AzureIdentityHook(RolePermissions, Principals):
    """The identity port, for connections of type ``azure`` and ``wasb``."""


Hook: type[Identity] = AzureIdentityHook

if TYPE_CHECKING:
    # The type checker proves the optional capability, too.
    _CAPABILITY: type[PermissionChecks] = AzureIdentityHook

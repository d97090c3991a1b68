"""Whom an Azure Blob Storage connection belongs to."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.identity.principals import StoragePrincipals
from airflow_multicloud.ports.identity import Identity


class StorageIdentityHook(StoragePrincipals):
    """The storage account behind a ``wasb`` connection.

    A storage account does not say which user or application a token belongs to, so the
    principal is the form of the credentials (account key, shared access signature, Microsoft
    Entra token, anonymous), never a part of them.
    """


Hook: type[Identity] = StorageIdentityHook

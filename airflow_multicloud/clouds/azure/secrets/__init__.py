"""Key Vault: the secrets of a vault, on Airflow's Azure hook and Azure's own client.

Airflow has no hook for it, so this stands on the base hook of Azure. The connection's extra
``key_vault_url`` names the vault. The secret ``db/main`` is ``db--2fmain``; capital letters are
escaped as well, since a vault takes them for small ones. Values are text: other bytes are written
as base64, with a content type that says so. Tags are kept by version, so that a new version has
those of the one before; one more tag, ``multicloud-write``, tells which write made a version.

Reading needs the role Key Vault Secrets User, everything else Key Vault Secrets Officer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.secrets.listing import AzureListing
from airflow_multicloud.clouds.azure.secrets.reading import AzureReading
from airflow_multicloud.clouds.azure.secrets.removing import AzureRemoving
from airflow_multicloud.clouds.azure.secrets.states import AzureStates
from airflow_multicloud.clouds.azure.secrets.tagging import AzureTagging
from airflow_multicloud.clouds.azure.secrets.writing import AzureWriting
from airflow_multicloud.ports.secrets import SecretRecovery, SecretsService, SecretVersionStates


class AzureSecretsHook(
    AzureListing, AzureReading, AzureWriting, AzureTagging, AzureRemoving, AzureStates
):
    """The secrets port and its capabilities, with every form of Azure's credentials."""


#: What registry.resolve(Secrets, …) makes for Azure connections.
Hook: type[SecretsService] = AzureSecretsHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[SecretRecovery], type[SecretVersionStates]] = (
        AzureSecretsHook,
        AzureSecretsHook,
    )

"""Secret Manager: secrets of a project, on Airflow's hook and Google's own client.

The secret ``db/main`` is ``projects/<project>/secrets/db__2fmain``. The current version is the
newest one, in whatever state, as ``latest`` is Google's own word for it; labels of versions are
its aliases. New secrets are replicated automatically. Tags are labels where they fit the rules of
labels, else annotations; three annotations, ``multicloud-…``, hold what this package notes.

Deleting is for good on Google Cloud. So :meth:`remove_secret` disables all versions and notes
which, and :meth:`recover_secret` enables them again.

Reading needs the roles Secret Accessor (``roles/secretmanager.secretAccessor``) and Viewer
(``roles/secretmanager.viewer``) of Secret Manager, everything else
Secret Manager Admin (``roles/secretmanager.admin``) or a role with its permissions on secrets and
versions but for deleting. Synchronising asks Resource Manager which project it is, whose API must
be enabled; all these roles allow that. The connection's extras ``secretmanager.endpoint`` and
``cloudresourcemanager.endpoint`` say where else to ask than Google.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.secrets.listing import GCPListing
from airflow_multicloud.clouds.gcp.secrets.reading import GCPReading
from airflow_multicloud.clouds.gcp.secrets.removing import GCPRemoving
from airflow_multicloud.clouds.gcp.secrets.states import GCPStates
from airflow_multicloud.clouds.gcp.secrets.tagging import GCPTagging
from airflow_multicloud.clouds.gcp.secrets.writing import GCPWriting
from airflow_multicloud.ports.secrets import SecretRecovery, SecretsService, SecretVersionStates


class GCPSecretsHook(GCPListing, GCPReading, GCPWriting, GCPTagging, GCPRemoving, GCPStates):
    """The secrets port and all its capabilities, with every form of Google's credentials."""


#: What registry.resolve(Secrets, …) makes for Google Cloud connections.
Hook: type[SecretsService] = GCPSecretsHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[SecretRecovery], type[SecretVersionStates]] = (
        GCPSecretsHook,
        GCPSecretsHook,
    )

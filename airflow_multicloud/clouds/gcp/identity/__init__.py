"""Whom Google Cloud takes the connection's credentials for."""

from __future__ import annotations

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.identity.errors import translated
from airflow_multicloud.clouds.gcp.object_store.client import JsonApi
from airflow_multicloud.clouds.gcp.session import checked_extras
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Identity, Principal

#: https://cloud.google.com/storage/docs/request-endpoints
_STORAGE = "https://storage.googleapis.com"


class GCPIdentityHook(GoogleBaseHook):
    """The identity port on Airflow's base hook, with every form of credentials it takes."""

    def who_am_i(self) -> Principal:
        """The project and the e-mail address, after a token was granted.

        Anonymous credentials are ``anonymous``; Cloud Storage is asked for the project's buckets
        then, and any answer will do: it shows that the endpoint is there.

        :raises CredentialsError: when there are no credentials, Google refuses them, nothing
            names a project or an extra is of no use (kind ``invalid_argument``).
        """
        doing = f"asking Google who connection {self.gcp_conn_id!r} is"
        retries = checked_extras(self.gcp_conn_id, self.extras)
        with translated(doing):
            with credentials_read(self.gcp_conn_id):
                credentials, project = self.get_credentials_and_project_id()
            if not project:
                raise CredentialsError(
                    f"{doing}: neither the credentials nor the extra 'project' name a project",
                    kind=ErrorKind.INVALID_ARGUMENT,
                    cloud=NAME,
                )
            if isinstance(credentials, AnonymousCredentials):
                self._reach_storage(credentials, project, retries)
                return Principal(project, "anonymous")
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
            return Principal(project, self._get_credentials_email)

    def _reach_storage(self, credentials: AnonymousCredentials, project: str, retries: int) -> None:
        endpoint = self.extras.get("gcs.endpoint") or _STORAGE
        api = JsonApi(endpoint=endpoint, credentials=credentials, retries=retries)
        try:
            with translated(f"reaching Cloud Storage for connection {self.gcp_conn_id!r}"):
                api.call("GET", "/b", {"project": project, "maxResults": "1"})
        except CloudError as err:
            if err.kind not in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED):
                raise


Hook: type[Identity] = GCPIdentityHook

"""Asking Google who the caller is."""

from __future__ import annotations

from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request

from airflow_multicloud.clouds.gcp import NAME, errors
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.clouds.gcp.identity.errors import translated
from airflow_multicloud.clouds.gcp.identity.resources import STORAGE
from airflow_multicloud.clouds.gcp.seams import email_of
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.identity import Principal


class IdentityBase(SessionHook):
    """Whom the connection's credentials belong to."""

    def who_am_i(self) -> Principal:
        """The project and the e-mail address, after a token was granted.

        Anonymous credentials are ``anonymous``; Cloud Storage is asked for the project's buckets
        then, and any answer will do: it shows that the endpoint is there.

        :raises CredentialsError: when there are no credentials, Google refuses them, nothing
            names a project or an extra is of no use (kind ``invalid_argument``).
        :raises StorageError: when Cloud Storage does not answer.
        """
        doing = f"asking Google who connection {self.gcp_conn_id!r} is"
        with translated(doing):
            credentials, project = self._session.granted
            if not project:
                raise CredentialsError(
                    f"{doing}: neither the credentials nor the extra 'project' name a project",
                    kind=ErrorKind.INVALID_ARGUMENT,
                    cloud=NAME,
                )
            if isinstance(credentials, AnonymousCredentials):
                self._reach_storage(project)
                return Principal(project, "anonymous")
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
            return Principal(project, email_of(self))

    def _reach_storage(self, project: str) -> None:
        api = self._session.rest("gcs", STORAGE, area=StorageError)
        query = {"project": project, "maxResults": "1"}
        doing = f"reaching Cloud Storage for connection {self.gcp_conn_id!r}"
        try:
            with errors.translated(doing, table=BASE, area=StorageError):
                api.ask("GET", "/storage/v1/b", query)
        except CloudError as err:
            if err.kind not in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED):
                raise

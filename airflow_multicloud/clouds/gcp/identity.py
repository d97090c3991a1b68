"""Whom Google Cloud takes the connection's credentials for."""

from __future__ import annotations

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp._errors import translated
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Identity, Principal


class GCPIdentityHook(GoogleBaseHook):
    """The identity port on Airflow's base hook, with every form of credentials it takes."""

    def who_am_i(self) -> Principal:
        """The project and the e-mail address, after a token was granted.

        Anonymous credentials are ``anonymous``: there is nothing to ask for.

        :raises CredentialsError: when there are no credentials, Google refuses them, or
            nothing names a project (kind ``invalid_argument``).
        """
        doing = f"asking Google who connection {self.gcp_conn_id!r} is"
        with translated(doing, CredentialsError):
            credentials, project = self.get_credentials_and_project_id()
            if not project:
                raise CredentialsError(
                    f"{doing}: neither the credentials nor the extra 'project' name a project",
                    kind=ErrorKind.INVALID_ARGUMENT,
                    cloud=NAME,
                )
            if isinstance(credentials, AnonymousCredentials):
                return Principal(project, "anonymous")
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
            return Principal(project, self._get_credentials_email)


Hook: type[Identity] = GCPIdentityHook

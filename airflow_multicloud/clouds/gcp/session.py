"""One Google connection for all that its hooks do: read once, its clients kept.

For a hook of a further service: subclass :class:`SessionHook` and the official hook, and take
credentials, project and clients from ``self._session``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

from airflow_multicloud.adapters.connections import SessionConnections, once_per_session
from airflow_multicloud.adapters.locks import MadeOnce
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.bearer import Bearer
from airflow_multicloud.clouds.gcp.errors import BASE, credentials_read, translated
from airflow_multicloud.clouds.gcp.extras import checked_extras, endpoint_extra, is_project
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

C = TypeVar("C")


class Session:
    """A connection's credentials and project, and the clients that were opened with them.

    Making one neither reads anything nor makes a request. All may be called from any thread;
    google-auth renews the token, for all clients at once.

    :param hook: an official hook of the connection, which knows every form of credentials.
    """

    def __init__(self, hook: GoogleBaseHook) -> None:
        self._hook = hook
        self._made = MadeOnce()
        self._lock = self._made.lock
        self._found: tuple[Credentials, str | None] | None = None

    @property
    def conn_id(self) -> str:
        """The connection."""
        return self._hook.gcp_conn_id

    @property
    def retries(self) -> int:
        """How often one request is repeated.

        :raises CredentialsError: kind ``invalid_argument``, when an extra is of no use.
        """
        return checked_extras(self.conn_id, self._hook.extras)

    @property
    def granted(self) -> tuple[Credentials, str | None]:
        """The credentials and the project, which the extra ``project`` or the key names.

        :raises CredentialsError: when there are no credentials, or an extra is of no use.
        """
        with self._lock:
            if self._found is None:
                checked_extras(self.conn_id, self._hook.extras)
                doing = f"opening connection {self.conn_id!r}"
                with (
                    translated(doing, table=BASE, area=CredentialsError),
                    credentials_read(self.conn_id),
                ):
                    self._found = GoogleBaseHook.get_credentials_and_project_id(self._hook)
            return self._found

    @property
    def credentials(self) -> Credentials:
        """The credentials.

        :raises CredentialsError: as :attr:`granted`.
        """
        return self.granted[0]

    @property
    def project(self) -> str | None:
        """The project; ``None`` where neither the connection nor the credentials name one.

        :raises CredentialsError: as :attr:`granted`.
        """
        return self.granted[1]

    @property
    def needed_project(self) -> str:
        """The project, for what can't do without.

        :raises CredentialsError: as :attr:`granted`; or when nothing names one that is usable.
        """
        if not self.project:
            raise CredentialsError(
                f"connection {self.conn_id!r}: neither the credentials nor the extra 'project' "
                "name a project",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        if not is_project(self.project):
            raise CredentialsError(
                f"connection {self.conn_id!r}: the project that its key names is not usable, "
                "expected the id of a project, as a text",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return self.project

    @property
    def bearer(self) -> Bearer:
        """What authenticates the requests that no client of Google's does; one for all of them.

        :raises CredentialsError: as :attr:`granted`.
        """
        return self.client("bearer", lambda: Bearer(self.credentials))

    def endpoint_of(self, service: str) -> str | None:
        """Where the connection says that a service is; ``None`` for Google's own place.

        :param service: what the extra's name begins with (``gcs`` for ``gcs.endpoint``).
        :raises CredentialsError: as :attr:`retries`.
        """
        checked_extras(self.conn_id, self._hook.extras)
        found: str | None = self._hook.extras.get(endpoint_extra(service))
        return found or None

    def client(self, name: str, make: Callable[[], C]) -> C:
        """The client of this name, made once; nothing is kept when making it fails.

        :param name: of the client, in this session.
        """
        return self._made.get(name, make)

    def rest(self, service: str, endpoint: str, *, area: type[CloudError]) -> RestApi:
        """The REST interface of a service, opened once.

        :param service: as :meth:`endpoint_of` has it.
        :param endpoint: Google's own place, scheme and host.
        :param area: of the errors for answers that can't be read.
        :raises CredentialsError: as :attr:`granted`; or when a token would go over plain http.
        """
        return self.client(
            service,
            lambda: RestApi(
                self.endpoint_of(service) or endpoint,
                self.credentials,
                retries=self.retries,
                area=area,
            ),
        )


class SessionHook(SessionConnections, GoogleBaseHook):
    """What every hook of Google Cloud here stands on: an official hook and a session.

    Making one reads the connection and must happen on the task's own thread. Hooks of one
    connection share the session while one of
    :func:`airflow_multicloud.adapters.connections.session` is open.
    """

    def __init__(self, gcp_conn_id: str = GoogleBaseHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(gcp_conn_id=gcp_conn_id, **kwargs)
        # What the caller chose beside the connection makes other credentials.
        chosen = (
            self.impersonation_chain,
            getattr(self, "impersonation_scopes", None),
            self.quota_project_id,
        )
        key = ("google", gcp_conn_id, repr(chosen))
        self._session = once_per_session(key, lambda: Session(self))

    def get_credentials_and_project_id(self) -> tuple[Credentials, str | None]:
        """The official hook's answer, once per session: its clients share the token, too."""
        return self._session.granted

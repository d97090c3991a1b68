"""One AWS connection for all that a hook does: read once, its clients kept.

For a hook of a further service: subclass :class:`SessionHook` and take clients from
``self._session.client("logs")``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import botocore.session
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from airflow_multicloud.adapters.connections import SessionConnections, once_per_session
from airflow_multicloud.adapters.locks import MadeOnce
from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.seams import config_of, load_models_fast
from airflow_multicloud.errors import CredentialsError, ErrorKind

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.credentials import Credentials

T = TypeVar("T")

_POOL = 64
# Arguments of hooks that make no other session.
_NO_CHOICE = ("client_type", "requester_pays")


class Session:
    """A connection's boto3 session and its clients.

    Making one reads the connection, which must happen on the thread that may ask Airflow; it makes
    no request. All else may be called from any thread. botocore refreshes the credentials.

    :param hook: an official hook of the connection, which knows every form of credentials.
    :raises CredentialsError: kind ``invalid_argument``, when a credential has a control character.
    """

    def __init__(self, hook: AwsBaseHook) -> None:
        with _connection_read(hook.aws_conn_id, asks=False):
            self.connection = connection = hook.conn_config
        # An empty one is none: nothing could be signed for it.
        connection.region_name = connection.region_name or None
        check_control_characters(
            hook.aws_conn_id,
            {
                "login": connection.login,
                "password": connection.password,
                **connection.extra_config,
                **{f"session_kwargs.{n}": v for n, v in connection.session_kwargs.items()},
            },
            cloud=NAME,
        )
        self._hook = hook
        self._boto3: boto3.Session | None = None
        self._made = MadeOnce()
        # boto3 makes clients on one thread at a time only; a client serves many.
        self._lock = self._made.lock

    @property
    def region(self) -> str | None:
        """The connection's region, else the environment's; ``None`` where nothing names one."""
        region: str | None = self.boto3_session.region_name
        return region

    @property
    def verify(self) -> bool | str | None:
        """``False``, a CA bundle's path, or ``None`` for botocore's default."""
        return self.connection.verify

    @property
    def credentials(self) -> Credentials | None:
        """The credentials, refreshed when they are asked for; ``None`` where there are none."""
        return self.boto3_session.get_credentials()

    def fetch_credentials(self) -> None:
        """Have the credentials there, which may have to be asked for, before anything is sent.

        What fails at this has then sent nothing; where there are none, sending says so.
        """
        if (known := self.credentials) is not None:
            known.get_frozen_credentials()

    @property
    def boto3_session(self) -> boto3.Session:
        """boto3's session, for libraries that take one; opened once, which may ask for a role."""
        with self._lock:
            if self._boto3 is None:
                with _connection_read(self._hook.aws_conn_id):
                    session = self._hook.get_session(region_name=self._hook.region_name)
                load_models_fast(session)
                self._boto3 = session
            return self._boto3

    def endpoint_url(self, service: str) -> str | None:
        """Where the connection says that a service is; ``None`` for AWS's own place."""
        return self.connection.get_service_endpoint_url(service_name=service)

    @property
    def config(self) -> Config:
        """The user's botocore configuration over this package's defaults.

        Those are connections enough for many threads and botocore's ``standard`` retry mode.

        :raises CredentialsError: as :meth:`client`.
        """
        with self._lock, _connection_read(self._hook.aws_conn_id):
            return self._config

    def configured(self, name: str) -> Any:
        """What the environment and the profile say of one of botocore's settings."""
        with self._lock:
            return self._settings.get_config_variable(name)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for this key before; nothing is kept when making it fails.

        :param key: names what is made, in this session.
        :param make: makes it, on one thread at a time.
        """
        return self._made.get(key, make)

    def client(self, service: str, *, region: str | None = None) -> BaseClient:
        """The client of a service, made once for each region.

        :param service: as boto3 names it.
        :param region: the connection's when left out.
        :raises CredentialsError: kind ``invalid_argument``, when a field or an extra of the
            connection has another form than expected.
        """
        key = ("client", service, region)
        # The region may come from an extra, and be nothing that a key can hold.
        with _connection_read(self._hook.aws_conn_id):
            client: BaseClient = self.once(key, lambda: self.new_client(service, region=region))
        return client

    def new_client(
        self, service: str, *, region: str | None = None, config: Config | None = None
    ) -> BaseClient:
        """A client that is not shared, for whoever configures it or adds handlers to it.

        :param service: as boto3 names it.
        :param region: the connection's when left out.
        :param config: on top of the connection's own.
        :raises CredentialsError: as :meth:`client`.
        """
        with self._lock, _connection_read(self._hook.aws_conn_id):
            settings = self._config.merge(config) if config else self._config
            client: BaseClient = self.boto3_session.client(
                service,
                region_name=region,
                endpoint_url=self.endpoint_url(service),
                config=settings,
                verify=self.verify,
            )
        return client

    def by_settings(self, say: Callable[[botocore.session.Session], T]) -> T:
        """What the environment and the profile say; nobody is asked, as boto3's session might.

        :param say: finds it in a session of botocore's.
        :raises CredentialsError: as :meth:`client`.
        """
        with _connection_read(self._hook.aws_conn_id, asks=False):
            return say(self._own_settings)

    @cached_property
    def _own_settings(self) -> botocore.session.Session:
        """What the environment and the connection's profile say."""
        return botocore.session.Session(profile=self.connection.profile_name)

    @cached_property
    def _settings(self) -> botocore.session.Session:
        """The settings that boto3's session works by, which boto3 itself does not show."""
        profile = self.boto3_session.profile_name
        known = profile if profile in self.boto3_session.available_profiles else None
        if known == self.connection.profile_name:
            return self._own_settings
        return botocore.session.Session(profile=known)

    @cached_property
    def _config(self) -> Config:
        defaults: dict[str, Any] = {"max_pool_connections": _POOL}
        if self.configured("retry_mode") in (None, "legacy"):
            defaults["retries"] = {"mode": "standard"}
        merged: Config = Config(**defaults).merge(config_of(self._hook))
        return merged


class SessionHook(SessionConnections, AwsBaseHook):
    """What every hook of AWS here stands on: an official hook and a session.

    Making one reads the connection and must happen on the task's own thread. Hooks of one
    connection share the session while one of
    :func:`airflow_multicloud.adapters.connections.session` is open.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    :param session: of another hook on the same connection, which is then not read again.
    """

    def __init__(
        self,
        aws_conn_id: str | None = AwsBaseHook.default_conn_name,
        *args: Any,
        session: Session | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(aws_conn_id, *args, **kwargs)
        # What the caller chose beside the connection, such as a region, makes another session.
        chosen = {name: value for name, value in kwargs.items() if name not in _NO_CHOICE}
        key = (NAME, aws_conn_id, repr((args, chosen)))
        self._session = session or once_per_session(key, lambda: Session(self))
        self.conn_config = self._session.connection

    def _get_caller(self, target_function_name: str = "execute") -> str:
        """The class whose ``execute`` calls, for the user agent.

        The official hook's way there reads the source files of the whole stack, thrice: 0.2 s.
        """
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_code.co_name == target_function_name and "self" in frame.f_locals:
                return type(frame.f_locals["self"]).__name__
            frame = frame.f_back
        return "Unknown"


@contextmanager
def _connection_read(conn_id: str | None, *, asks: bool = True) -> Iterator[None]:
    """Say that a connection's fields are not of the form that Airflow's hook and boto3 expect.

    :param asks: whether AWS may be asked, so that botocore's own errors are the service's to
        translate.
    :raises CredentialsError: kind ``invalid_argument``. It is not chained, and does not show the
        text: what was parsed may hang on the cause.
    """
    try:
        yield
    except (
        ClientError,
        BotoCoreError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        # A region of the wrong form is both botocore's own and a ValueError.
        if asks and isinstance(error, (ClientError, BotoCoreError)):
            raise
        raise CredentialsError(
            f"connection {conn_id!r} can't be used: a field or an extra of it is not of the form "
            f"that the AWS hook expects ({type(error).__name__})",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        ) from None

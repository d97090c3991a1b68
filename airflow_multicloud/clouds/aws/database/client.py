"""The clients of an AWS connection that databases need."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.rds import RdsHook

from airflow_multicloud.clouds.aws.database.errors import failure, translated
from airflow_multicloud.clouds.aws.database.fields import Place, account_of
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.errors import ErrorKind


class DatabaseBase(SessionHook, RdsHook):
    """What the verbs stand on: the official RDS hook and one opened connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def _client_of(self, service: str, region: str | None) -> Any:
        """The client of a service, made once for each region."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.client(service, region=region)

    def _own_account(self, region: str | None) -> str:
        """The account of the connection's credentials; asked once.

        :param region: of the STS that is asked where the connection has no region of its own.
        """

        def ask() -> str:
            client = self._client_of("sts", self._session.region or region)
            return str(client.get_caller_identity()["Account"])

        with translated(f"connection {self.aws_conn_id!r}: asking STS whose account it is"):
            return self._session.once("account", ask)

    def _check_own(self, place: Place) -> None:
        """Refuse an ARN of another account, of which nothing can be seen; a name is no such.

        It is for what was not found: an answer about another account says nothing.

        :raises DatabaseError: ``invalid_argument``.
        """
        if place.arn is None:
            return
        account, own = account_of(place.arn), self._own_account(place.region)
        if account != own:
            raise failure(
                f"{place.arn} is in account {account}, and connection {self.aws_conn_id!r} is of "
                f"account {own}, which sees nothing of it; use a connection of account {account}",
                ErrorKind.INVALID_ARGUMENT,
            )

    def _home(self) -> str:
        """The connection's own region.

        :raises DatabaseError: ``invalid_argument``, when it has none.
        """
        with translated(f"opening connection {self.aws_conn_id!r}"):
            region = self._session.region
        if region is None:
            raise failure(
                f"region: connection {self.aws_conn_id!r} has none; name it there (region_name), "
                "or give references by their ARN",
                ErrorKind.INVALID_ARGUMENT,
            )
        return region

"""What the mix-ins of Azure's database hook stand on: the session's client, and plain requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from azure.core.rest import HttpRequest
from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

from airflow_multicloud.adapters.errors import retry_after_of
from airflow_multicloud.clouds.azure.database.errors import failure
from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.ports.database import DatabasePlace


@dataclass(frozen=True, slots=True)
class Begun:
    """The first answer to a request that Azure goes on with.

    :param url: of its operation; empty where there is none.
    :param wait: how long the answer asks to wait.
    """

    url: str
    wait: timedelta | None


class DatabaseBase(AzureBaseHook):
    """Azure's own hook, and the client of the service.

    :param conn_id: the connection, of type ``azure``; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        self._azure = Session.shared(conn_id)
        self._manager = self._azure.resource_manager

    @property
    def _subscription(self) -> str:
        """The connection's.

        :raises CredentialsError: when the connection names none.
        """
        return self._manager.require_subscription()

    @property
    def _postgres(self) -> PostgreSQLManagementClient:
        manager = self._manager

        def make() -> PostgreSQLManagementClient:
            return PostgreSQLManagementClient(
                manager.require_credential(),
                manager.require_subscription(),
                **manager.client_options(),
            )

        return self._azure.client("postgresql flexible servers", make)

    def database_account(self, place: DatabasePlace) -> str:
        """The subscription that the place names, else the connection's own; see the port."""
        return place.account_id or self._subscription

    def _region_of_place(self, place: DatabasePlace | None) -> str | None:
        """Which region is meant; ``None`` for all.

        :raises DatabaseError: ``invalid_argument`` for another subscription.
        """
        if place is None:
            return None
        if place.account_id and place.account_id.lower() != self._subscription.lower():
            raise failure(
                f"account: {place.account_id!r} is not the connection's subscription, "
                f"{self._subscription}; use a connection of its own"
            )
        return place.region

    def _ask(
        self, method: str, url: str, *, query: Mapping[str, str] = {}, body: Any = None
    ) -> Any:
        """An answer of Resource Manager, to a request that the service's SDK does not have.

        :param url: or a path.
        :param body: sent as JSON.
        :raises HttpResponseError: for an error's answer.
        """
        request = HttpRequest(method, url, params=dict(query) or None, json=body)
        answer: Any = self._postgres.send_request(request)
        answer.raise_for_status()
        return answer


def begun(call: Callable[..., Any], *given: object) -> Begun:
    """Begin an operation without waiting for its end.

    :param call: a client's ``begin_…``. What it makes of the answer's body is not asked for: a 202
        may have none, which the SDK could not read.
    """
    seen: list[Mapping[str, str]] = []

    def keep(response: Any) -> None:
        seen.append(response.http_response.headers)

    call(*given, polling=False, raw_response_hook=keep)
    headers = seen[-1]
    return Begun(headers.get("Azure-AsyncOperation") or "", retry_after_of(headers))

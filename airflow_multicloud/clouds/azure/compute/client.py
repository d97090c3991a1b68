"""What the mix-ins of Azure's compute hook stand on: the session's clients, and reading by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.microsoft.azure.hooks.compute import AzureComputeHook
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from airflow_multicloud.adapters.errors import retry_after_of
from airflow_multicloud.clouds.azure.compute.errors import if_there
from airflow_multicloud.clouds.azure.compute.fields import ORDER_TAG, Place, place_of
from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.compute.models import Disk, VirtualMachine
    from azure.mgmt.network.models import NetworkInterface, PublicIPAddress

    from airflow_multicloud.ports.compute import InstanceRef


#: Of an operation's URL; of one that is longer the machine tells how it went.
_LONGEST_HANDLE = 8192


@dataclass(frozen=True, slots=True)
class Begun:
    """The first answer to a request that Azure goes on with.

    :param url: of its operation; empty where there is none.
    :param wait: how long the answer asks to wait.
    :param value: what was answered.
    """

    url: str
    wait: timedelta | None
    value: Any = None


def begun(call: Callable[..., Any], *given: object, **options: object) -> Begun:
    """Begin an operation without waiting for its end.

    :param call: a client's ``begin_…``.
    """

    def answered(answer: Any, value: Any, _headers: object) -> Begun:
        headers: Mapping[str, str] = answer.http_response.headers
        return Begun(headers.get("Azure-AsyncOperation") or "", retry_after_of(headers), value)

    found: Begun = call(*given, polling=False, cls=answered, **options).result()
    return found


def started(action: str, place: Place, first: Begun) -> Operation:
    """The operation that has begun so."""
    return Operation(
        handle=first.url if len(first.url) <= _LONGEST_HANDLE else "",
        action=action,
        resource=place.id,
        state=OperationState.RUNNING,
        seen_at=datetime.now(UTC),
        poll_after=first.wait,
    )


def succeeded(action: str, place: Place) -> Operation:
    """An operation of which nothing is left to do."""
    return Operation(
        handle="",
        action=action,
        resource=place.id,
        state=OperationState.SUCCEEDED,
        seen_at=datetime.now(UTC),
    )


class ComputeBase(AzureComputeHook):
    """Azure's own hook, and the clients of the compute and the network service.

    The official hook's own methods (``start_instance``, ``get_power_state``…) make a client of
    their own, which knows no other endpoint.

    :param azure_conn_id: the connection, of type ``azure``, or of type ``wasb`` with the
        credentials of a Microsoft Entra application; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, azure_conn_id: str = AzureComputeHook.default_conn_name) -> None:
        super().__init__(azure_conn_id=azure_conn_id)
        self._azure = Session.shared(azure_conn_id)
        self._manager = self._azure.resource_manager

    @property
    def subscription(self) -> str:
        """The connection's, in which everything is made.

        :raises CredentialsError: when the connection names none.
        """
        return self._manager.require_subscription()

    @property
    def _compute(self) -> ComputeManagementClient:
        client: ComputeManagementClient = self._client("compute", ComputeManagementClient)
        return client

    @property
    def _network(self) -> NetworkManagementClient:
        client: NetworkManagementClient = self._client("network", NetworkManagementClient)
        return client

    def _client(self, service: str, kind: Any) -> Any:
        """The session's client of a service, of this class."""
        manager = self._manager

        def make() -> Any:
            credential, subscription = manager.require_credential(), manager.require_subscription()
            return kind(credential, subscription, **manager.client_options())

        return self._azure.client(service, make)

    def _place(self, ref: InstanceRef) -> Place:
        return place_of(ref.id, self.subscription)

    def _vm(self, place: Place) -> VirtualMachine | None:
        """The machine, with its instance view."""
        return if_there(
            f"reading the machine {place.id}",
            lambda: self._compute.virtual_machines.get(
                place.group, place.name, expand="instanceView"
            ),
        )

    def _nic(self, place: Place) -> NetworkInterface | None:
        """The interface that this package made for an instance."""
        found = if_there(
            f"reading the interface of {place.id}",
            lambda: self._network.network_interfaces.get(place.group, place.nic),
        )
        return found if found is not None and is_ours(found) else None

    def _public_ip(self, place: Place) -> PublicIPAddress | None:
        """The public address that this package made for an instance."""
        found = if_there(
            f"reading the public address of {place.id}",
            lambda: self._network.public_ip_addresses.get(place.group, place.public_ip),
        )
        return found if found is not None and is_ours(found) else None

    def _any_disk(self, place: Place) -> Disk | None:
        """The disk of an instance's name, whoever made it."""
        return if_there(
            f"reading the disk of {place.id}",
            lambda: self._compute.disks.get(place.group, place.disk),
        )

    def _disk(self, place: Place) -> Disk | None:
        """The boot disk that was made for an instance of this package."""
        found = self._any_disk(place)
        return found if found is not None and is_ours(found) else None


def is_ours(resource: Any) -> bool:
    """Whether a resource was made by this package."""
    return ORDER_TAG in (resource.tags or {})

"""The clouds a process uses, each with its connection."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud import registry
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, ProviderNotInitializedError
from airflow_multicloud.opening.preflight import CloudProviderStatus, check_connection
from airflow_multicloud.registry import Cloud, session


class ProviderRegistry:
    """The clouds this process uses, each with a connection that was checked.

    :param connections: cloud name → connection id; each must belong to that cloud.
    """

    def __init__(self, connections: Mapping[str, str] | None = None) -> None:
        self._connections: dict[str, str] = {}
        for name, conn_id in (connections or {}).items():
            self.use(name, conn_id)

    def use(self, name: str, conn_id: str) -> None:
        """Take a connection for a cloud.

        :raises CloudError: kind ``invalid_argument`` when it belongs to another one.
        """
        expected, actual = registry.get_provider(name), registry.cloud_of(conn_id)
        if expected.name != actual.name:
            raise ProviderNotInitializedError(
                f"connection {conn_id!r} is of {actual.title}, not of {expected.title}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=name,
            )
        self._connections[name] = conn_id

    def connection_of(self, name: str) -> str:
        """The connection taken for a cloud.

        :raises ProviderNotInitializedError: when none was.
        """
        if name not in self._connections:
            raise ProviderNotInitializedError(
                f"no connection was given for {registry.get_provider(name).title}; "
                "call initialize_providers first",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=name,
            )
        return self._connections[name]

    @session()
    def statuses(self) -> tuple[CloudProviderStatus, ...]:
        """Ask every cloud in use who we are."""
        return tuple(check_connection(conn_id) for conn_id in self._connections.values())

    @staticmethod
    def clouds() -> tuple[Cloud, ...]:
        """Every cloud that is installed, in use or not."""
        return registry.list_providers()


@operation("initialize_providers")
def initialize_providers(
    connections: Mapping[str, str],
) -> tuple[ProviderRegistry, tuple[CloudProviderStatus, ...]]:
    """Take one connection per cloud and check each of them; a failed check is not raised."""
    providers = ProviderRegistry(connections)
    return providers, providers.statuses()

"""Which operations are on data: their names do not say so, and roles grant these separately.

An Owner's ``*`` matches the name of ``…/containers/blobs/read`` and does not grant it. Azure's own
list of a provider's operations says of each (``isDataAction``):
https://learn.microsoft.com/rest/api/authorization/provider-operations-metadata/get
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.mgmt.authorization import AuthorizationManagementClient

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.identity.errors import manager_translated
from airflow_multicloud.clouds.azure.identity.roles import matches
from airflow_multicloud.errors import CredentialsError, ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """A provider's operations.

    :param is_data: operation, in small letters → whether it is on data.
    :param problem: why they are not known.
    """

    is_data: Mapping[str, bool] = field(default_factory=dict)
    problem: str | None = None

    def kind_of(self, operation: str) -> bool | None:
        """Whether an operation, or all of a pattern's, is on data; ``None``: it is not known."""
        kinds = {kind for name, kind in self.is_data.items() if matches(operation, name)}
        return kinds.pop() if len(kinds) == 1 else None

    def why_unknown(self, operation: str) -> str:
        """Why an operation's kind is not known."""
        if self.problem is None and any(matches(operation, name) for name in self.is_data):
            return f"of the operations that {operation} stands for some are, and some are not"
        return self.problem or f"Azure's list of operations does not have {operation}"


def operations_of(client: AuthorizationManagementClient, provider: str) -> Operations:
    """A provider's operations, as Azure lists them.

    :param provider: its namespace, ``Microsoft.Storage``.
    :raises CredentialsError: when the credentials are refused.
    """
    doing = f"asking Azure for the operations of {provider}"
    try:
        with manager_translated(doing):
            told: Any = client.provider_operations_metadata.get(provider, expand="resourceTypes")
        with well_formed(doing, NAME, area=CredentialsError):
            return Operations(is_data=dict(_read(told)))
    except CredentialsError as err:
        if err.kind is ErrorKind.UNAUTHENTICATED:
            raise
        return Operations(problem=str(err))


def _read(told: Any) -> Iterator[tuple[str, bool]]:
    for part in (told, *(told.resource_types or ())):
        for operation in part.operations or ():
            yield str(operation.name).casefold(), bool(operation.is_data_action)

"""Locks: what keeps something from being deleted: databases have no protection of their own.

"Lock your resources to protect your infrastructure"
(https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources) and "Management
Locks" (https://learn.microsoft.com/rest/api/resources/management-locks). A lock counts below its
scope, too. Any of both levels keeps what it is on from being deleted.
"""

from __future__ import annotations

from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import DatabaseBase
from airflow_multicloud.clouds.azure.database.errors import translated
from airflow_multicloud.errors import DatabaseError

_LOCKS: Final = "/providers/Microsoft.Authorization/locks"
_VERSION = {"api-version": "2020-05-01"}
#: Of the lock that an order asks for.
_LOCK_NAME: Final = "multicloud-deletion-protection"


class Locks(DatabaseBase):
    """What :attr:`DatabaseInstance.deletion_protected` is."""

    def _scopes_locked(self, id_: str | None) -> list[str]:
        """What is locked, as the beginnings of ids in lower case.

        :param id_: only what counts for this resource; all of the subscription when left out.
        :raises DatabaseError: ``permission_denied`` without ``Microsoft.Authorization/locks/read``.
        """
        if id_ is None:
            scope, query = f"/subscriptions/{self._subscription}", dict(_VERSION)
        else:
            scope, query = id_, {**_VERSION, "$filter": "atScope()"}
        doing = f"reading the locks of {scope} (Microsoft.Authorization/locks/read)"
        found: list[str] = []
        url: str | None = f"{scope}{_LOCKS}"
        while url:
            with translated(doing), well_formed(doing, NAME, area=DatabaseError):
                answer: Any = self._ask("GET", url, query=query).json()
                ids = [lock["id"].lower() for lock in answer["value"]]
                found += [f"{one.partition(_LOCKS.lower())[0]}/" for one in ids]
                url, query = answer.get("nextLink"), {}
        return found

    def _is_locked(self, id_: str) -> bool:
        """Whether a lock keeps a resource from being deleted."""
        return is_within(id_, self._scopes_locked(id_))

    def _lock(self, id_: str) -> None:
        """Keep a resource from being deleted, as its order asks."""
        doing = f"locking {id_} (Microsoft.Authorization/locks/write)"
        notes = "Ordered with deletion protection. Remove the lock before the server."
        body = {"properties": {"level": "CanNotDelete", "notes": notes}}
        with translated(doing):
            self._ask("PUT", f"{id_}{_LOCKS}/{_LOCK_NAME}", query=_VERSION, body=body)


def is_within(id_: str, scopes: list[str]) -> bool:
    """Whether a resource lies in one of these scopes."""
    return any(f"{id_.lower()}/".startswith(scope) for scope in scopes)

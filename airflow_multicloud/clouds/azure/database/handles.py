"""Azure's asynchronous operations: what finds one again, and what Resource Manager says of it.

"Track asynchronous Azure operations"
(https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from airflow_multicloud.adapters import operations
from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.errors import retry_after_of
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import Begun, DatabaseBase
from airflow_multicloud.clouds.azure.database.errors import failure, kind_of, translated
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.operations import Operation, OperationState

#: Of an operation's URL; of one that is longer the server tells how it went.
_LONGEST_URL = 8192
_FINAL = {
    "succeeded": OperationState.SUCCEEDED,
    "failed": OperationState.FAILED,
    "canceled": OperationState.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What finds an operation again: ``token lock url``, with ``-`` for what there is none of.

    :param token: of the order of a restore.
    :param protect: whether what is restored gets a lock.
    :param url: of Azure's own operation.
    """

    token: str = ""
    protect: bool = False
    url: str = ""

    @classmethod
    def parse(cls, text: str) -> Handle:
        """The handle that a text is.

        :raises DatabaseError: ``invalid_argument``.
        """
        parts = ["" if part == "-" else part for part in text.split(" ")]
        if len(parts) != 3:  # noqa: PLR2004 - as below
            raise failure(f"handle: {text!r} given, expected one of an operation of Azure's")
        return cls(token=parts[0], protect=parts[1] == "lock", url=parts[2])

    def __str__(self) -> str:
        """As an operation keeps it."""
        url = self.url if len(self.url) <= _LONGEST_URL else ""
        return f"{self.token or '-'} {'lock' if self.protect else '-'} {url or '-'}"


def operation_of(
    action: str,
    resource: str,
    state: OperationState,
    handle: Handle | None = None,
    *,
    error_kind: ErrorKind | None = None,
    error: str | None = None,
    code: str | None = None,
) -> Operation:
    """An operation, seen now; it needs a handle of its own only while it goes on."""
    return operations.operation_of(
        action, resource, state, handle or Handle(), error_kind=error_kind, error=error, code=code
    )


def started(action: str, resource: str, first: Begun, handle: Handle | None = None) -> Operation:
    """The operation that has begun so."""
    whole = replace(handle or Handle(), url=first.url)
    found = operation_of(action, resource, OperationState.RUNNING, whole)
    return replace(found, poll_after=first.wait)


def made_by_another(resource: str, handle: Handle, what: str) -> Operation:
    """A restore whose name another order took: both began at the same time.

    Azure took the other's request for a change of the same resource.

    :param what: the kind of resource, in words.
    """
    return operation_of(
        "restore",
        resource,
        OperationState.FAILED,
        handle,
        error_kind=ErrorKind.ALREADY_EXISTS,
        error=f"another order has made a {what} of this name meanwhile",
    )


class Asking(DatabaseBase):
    """Asking Resource Manager for its own operations."""

    def _described(
        self, operation: Operation, shown: Callable[[Handle, bool], Operation]
    ) -> Operation:
        """The operation as it is now.

        :param shown: says it by what is there, where Azure has no word of its own or says that it
            has succeeded; it is given the handle, and whether Azure says so.
        """
        if operation.state.is_final:
            return operation
        handle = Handle.parse(operation.handle)
        told = self._told(operation, handle) if handle.url else None
        if told is not None and told.state is not OperationState.SUCCEEDED:
            return told
        return shown(handle, told is not None)

    def _told(self, operation: Operation, handle: Handle) -> Operation | None:
        """What Resource Manager says of an operation; ``None`` when it knows it no more.

        :raises DatabaseError: ``invalid_argument`` for a URL that does not lie on it: the token
            goes where it leads.
        """
        endpoint = self._manager.endpoint
        if urlsplit(handle.url)[:2] != urlsplit(endpoint)[:2]:
            raise failure(
                f"handle: it leads to {urlsplit(handle.url).hostname}, expected an operation of "
                f"{endpoint}"
            )
        doing = f"asking for the {operation.action} of {operation.resource}"
        try:
            with translated(doing):
                answer = self._ask("GET", handle.url)
        except DatabaseError as err:
            # Providers have codes of their own for it: NotFound, OperationNotFound…
            if err.kind is ErrorKind.NOT_FOUND and err.code != "SubscriptionNotFound":
                return None
            raise
        with well_formed(doing, NAME, area=DatabaseError):
            return _read(operation, answer.json(), answer.headers)


def _read(operation: Operation, document: Mapping[str, Any], headers: Any) -> Operation:
    state = _FINAL.get(str(document["status"]).lower(), OperationState.RUNNING)
    error = document.get("error") or {}
    code, message = error.get("code"), error.get("message")
    percent, failed = document.get("percentComplete"), state is OperationState.FAILED
    return replace(
        operation,
        state=state,
        seen_at=datetime.now(UTC),
        progress=None if percent is None else float(percent) / 100,
        error_kind=kind_of(code) if failed else None,
        error=(message or code or "Azure does not say why") if failed else None,
        code=code if failed else None,
        poll_after=None if state.is_final else retry_after_of(headers),
    )

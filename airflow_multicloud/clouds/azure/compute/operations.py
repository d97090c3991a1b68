"""Operations: Azure's asynchronous operations, which any process can ask about.

"Track asynchronous Azure operations"
(https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations). A handle is
the URL that the first answer named, or empty where there is none; Azure forgets operations after
some days, and then the machine itself says how it went. Resource Manager signs many of these URLs
(``t``, ``c``, ``s`` and ``h`` of the query: time, certificate, signature and hash). They are kept,
as that page says to ask by the URL as it was given. They grant nothing: without a token of the
subscription the answer is 401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.errors import retry_after_of
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.compute.errors import failure, kind_of, translated
from airflow_multicloud.clouds.azure.compute.fields import (
    Place,
    place_of,
    power_of,
    trouble_of,
)
from airflow_multicloud.clouds.azure.compute.power import POWER_AFTER, Power
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.compute.models import VirtualMachine

_FINAL = {
    "succeeded": OperationState.SUCCEEDED,
    "failed": OperationState.FAILED,
    "canceled": OperationState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What Azure says of an operation."""

    state: OperationState
    code: str | None = None
    message: str | None = None
    wait: timedelta | None = None
    progress: float | None = None


class InstanceOperations(Power):
    """The port's ``describe_operation``."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; a look at a termination takes its next step."""
        if operation.state.is_final:
            return operation
        place = place_of(operation.resource, self.subscription)
        told = self._told(operation.handle) if operation.handle else None
        if told is None:
            if operation.action == "terminate":
                return self._removal(place)
            told = self._told_by_machine(operation, place)
        elif told.state is OperationState.SUCCEEDED:
            if operation.action == "terminate":
                return self._removal(place)
            if operation.action == "launch" and (vm := self._vm(place)) is not None:
                self._finish_launch(place, vm)
        return _seen(operation, told)

    def _told(self, url: str) -> _Told | None:
        """What Resource Manager says of an operation; ``None`` when it knows it no more."""
        _check_endpoint(url, self._manager.endpoint)
        doing = "asking for an operation"

        def ask() -> Any:
            answer = self._compute.send_request(HttpRequest("GET", url))
            answer.raise_for_status()
            return answer

        try:
            with translated(doing):
                answer = ask()
        except DeploymentError as err:
            # Providers have codes of their own for it: NotFound, OperationNotFound…
            if err.kind is ErrorKind.NOT_FOUND and err.code != "SubscriptionNotFound":
                return None
            raise
        with well_formed(doing, NAME, area=DeploymentError):
            return _read(answer.json(), answer.headers)

    def _told_by_machine(self, operation: Operation, place: Place) -> _Told:
        vm = self._vm(place)
        if vm is None:
            return _Told(OperationState.CANCELLED)
        provisioning = ((vm.properties and vm.properties.provisioning_state) or "").lower()
        if provisioning == "deleting":
            return _Told(OperationState.CANCELLED)
        if provisioning == "failed":
            return _Told(OperationState.FAILED, *trouble_of(_statuses(vm)))
        if provisioning != "succeeded":
            return _Told(OperationState.RUNNING)
        if operation.action == "launch":
            self._finish_launch(place, vm)
            return _Told(OperationState.SUCCEEDED)
        is_so = power_of(_statuses(vm)) == POWER_AFTER.get(operation.action)
        return _Told(OperationState.SUCCEEDED if is_so else OperationState.CANCELLED)


def _statuses(vm: VirtualMachine) -> Any:
    view = vm.properties.instance_view if vm.properties else None
    return view.statuses if view else None


def _read(document: Mapping[str, Any], headers: Mapping[str, str]) -> _Told:
    state = _FINAL.get(str(document["status"]).lower(), OperationState.RUNNING)
    error = document.get("error") or {}
    percent = document.get("percentComplete")
    return _Told(
        state,
        error.get("code"),
        error.get("message"),
        retry_after_of(headers),
        None if percent is None else float(percent) / 100,
    )


def _seen(operation: Operation, told: _Told) -> Operation:
    failed = told.state is OperationState.FAILED
    return replace(
        operation,
        state=told.state,
        seen_at=datetime.now(UTC),
        progress=told.progress,
        error_kind=kind_of(told.code, told.message) if failed else None,
        error=(told.message or told.code or "Azure does not say why") if failed else None,
        code=told.code if failed else None,
        poll_after=None if told.state.is_final else told.wait,
    )


def _check_endpoint(url: str, endpoint: str) -> None:
    """Refuse a URL that does not lie on Resource Manager: the token goes where it leads.

    :raises DeploymentError: ``invalid_argument``.
    """
    if urlsplit(url)[:2] != urlsplit(endpoint)[:2]:
        raise failure(
            f"handle: it leads to {urlsplit(url).hostname}, expected an operation of {endpoint}"
        )

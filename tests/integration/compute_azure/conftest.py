"""A hook on the local Azure, and the SDK's own clients of the same account."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from airflow_multicloud.documents import to_document
from airflow_multicloud.ports.compute import InstanceRef, LaunchOrder, LaunchRequest
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.machine_faults import MachineFault
from tests.contract.compute_rigs.azure import REQUEST

MARK = "azure-test"


class Died(BaseException):
    """The process that made the requests ended."""


class Mortal(RequestsTransport):
    """A transport that lets so many requests through, and then dies.

    :param left: how many; shared by the transports of one hook.
    :param after: whether the last request is still sent.
    """

    def __init__(self, left: list[int], *, after: bool, verify: str | bool) -> None:
        super().__init__(connection_verify=verify)
        self._left, self._after = left, after

    def send(self, request: Any, **kwargs: Any) -> Any:
        self._left[0] -= 1
        if self._left[0] < 0 and not self._after:
            raise Died
        answer = super().send(request, **kwargs)
        if self._left[0] < 0:
            raise Died
        return answer


@dataclass
class Account:
    admin: Admin

    @cached_property
    def looking(self) -> Any:
        """A hook to look with, and to tidy up."""
        return self.hook()

    def hook(self) -> Any:
        from airflow_multicloud.clouds.azure.compute import VirtualMachinesHook

        return VirtualMachinesHook("azure_local")

    def mortal(self, requests: int, *, after: bool) -> Any:
        """A hook that dies at a request."""
        hook, left = self.hook(), [requests]
        for service, kind in (
            ("compute", ComputeManagementClient),
            ("network", NetworkManagementClient),
        ):
            transport = Mortal(left, after=after, verify=hook._manager.verify)
            client = self.client(hook, kind, transport=transport)
            hook._azure.client(service, lambda client=client: client)
        return hook

    def client(self, hook: Any, kind: Any, **options: Any) -> Any:
        manager = hook._manager
        return kind(
            manager.require_credential(),
            manager.require_subscription(),
            **manager.client_options(),
            **options,
        )

    def order(self, request: LaunchRequest = REQUEST, **changes: Any) -> LaunchOrder:
        order = LaunchOrder(
            spec=self.looking.resolve_launch(request),
            name=f"m-{uuid.uuid4().hex[:10]}",
            token=str(uuid.uuid4()),
            startup_script="#!/bin/sh\n",
            labels={MARK: "yes"},
        )
        return replace(order, **changes)

    def launched(self, order: LaunchOrder) -> InstanceRef:
        hook = self.looking
        done = wait(hook, hook.launch_instance(order))
        assert done.error is None, done.error
        return InstanceRef(done.resource, order.spec.region)

    def plant(self, faults: Sequence[MachineFault]) -> None:
        self.admin.seed("machine_faults", [{"clear": True}, *map(to_document, faults)])

    def left(self) -> list[str]:
        """Whatever lies there, as the services themselves list it."""
        hook = self.looking
        compute, network = hook._compute, hook._network
        lists = (
            compute.virtual_machines.list_all(),
            compute.disks.list(),
            network.network_interfaces.list_all(),
            network.public_ip_addresses.list_all(),
        )
        return [resource.id for listed in lists for resource in listed]

    def clear(self) -> None:
        hook = self.looking
        for instance in list(hook.list_instances({MARK: None})):
            wait(hook, hook.terminate_instance(instance.ref))


def wait(hook: Any, operation: Operation) -> Operation:
    for _ in range(100):
        if operation.state.is_final:
            return operation
        operation = hook.describe_operation(operation)
    raise AssertionError(f"{operation} goes on")


@pytest.fixture
def account(local_azure: LocalServer) -> Iterator[Account]:
    found = Account(Admin(local_azure.endpoint))
    yield found
    found.plant(())
    found.clear()
    assert found.left() == []

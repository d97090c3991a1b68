"""Compute: the port of virtual machines, and its values.

An instance is taken as a whole: what is made for it (an interface, a disk) carries its labels, is
listed with it, and goes with it. Networks, firewalls and identities are never made: they are named.
Beside an order's labels an instance gets those of :func:`airflow_multicloud.labels.current_work`
without the run, so that the bill names the DAG.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from airflow_multicloud.ports.calls import ApiCall
from airflow_multicloud.ports.compute.requests import (
    LaunchOrder,
    LaunchRequest,
    LaunchSpec,
    Network,
    SizeNeed,
)
from airflow_multicloud.ports.compute.values import (
    Architecture,
    Image,
    Instance,
    InstanceRef,
    InstanceState,
    Size,
)
from airflow_multicloud.ports.operations import Operation, Operations

__all__ = [
    "ApiCall",
    "Architecture",
    "Compute",
    "ComputeService",
    "ConsoleOutput",
    "Image",
    "Instance",
    "InstanceLabels",
    "InstanceRef",
    "InstanceState",
    "LaunchOrder",
    "LaunchRequest",
    "LaunchSpec",
    "Network",
    "Size",
    "SizeNeed",
]


class Compute(Operations, Protocol):
    """Virtual machines of one account; errors are of the class ``DeploymentError``."""

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; makes nothing.

        :raises DeploymentError: ``not_found`` when the region, zone, size, image, subnet, security
            group, identity or resource group is not there; ``invalid_argument`` when these do not
            go together (an image of another architecture, say), or no size has what is needed;
            ``unsupported`` when the size is not offered there. The message names the parameter.
        """
        ...

    def launch_instance(self, order: LaunchOrder) -> Operation:
        """Launch one instance, or find the one that this order made before.

        The operation's resource is the instance's ``ref.id``. It ends when the cloud says that the
        machine runs; whether its startup script has is not looked at. When it fails, what was made
        on the way may lie there as an instance that is ``failed`` or ``incomplete``.

        :raises SpentTokenError: the order's instance was made and has been terminated since.
        :raises DeploymentError: ``capacity``, ``quota``, ``unsupported`` (the size is not offered
            there), each of them also as the operation's ``error_kind``; ``already_exists`` when
            something that was not made by this order has its name.
        """
        ...

    def describe_instance(self, ref: InstanceRef) -> Instance:
        """The instance as it is now.

        :raises DeploymentError: ``not_found`` when there is none; a terminated one may be told of
            for a while.
        """
        ...

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        """Everything that carries these labels, also parts without a machine; nothing that is gone.

        In no order. A launch can be missing from it for some seconds, which its cloud allows.

        :param labels: key → value; ``None`` for any value. At least one.
        :param region: only what is there; ``None`` for every region that the account uses.
        """
        ...

    def terminate_instance(self, ref: InstanceRef) -> Operation:
        """Terminate an instance and remove all that was made for it.

        It has succeeded when nothing is left, and does so for an instance that is not there.
        """
        ...

    def power_instance(self, ref: InstanceRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs, without losing its disk.

        It succeeds at once where it is so already.

        :raises DeploymentError: ``not_found``.
        """
        ...


class InstanceLabels(Protocol):
    """Changing what an instance is labelled with; every cloud has it."""

    def label_instance(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Add these labels to an instance and its parts, or change them; others stay.

        It is done when the call returns, and :meth:`Compute.list_instances` finds it by them.

        :param labels: as in an order.
        :raises DeploymentError: ``not_found``; ``busy`` when another caller changes them.
        """
        ...


class ComputeService(Compute, InstanceLabels, Protocol):
    """What every compute hook is."""


@runtime_checkable
class ConsoleOutput(Protocol):
    """Optional capability: what an instance wrote to its serial console."""

    def read_console(self, ref: InstanceRef) -> str:
        """The newest part of it, as text; empty when there is nothing yet.

        :raises DeploymentError: ``not_found``.
        """
        ...

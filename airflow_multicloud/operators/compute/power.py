"""Start and stop a virtual machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core import telemetry
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError
from airflow_multicloud.links.consoles import CONSOLE_LINKS, push_console_links
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.operations import OperationOperator, Wait, wait_for
from airflow_multicloud.ports.compute import Compute, InstanceRef
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.registry import cloud_of, resolve

if TYPE_CHECKING:
    from airflow.sdk import Context


class PowerOperator(OperationOperator):
    """What starting and stopping have in common.

    :param conn_id: the connection of the instance's cloud.
    :param instance_id: as the cloud writes it: ``i-0abc…``; ``projects/…/instances/…``;
        ``/subscriptions/…``.
    :param region: in which it is.
    """

    template_fields: Sequence[str] = ("conn_id", "instance_id", "region")
    operator_extra_links = CONSOLE_LINKS
    #: Whether it runs afterwards.
    on: ClassVar[bool]

    def __init__(self, *, conn_id: str, instance_id: str, region: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.instance_id = instance_id
        self.region = region

    def begin(self, context: Context) -> Wait | Outcome:
        """Have the cloud do it, unless it is so already."""
        with telemetry.operation("power_instance", cloud__provider=cloud_of(self.conn_id).name):
            begun = resolve(Compute, self.conn_id).power_instance(self._ref, on=self.on)
        if begun.state.is_final:
            return self._ended(context, begun)
        self.log.info("the %s of %s has begun", begun.action, self.instance_id)
        return wait_for(Compute, [Begun(conn_id=self.conn_id, operation=begun)])

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See how it ended."""
        (ended,) = ended_operations(facts)
        return self._ended(context, ended)

    def _ended(self, context: Context, ended: Operation) -> Outcome:
        ended.raise_if_failed(DeploymentError, cloud_of(self.conn_id).name)
        instance = resolve(Compute, self.conn_id).describe_instance(self._ref)
        if instance.console_url is not None:
            push_console_links(context, {instance.name: instance.console_url})
        return Outcome(to_document(instance))

    @property
    def _ref(self) -> InstanceRef:
        return InstanceRef(self.instance_id, self.region)


class StartInstanceOperator(PowerOperator):
    """Start an instance that is stopped; one that runs is left alone.

    Returns the instance as it is then, with its addresses, which may be others than before. That it
    runs says nothing of what it serves.
    """

    on = True


class StopInstanceOperator(PowerOperator):
    """Stop an instance and keep its disks, so that it can be started again.

    Returns the instance as it is then. One that is stopped already is left alone. Its disks, and
    addresses that are reserved, still cost.
    """

    on = False

"""Launching, and launching again."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds may refuse where others do it

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.ports.compute import InstanceRef, InstanceState
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.compute.rigs import LABEL, ComputeRig


class LaunchContract:
    """The port's ``launch_instance``, ``describe_operation`` and ``describe_instance``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_launches(self, compute_rig: ComputeRig) -> None:
        """It is what the order says."""
        order = compute_rig.order()
        begun = compute_rig.hook.launch_instance(order)
        assert begun.action == "launch"
        assert begun.state is not OperationState.FAILED
        done = compute_rig.wait(begun)
        assert done.state is OperationState.SUCCEEDED
        assert done.resource == begun.resource
        found = compute_rig.hook.describe_instance(InstanceRef(done.resource, order.spec.region))
        assert found.ref.id == done.resource
        assert found.ref.region == order.spec.region
        assert found.name == order.name
        assert found.state is InstanceState.RUNNING
        assert found.account_id == order.spec.account_id
        assert found.zone == order.spec.zone
        assert found.size == order.spec.size.name
        assert found.image == order.spec.image.id
        assert found.labels[LABEL] == compute_rig.mark
        assert found.address
        assert found.error_kind is None
        assert found.created_at is not None
        assert found.created_at.tzinfo is not None
        assert found.created_at <= datetime.now(UTC)
        assert found.console_url
        assert found.console_url.startswith("https://")

    def test_another_process_waits(self, compute_rig: ComputeRig) -> None:
        """The operation is all that it needs."""
        begun = compute_rig.hook.launch_instance(compute_rig.order())
        done = compute_rig.wait(begun, compute_rig.reopen())
        assert done.state is OperationState.SUCCEEDED

    def test_a_final_operation_stays(self, compute_rig: ComputeRig) -> None:
        """It is given back as it is."""
        done = compute_rig.wait(compute_rig.hook.launch_instance(compute_rig.order()))
        assert compute_rig.hook.describe_operation(done) is done

    def test_launches_in_another_zone(self, compute_rig: ComputeRig) -> None:
        """Where the cloud has some."""
        if compute_rig.spec.other_zone is None:
            pytest.skip(f"the rig {compute_rig.spec.name} names no other zone")
        found = compute_rig.launch(compute_rig.order(compute_rig.spec.other_zone))
        assert found.zone == compute_rig.spec.other_zone.zone

    def test_the_bill_names_the_dag(self, compute_rig: ComputeRig) -> None:
        """Its labels are of the DAG and the task; machines outlast runs."""
        with working_for(Work(dag_id="Release_App", task_id="deploy", run_id="r1")):
            found = compute_rig.launch()
        labels = {key: value.lower() for key, value in found.labels.items()}
        assert labels["airflow-dag"] == "release_app"
        assert labels["airflow-task"] == "deploy"
        assert "airflow-run" not in labels

    def test_refuses_a_missing_instance(self, compute_rig: ComputeRig) -> None:
        """Once it has been terminated, it is missing or says so."""
        found = compute_rig.launch()
        compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        try:
            again = compute_rig.hook.describe_instance(found.ref)
        except DeploymentError as err:
            assert err.kind is ErrorKind.NOT_FOUND
            assert err.cloud == compute_rig.spec.cloud
        else:
            assert again.state is InstanceState.TERMINATED


class IdempotencyContract:
    """One order, one instance."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_one_order_is_one_instance(self, compute_rig: ComputeRig) -> None:
        """Also from another process, and when the first runs already."""
        order = compute_rig.order()
        first = compute_rig.hook.launch_instance(order)
        second = compute_rig.reopen().launch_instance(order)
        assert second.resource == first.resource
        assert compute_rig.wait(first).state is OperationState.SUCCEEDED
        assert compute_rig.wait(second).state is OperationState.SUCCEEDED
        third = compute_rig.wait(compute_rig.hook.launch_instance(order))
        assert third.resource == first.resource
        assert third.state is OperationState.SUCCEEDED
        assert len(compute_rig.listed()) == 1

    def test_the_token_decides(self, compute_rig: ComputeRig) -> None:
        """A retry's script has another signed URL; the instance of the first call stays."""
        order = compute_rig.order()
        first = compute_rig.launch(order)
        changed = replace(order, startup_script=order.startup_script + "# later\n")
        again = compute_rig.wait(compute_rig.hook.launch_instance(changed))
        assert again.resource == first.ref.id
        assert len(compute_rig.listed()) == 1

    def test_two_orders_are_two_instances(self, compute_rig: ComputeRig) -> None:
        """Whatever they have in common."""
        first, second = compute_rig.launch(), compute_rig.launch()
        assert first.ref != second.ref
        assert {i.ref for i in compute_rig.listed()} == {first.ref, second.ref}

    def test_a_dead_instance_is_no_success(self, compute_rig: ComputeRig) -> None:
        """Its order is spent, or makes a new instance: never is the dead one given back."""
        order = compute_rig.order()
        dead = compute_rig.launch(order)
        compute_rig.wait(compute_rig.hook.terminate_instance(dead.ref))
        try:
            again = compute_rig.wait(compute_rig.hook.launch_instance(order))
        except SpentTokenError:
            assert compute_rig.listed() == []
        else:
            assert again.state is OperationState.SUCCEEDED
            (only,) = compute_rig.listed()
            assert only.state is InstanceState.RUNNING

    def test_a_new_token_after_a_teardown(self, compute_rig: ComputeRig) -> None:
        """The same name may be used again by then."""
        order = compute_rig.order()
        dead = compute_rig.launch(order)
        compute_rig.wait(compute_rig.hook.terminate_instance(dead.ref))
        fresh = compute_rig.order(name=order.name)
        found = compute_rig.launch(fresh)
        assert found.state is InstanceState.RUNNING
        assert [i.ref for i in compute_rig.listed()] == [found.ref]

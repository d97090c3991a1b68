"""Stopping, starting, terminating, and what a machine wrote."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

import time
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import ConsoleOutput, InstanceState
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRig
from airflow_multicloud.testing.contracts.rigs import as_capable


class TerminateContract:
    """The port's ``terminate_instance``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_leaves_nothing(self, compute_rig: ComputeRig) -> None:
        """Neither machine nor part; another instance stays."""
        other, found = compute_rig.launch(), compute_rig.launch()
        begun = compute_rig.hook.terminate_instance(found.ref)
        assert begun.action == "terminate"
        assert compute_rig.wait(begun, compute_rig.reopen()).state is OperationState.SUCCEEDED
        assert [i.ref for i in compute_rig.listed()] == [other.ref]

    def test_again(self, compute_rig: ComputeRig) -> None:
        """What is gone is gone: that is a success."""
        found = compute_rig.launch()
        first = compute_rig.hook.terminate_instance(found.ref)
        second = compute_rig.hook.terminate_instance(found.ref)
        assert compute_rig.wait(first).state is OperationState.SUCCEEDED
        assert compute_rig.wait(second).state is OperationState.SUCCEEDED
        third = compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        assert third.state is OperationState.SUCCEEDED

    def test_one_that_is_stopped(self, compute_rig: ComputeRig) -> None:
        """It goes as well."""
        found = compute_rig.launch()
        compute_rig.wait(compute_rig.hook.power_instance(found.ref, on=False))
        done = compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        assert done.state is OperationState.SUCCEEDED
        assert compute_rig.listed() == []

    def test_one_that_is_being_launched(self, compute_rig: ComputeRig) -> None:
        """It goes too, once it may; nothing is left either way."""
        begun = compute_rig.hook.launch_instance(compute_rig.order())
        (found,) = compute_rig.listed()
        assert found.ref.id == begun.resource
        done = compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        assert done.state is OperationState.SUCCEEDED
        assert compute_rig.listed() == []


class PowerContract:
    """The port's ``power_instance``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_stops_and_starts(self, compute_rig: ComputeRig) -> None:
        """It is the same instance after it."""
        found = compute_rig.launch()
        stopped = compute_rig.wait(compute_rig.hook.power_instance(found.ref, on=False))
        assert stopped.action == "stop"
        assert stopped.state is OperationState.SUCCEEDED
        assert compute_rig.hook.describe_instance(found.ref).state is InstanceState.STOPPED
        assert [i.state for i in compute_rig.listed()] == [InstanceState.STOPPED]
        started = compute_rig.wait(compute_rig.hook.power_instance(found.ref, on=True))
        assert started.action == "start"
        assert started.state is OperationState.SUCCEEDED
        again = compute_rig.hook.describe_instance(found.ref)
        assert again.state is InstanceState.RUNNING
        assert again.labels == found.labels

    @pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
    def test_is_so_already(self, compute_rig: ComputeRig, *, on: bool) -> None:
        """Nothing to do is a success."""
        found = compute_rig.launch()
        if not on:
            compute_rig.wait(compute_rig.hook.power_instance(found.ref, on=False))
        done = compute_rig.wait(compute_rig.hook.power_instance(found.ref, on=on))
        assert done.state is OperationState.SUCCEEDED

    def test_one_that_is_gone(self, compute_rig: ComputeRig) -> None:
        """There is nothing to start."""
        found = compute_rig.launch()
        compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        with pytest.raises(DeploymentError) as caught:
            compute_rig.hook.power_instance(found.ref, on=True)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert caught.value.cloud == compute_rig.spec.cloud


class ConsoleContract:
    """What a machine wrote to its console."""

    needs: ClassVar[tuple[type, ...]] = (ConsoleOutput,)

    def test_reads_it(self, compute_rig: ComputeRig) -> None:
        """In time."""
        found = compute_rig.launch()
        end = time.monotonic() + 30
        while not (text := as_capable(compute_rig.hook, ConsoleOutput).read_console(found.ref)):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert isinstance(text, str)

    def test_of_one_that_never_was(self, compute_rig: ComputeRig) -> None:
        """It is not found."""
        found = compute_rig.launch()
        missing = type(found.ref)(found.ref.id[:-4] + "0000", found.ref.region)
        with pytest.raises(DeploymentError) as caught:
            as_capable(compute_rig.hook, ConsoleOutput).read_console(missing)
        assert caught.value.kind is ErrorKind.NOT_FOUND

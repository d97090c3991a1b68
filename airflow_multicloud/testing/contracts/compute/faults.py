"""What a cloud's failures come to."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds may refuse where others do it

from __future__ import annotations

from typing import ClassVar

import pytest

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRig
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault

_SCARCE = (ErrorKind.CAPACITY, ErrorKind.QUOTA, ErrorKind.UNSUPPORTED)


class FaultContract:
    """Told apart by their kinds, whatever the cloud's own words."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("kind", _SCARCE)
    def test_a_launch_is_refused(self, compute_rig: ComputeRig, kind: ErrorKind) -> None:
        """At once or later; what is left can be terminated, and another order works."""
        order = compute_rig.order()
        compute_rig.plant([MachineFault(kind=FaultKind.REFUSE, error=kind, name=order.name)])
        try:
            done = compute_rig.wait(compute_rig.hook.launch_instance(order))
        except DeploymentError as err:
            assert err.kind is kind
            assert err.code
            assert err.cloud == compute_rig.spec.cloud
        else:
            assert done.state is OperationState.FAILED
            assert done.error_kind is kind
            assert done.code
        compute_rig.clear()
        assert compute_rig.listed() == []
        assert compute_rig.launch().error_kind is None

    @pytest.mark.parametrize("kind", _SCARCE)
    def test_a_launch_fails_later(self, compute_rig: ComputeRig, kind: ErrorKind) -> None:
        """The operation says why, also to another process; nothing can't be terminated."""
        order = compute_rig.order()
        compute_rig.plant([MachineFault(kind=FaultKind.FAIL_LATER, error=kind, name=order.name)])
        begun = compute_rig.hook.launch_instance(order)
        done = compute_rig.wait(begun, compute_rig.reopen())
        assert done.state is OperationState.FAILED
        assert done.error_kind is kind
        assert done.error
        assert not [i for i in compute_rig.listed() if i.state.is_live]
        compute_rig.clear()
        assert compute_rig.listed() == []

    def test_a_lost_answer(self, compute_rig: ComputeRig) -> None:
        """The next try of the same order finds what was made."""
        order = compute_rig.order()
        compute_rig.plant([MachineFault(kind=FaultKind.LOSE_ANSWER, name=order.name)])
        try:
            done = compute_rig.wait(compute_rig.hook.launch_instance(order))
        except DeploymentError as err:
            assert err.retryable
            done = compute_rig.wait(compute_rig.hook.launch_instance(order))
        assert done.state is OperationState.SUCCEEDED
        assert [i.ref.id for i in compute_rig.listed()] == [done.resource]

    def test_a_machine_that_will_not_describe_itself(self, compute_rig: ComputeRig) -> None:
        """It passes: by the SDK's own retries, or as an error that says so."""
        found = compute_rig.launch()
        compute_rig.plant(
            [MachineFault(kind=FaultKind.REFUSE, call=MachineCall.DESCRIBE, name=found.name)]
        )
        try:
            again = compute_rig.hook.describe_instance(found.ref)
        except DeploymentError as err:
            assert err.kind is ErrorKind.UNAVAILABLE
            assert err.retryable
        else:
            assert again.ref == found.ref

"""Rigs of the compute contract: a cloud's machines, and what a launch there may name.

::

    RIG = ComputeRigSpec(
        name="local_ec2",
        cloud="aws",
        hook=Hook,
        open=connected(Compute, "aws_compute_local", "local_clouds"),
        plant=lambda request, faults: …,
        request=LaunchRequest(region="us-east-1", size="t3.small", network=Network(…)),
        …
    )
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from airflow_multicloud.ports.compute import (
    Compute,
    Instance,
    InstanceRef,
    LaunchOrder,
    LaunchRequest,
    SizeNeed,
)
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.contracts.rigs import apply_gaps, has_capability, parametrize
from airflow_multicloud.testing.machine_faults import MachineFault

#: On everything that a contract test launches.
LABEL = "multicloud-contract"
#: No shell is needed to run it, and it takes no time.
SCRIPT = "#!/bin/sh\necho started\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeRigSpec:
    """How to get at one cloud's machines.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs; a second call gives another hook of the
        same account.
    :param plant: plants these faults and no others: those of before are taken away.
    :param request: of a launch that works, with a zone, where the cloud has some, and a named size.
    :param other_zone: another zone of that region, where the cloud has some, with what the request
        must name there.
    :param need: that some size has.
    :param wrong: parameter → a request in which it names something that is not there.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], Compute]
    plant: Callable[[pytest.FixtureRequest, Sequence[MachineFault]], None]
    request: LaunchRequest
    need: SizeNeed
    wrong: Mapping[str, LaunchRequest]
    other_zone: LaunchRequest | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeRig:
    """One account, for one test.

    :param mark: the value of :data:`LABEL` on all that this test launches.
    """

    spec: ComputeRigSpec
    hook: Compute
    reopen: Callable[[], Compute]
    plant: Callable[[Sequence[MachineFault]], None]
    mark: str

    def order(
        self, request: LaunchRequest | None = None, *, name: str = "", token: str = ""
    ) -> LaunchOrder:
        """A new order."""
        return LaunchOrder(
            spec=self.hook.resolve_launch(request or self.spec.request),
            name=name or f"c-{uuid.uuid4().hex[:12]}",
            token=token or str(uuid.uuid4()),
            startup_script=SCRIPT,
            labels={LABEL: self.mark},
        )

    def launch(self, order: LaunchOrder | None = None) -> Instance:
        """A machine that runs."""
        done = self.wait(self.hook.launch_instance(order or self.order()))
        assert done.error is None, done.error  # noqa: S101 - the suite asserts
        return self.hook.describe_instance(InstanceRef(done.resource, self.spec.request.region))

    def wait(self, operation: Operation, hook: Compute | None = None) -> Operation:
        """The operation when it is final."""
        end = time.monotonic() + 60
        while not operation.state.is_final:
            if time.monotonic() > end:
                pytest.fail(f"{operation.action} of {operation.resource} goes on after a minute")
            operation = (hook or self.hook).describe_operation(operation)
            time.sleep(0 if operation.state.is_final else 0.02)
        return operation

    def label(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Label an instance."""
        labeller: Any = self.hook  # of both protocols, as every compute hook is
        labeller.label_instance(ref, labels)

    def listed(self) -> list[Instance]:
        """All that this test has launched and that is there."""
        return list(self.hook.list_instances({LABEL: self.mark}))

    def clear(self) -> None:
        """Terminate it."""
        for instance in self.listed():
            self.wait(self.hook.terminate_instance(instance.ref))


def parametrize_compute_rigs(metafunc: pytest.Metafunc, specs: Sequence[ComputeRigSpec]) -> None:
    """Run a test that takes ``compute_rig`` on every rig that has what its class needs."""
    parametrize(
        metafunc,
        "compute_rig",
        specs,
        able=lambda spec, needs: all(has_capability(spec.hook, need) for need in needs),
    )


@pytest.fixture
def compute_rig(request: pytest.FixtureRequest) -> Iterator[ComputeRig]:
    """One account; import it into your ``conftest.py``. What a test launches is terminated."""
    spec: ComputeRigSpec = request.param
    apply_gaps(request, spec)
    rig = ComputeRig(
        spec=spec,
        hook=spec.open(request),
        reopen=lambda: spec.open(request),
        plant=lambda faults: spec.plant(request, faults),
        mark=f"m{uuid.uuid4().hex[:10]}",
    )
    yield rig
    spec.plant(request, ())
    rig.clear()

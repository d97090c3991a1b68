"""What a request comes to."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRig


class ResolveContract:
    """The port's ``resolve_launch``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_looks_everything_up(self, compute_rig: ComputeRig) -> None:
        """An image though none was named, and the size with what it has."""
        wanted = compute_rig.spec.request
        found = compute_rig.hook.resolve_launch(wanted)
        assert found.region == wanted.region
        assert found.zone == wanted.zone
        assert found.size.name == wanted.size
        assert found.size.vcpus >= 1
        assert found.size.memory_bytes > 0
        assert found.image.id
        assert found.image.architecture is found.size.architecture is Architecture.X86_64
        assert found.account_id
        assert any(call.permissions for call in found.calls)  # Some calls are open to everybody.

    def test_finds_the_same_again(self, compute_rig: ComputeRig) -> None:
        """Or a plan would drift by itself."""
        wanted = compute_rig.spec.request
        found = compute_rig.hook.resolve_launch(wanted)
        assert compute_rig.reopen().resolve_launch(wanted) == found

    def test_takes_what_was_found(self, compute_rig: ComputeRig) -> None:
        """The image that was found, named, is the image that is found."""
        found = compute_rig.hook.resolve_launch(compute_rig.spec.request)
        again = replace(compute_rig.spec.request, image=found.image.id)
        assert compute_rig.hook.resolve_launch(again).image.id == found.image.id

    def test_leaves_the_zone_to_the_cloud(self, compute_rig: ComputeRig) -> None:
        """And says which it is, where there are zones."""
        found = compute_rig.hook.resolve_launch(replace(compute_rig.spec.request, zone=None))
        assert found.region == compute_rig.spec.request.region

    def test_finds_a_size_by_need(self, compute_rig: ComputeRig) -> None:
        """The smallest that has it."""
        need = compute_rig.spec.need
        found = compute_rig.hook.resolve_launch(replace(compute_rig.spec.request, size=need))
        assert found.size.vcpus >= need.vcpus
        assert found.size.memory_bytes >= need.memory_bytes
        same = replace(compute_rig.spec.request, size=found.size.name)
        assert compute_rig.hook.resolve_launch(same).size == found.size

    def test_refuses_a_need_that_no_size_has(self, compute_rig: ComputeRig) -> None:
        """It names the parameter."""
        need = replace(compute_rig.spec.need, vcpus=100_000)
        with pytest.raises(DeploymentError, match="size") as caught:
            compute_rig.hook.resolve_launch(replace(compute_rig.spec.request, size=need))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    @pytest.mark.parametrize("parameter", ["region", "size", "image", "subnets", "security_groups"])
    def test_refuses_what_is_not_there(self, compute_rig: ComputeRig, parameter: str) -> None:
        """It names the parameter, and what was given for it."""
        wanted = compute_rig.spec.wrong.get(parameter)
        if wanted is None:
            pytest.skip(f"{compute_rig.spec.cloud} has nothing to look up for {parameter}")
        with pytest.raises(DeploymentError, match=parameter) as caught:
            compute_rig.hook.resolve_launch(wanted)
        assert caught.value.kind in (ErrorKind.NOT_FOUND, ErrorKind.INVALID_ARGUMENT)
        assert caught.value.cloud == compute_rig.spec.cloud
        assert not caught.value.retryable

    @pytest.mark.parametrize("parameter", ["zone", "identity", "resource_group"])
    def test_refuses_what_does_not_fit(self, compute_rig: ComputeRig, parameter: str) -> None:
        """A zone of another region, an identity that is not there, a group of another cloud."""
        given = replace(
            compute_rig.spec.request,
            **{parameter: "no-such-thing-1"},  # type: ignore[arg-type] # all of them are texts
        )
        wanted = compute_rig.spec.wrong.get(parameter, given)
        with pytest.raises(DeploymentError, match=parameter) as caught:
            compute_rig.hook.resolve_launch(wanted)
        assert caught.value.kind in (ErrorKind.NOT_FOUND, ErrorKind.INVALID_ARGUMENT)

    def test_makes_nothing(self, compute_rig: ComputeRig) -> None:
        """Looking is free."""
        compute_rig.order()
        assert compute_rig.listed() == []

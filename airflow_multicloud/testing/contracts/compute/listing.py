"""Listing by labels."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.testing.contracts.compute.rigs import LABEL, ComputeRig


class ListContract:
    """The port's ``list_instances``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_lists_what_was_launched(self, compute_rig: ComputeRig) -> None:
        """As it is described."""
        found = compute_rig.launch()
        (listed,) = compute_rig.listed()
        assert listed == compute_rig.hook.describe_instance(found.ref)

    def test_lists_by_every_label(self, compute_rig: ComputeRig) -> None:
        """One with both labels, and not one with the first only."""
        order = compute_rig.order()
        both = replace(order, labels={**order.labels, "slot": "one"})
        found = compute_rig.launch(both)
        compute_rig.launch()
        wanted = {LABEL: compute_rig.mark, "slot": "one"}
        assert [i.ref for i in compute_rig.hook.list_instances(wanted)] == [found.ref]

    def test_lists_by_a_key(self, compute_rig: ComputeRig) -> None:
        """``None`` stands for any value."""
        order = compute_rig.order()
        found = compute_rig.launch(replace(order, labels={**order.labels, "slot": "one"}))
        wanted = {"slot": None, LABEL: compute_rig.mark}
        assert [i.ref for i in compute_rig.hook.list_instances(wanted)] == [found.ref]
        assert found.ref in [i.ref for i in compute_rig.hook.list_instances({LABEL: None})]

    def test_lists_by_region(self, compute_rig: ComputeRig) -> None:
        """Only what is there."""
        found = compute_rig.launch()
        wanted = {LABEL: compute_rig.mark}
        here = compute_rig.hook.list_instances(wanted, compute_rig.spec.request.region)
        assert [i.ref for i in here] == [found.ref]

    def test_lists_no_other_mark(self, compute_rig: ComputeRig) -> None:
        """An empty list is no error."""
        compute_rig.launch()
        assert list(compute_rig.hook.list_instances({LABEL: "another"})) == []

    def test_needs_a_label(self, compute_rig: ComputeRig) -> None:
        """Everything that there is in an account is never what was meant."""
        with pytest.raises(DeploymentError, match="labels") as caught:
            list(compute_rig.hook.list_instances({}))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_lists_many(self, compute_rig: ComputeRig) -> None:
        """Whatever its cloud's pages hold."""
        orders = [compute_rig.order() for _ in range(7)]
        for begun in [compute_rig.hook.launch_instance(order) for order in orders]:
            compute_rig.wait(begun)
        assert sorted(i.name for i in compute_rig.listed()) == sorted(o.name for o in orders)


class LabelContract:
    """The port's ``label_instance``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_changes_and_adds(self, compute_rig: ComputeRig) -> None:
        """Others stay, and it is found by the new ones."""
        order = compute_rig.order()
        found = compute_rig.launch(replace(order, labels={**order.labels, "order": "1"}))
        compute_rig.label(found.ref, {"order": "2", "more": "yes"})
        again = compute_rig.hook.describe_instance(found.ref)
        assert dict(again.labels) == {**found.labels, "order": "2", "more": "yes"}
        wanted = {LABEL: compute_rig.mark, "order": "2"}
        assert [i.ref for i in compute_rig.hook.list_instances(wanted)] == [found.ref]
        assert not list(compute_rig.hook.list_instances({**wanted, "order": "1"}))

    def test_leaves_nothing_afterwards(self, compute_rig: ComputeRig) -> None:
        """Its parts are found by the new labels as well."""
        found = compute_rig.launch()
        compute_rig.label(found.ref, {"order": "2"})
        compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        assert compute_rig.listed() == []

    def test_one_that_is_gone(self, compute_rig: ComputeRig) -> None:
        """There is nothing to label."""
        found = compute_rig.launch()
        compute_rig.wait(compute_rig.hook.terminate_instance(found.ref))
        with pytest.raises(DeploymentError) as caught:
            compute_rig.label(found.ref, {"order": "2"})
        assert caught.value.kind is ErrorKind.NOT_FOUND

"""Launching and terminating, stopped at every single request, before and after it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.ports.compute import Instance, InstanceState
from airflow_multicloud.ports.operations import OperationState
from tests.contract.compute_rigs.azure import REQUEST
from tests.integration.compute_azure.conftest import MARK, Died, wait

if TYPE_CHECKING:
    from tests.integration.compute_azure.conftest import Account

WITH_ADDRESS = replace(REQUEST, network=replace(REQUEST.network, public_address=True))
#: A launch takes more requests than this, so the loops below really stopped in between.
FEW = 5


def check_listed(account: Account, listed: list[Instance]) -> None:
    """One instance when anything at all lies there, or nobody would find it."""
    left = account.left()
    assert len(listed) == bool(left)
    assert all(instance.name in id_ for instance in listed for id_ in left)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_launch_goes_on_where_it_stopped(account: Account, after: bool) -> None:
    order = account.order(WITH_ADDRESS)
    for requests in count():
        hook = account.mortal(requests, after=after)
        fresh = replace(order, name=f"{order.name}-{requests}", token=str(uuid.uuid4()))
        try:
            wait(hook, hook.launch_instance(fresh))
        except Died:
            pass
        else:
            assert requests > FEW
            break
        again = account.hook()
        check_listed(account, list(again.list_instances({MARK: None})))
        done = wait(again, again.launch_instance(fresh))
        assert done.state is OperationState.SUCCEEDED
        (only,) = again.list_instances({MARK: None})
        assert only.state is InstanceState.RUNNING
        assert only.public_address
        account.clear()
        assert account.left() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_a_stopped_launch_left_can_be_terminated(account: Account, after: bool) -> None:
    order = account.order(WITH_ADDRESS)
    for requests in count():
        hook = account.mortal(requests, after=after)
        fresh = replace(order, name=f"{order.name}-{requests}", token=str(uuid.uuid4()))
        try:
            hook.launch_instance(fresh)
        except Died:
            pass
        else:
            assert requests > FEW
            return
        account.clear()
        assert account.left() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_termination_goes_on_where_it_stopped(account: Account, after: bool) -> None:
    order = account.order(WITH_ADDRESS)
    for requests in count():
        ref = account.launched(replace(order, token=str(uuid.uuid4())))
        hook = account.mortal(requests, after=after)
        try:
            wait(hook, hook.terminate_instance(ref))
        except Died:
            pass
        else:
            assert requests > FEW
            break
        again = account.hook()
        assert wait(again, again.terminate_instance(ref)).state is OperationState.SUCCEEDED
        assert account.left() == []

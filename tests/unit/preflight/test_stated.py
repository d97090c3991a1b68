"""What the tables say that calls need, beside what the clouds' own pages say."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.integration.preflight.stated import STATED


@pytest.mark.parametrize("cloud", STATED)
@pytest.mark.parametrize("service", ["object_store", "metrics", "logs", "identity"])
def test_calls_need_what_their_cloud_says(cloud, service):
    table = import_module(f"airflow_multicloud.clouds.{cloud}.{service}.calls").TABLE
    calls = {call.call: call for made in table.calls.values() for call in made}
    told = {name: frozenset(call.permissions) for name, call in calls.items()}
    assert told == {name: STATED[cloud].get(name, "no page of its cloud has it") for name in told}

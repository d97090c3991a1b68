"""Questions about costs that a real account answers: what is in them nobody knows beforehand."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.ports.cost import Cost, CostQueries, CostQuery
from airflow_multicloud.testing.contracts.cost.rigs import COST_CAPABILITIES
from airflow_multicloud.testing.contracts.rigs import as_capable, has_capability
from airflow_multicloud.testing.live import PREFIX
from airflow_multicloud.testing.live.hooks import live_hooks

#: Some APIs have yesterday's figures only the day after.
_END, _DAYS = timedelta(days=2), 3


def parametrize_live_costs(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``live_cost`` on every cloud that ``--live`` asks for."""
    if "live_cost" not in metafunc.fixturenames:
        return
    hooks = live_hooks(metafunc.config, "cost", Cost, COST_CAPABILITIES)
    ids = [f"{PREFIX}{cloud}" for cloud in hooks]
    metafunc.parametrize("live_cost", list(hooks.values()), ids=ids, indirect=True)


@pytest.fixture
def live_cost(request: pytest.FixtureRequest) -> Cost:
    """The cost hook of one cloud; import it into your ``conftest.py``."""
    opened: Callable[[pytest.FixtureRequest], Cost] = request.param
    return opened(request)


class LiveCostQueriesContract:
    """The port's ``CostQueries``, where the cloud has it; AWS bills each request ($0.01)."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_days_and_currency(self, live_cost: Cost) -> None:
        """Days of the period, one currency, no group that was not asked for."""
        if not has_capability(type(live_cost), CostQueries):
            return
        end = datetime.now(UTC).date() - _END
        start = end - timedelta(days=_DAYS)
        query = CostQuery(start=start, end=end, group_by=("ServiceName",), max_requests=2)
        found = as_capable(live_cost, CostQueries).query_costs(query)
        assert found.requests >= 1
        assert all(start <= row.charge_date < end for row in found.rows)
        assert all({*row.group} == {"ServiceName"} for row in found.rows)
        assert len({row.billing_currency for row in found.rows}) <= 1

"""The same buckets as the integration tests, bills, and a place for the DAGs' own figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ..integration.conftest import lab  # noqa: F401, TID252  # a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.demo import bills
    from airflow_multicloud.ports.metrics import MetricPoint
    from airflow_multicloud.testing.delivery_faults import DeliveryFaults

#: The attributes that each exported point has.
Attributes = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Figures:
    """What the last task of a DAG has exported to the memory cloud."""

    conn_id: str

    @property
    def points(self) -> list[MetricPoint]:
        """All of them."""
        from airflow_multicloud.testing.memory_cloud.metrics import metrics_of

        return [*metrics_of(self.conn_id).points["airflow_multicloud"].values()]

    @property
    def faults(self) -> DeliveryFaults:
        """Of the memory cloud."""
        from airflow_multicloud.testing.memory_cloud.metrics import metrics_of

        return metrics_of(self.conn_id).faults

    def of(self, name: str) -> dict[Attributes, float]:
        """The values of a metric by the attributes that are not Airflow's."""
        found = {}
        for point in self.points:
            if point.name == name:
                of_airflow = ("airflow.dag_id", "airflow.task_id")
                own = {key: v for key, v in point.attributes.items() if key not in of_airflow}
                found[tuple(sorted(own.items()))] = point.data.value  # type: ignore[union-attr]
        return found

    def one(self, name: str) -> float | None:
        """The value of a metric that has one series; none when it was not exported."""
        values = [*self.of(name).values()]
        assert len(values) <= 1, values
        return values[0] if values else None


@pytest.fixture
def figures(memory_account: Callable[[str, str], str]) -> Iterator[Figures]:
    """A connection to the memory cloud for ``metrics_to``, and what comes there."""
    from airflow_multicloud.testing.memory_cloud import metrics

    metrics.reset()
    yield Figures(memory_account("memory_metrics", "none"))
    metrics.reset()


@pytest.fixture(scope="session")
def exports(local_clouds: object, local_bigquery: str) -> bills.Exports:
    """Three months of three clouds' bills."""
    from airflow_multicloud.demo.bills import Exports

    made = Exports()
    made.publish()
    return made

"""Rigs of the metrics contract: a cloud's metric service, and how faults are planted in it.

::

    RIG = MetricsRigSpec(
        name="moto",
        cloud="aws",
        hook=Hook,
        open=connected(Metrics, "aws_metrics_local", "local_clouds"),
        plant=lambda request, faults: …,
    )
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Gauge,
    MetricPoint,
    MetricQuery,
    Metrics,
    PointData,
    ReadPoint,
)
from airflow_multicloud.testing.contracts.deliveries import (
    DeliveryRig,
    DeliveryRigSpec,
    parametrize_delivery_rigs,
)
from airflow_multicloud.testing.contracts.rigs import apply_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsRigSpec(DeliveryRigSpec[Metrics]):
    """How to get at one cloud's metrics; see its base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsRig(DeliveryRig[Metrics]):
    """One account and a namespace of its own, for one test.

    :param now: a moment some minutes ago, at a full minute: what clouds add up by minutes is
        told apart by whole minutes from there.
    """

    namespace: str

    def point(
        self,
        name: str = "multicloud.tested",
        data: PointData = Gauge(1.0),
        *,
        attributes: Mapping[str, AttributeValue] = MappingProxyType({}),
        unit: str = "",
        time: datetime | None = None,
        start: datetime | None = None,
    ) -> MetricPoint:
        """A point, measured at ``now`` unless said otherwise."""
        return MetricPoint(
            name=name,
            data=data,
            attributes=attributes,
            unit=unit,
            time=time or self.now,
            start=start,
        )

    def points(
        self, count: int, name: str = "multicloud.many", *, metrics: int = 10
    ) -> list[MetricPoint]:
        """So many, each of a series of its own.

        :param metrics: how many metrics they are of. A cloud may take one in a request.
        """
        return [
            self.point(
                f"{name}.{number % metrics}", Gauge(float(number)), attributes={"n": str(number)}
            )
            for number in range(count)
        ]

    def export(self, *points: MetricPoint) -> Accounting:
        """Export into this test's namespace."""
        return self.hook.export_points(points, namespace=self.namespace)

    def read(
        self,
        name: str = "multicloud.tested",
        *,
        attributes: Mapping[str, AttributeValue] = MappingProxyType({}),
    ) -> Sequence[ReadPoint]:
        """What is there of a metric, in the hour around ``now``; nothing may be missing."""
        reading = self.hook.read_points(
            MetricQuery(
                name=name,
                namespace=self.namespace,
                since=self.now - timedelta(minutes=30),
                until=self.now + timedelta(minutes=30),
                attributes=attributes,
            )
        )
        assert reading.notes == ()  # noqa: S101 - the suite asserts
        return reading.points

    def read_one(self, name: str = "multicloud.tested") -> ReadPoint:
        """The only point of a metric."""
        points = self.read(name)
        assert len(points) == 1, points  # noqa: S101 - the suite asserts
        return points[0]


def parametrize_metrics_rigs(metafunc: pytest.Metafunc, specs: Sequence[MetricsRigSpec]) -> None:
    """Run a test that takes ``metrics_rig`` on every rig that has what its class needs."""
    parametrize_delivery_rigs(metafunc, "metrics_rig", specs)


@pytest.fixture
def metrics_rig(request: pytest.FixtureRequest) -> Iterator[MetricsRig]:
    """One hook and an empty namespace; import it into your ``conftest.py``."""
    spec: MetricsRigSpec = request.param
    apply_gaps(request, spec)
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    yield MetricsRig(
        spec=spec,
        hook=spec.open(request),
        request=request,
        namespace=f"contract{uuid.uuid4().hex[:10]}",
        now=minute - timedelta(minutes=5),
    )
    spec.plant(request, ())

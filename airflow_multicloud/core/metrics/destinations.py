"""How points go to their destinations."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint


class Transport(StrEnum):
    """How points are sent."""

    #: By the cloud's own API: what it keeps is known, and can be read back.
    NATIVE = "native"
    #: By the cloud's OTLP endpoint.
    OTLP = "otlp"


class Exporter(Protocol):
    """What is needed of a destination; see :class:`~airflow_multicloud.ports.metrics.Metrics`."""

    def describe_metric_limits(self) -> MetricLimits:
        """What it takes."""
        ...

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported."""
        ...

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Send points."""
        ...

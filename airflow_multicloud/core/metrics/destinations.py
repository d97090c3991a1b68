"""Where points go, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint


class Transport(StrEnum):
    """How points are sent."""

    #: By the cloud's own API: what it keeps is known, and can be read back.
    NATIVE = "native"
    #: By the cloud's OTLP endpoint.
    OTLP = "otlp"


class OnInvalid(StrEnum):
    """What is done when a point can't be exported to a destination."""

    #: Nothing is sent anywhere.
    FAIL = "fail"
    #: It is left out there and counted; the others are sent.
    DROP = "drop"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination that is open, or why it can't be used.

    :param exporter: ``None`` when it can't.
    """

    conn_id: str
    cloud: str | None
    exporter: Exporter | None = None
    error: CloudError | None = None

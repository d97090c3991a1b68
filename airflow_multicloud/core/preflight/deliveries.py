"""What exporting metrics, shipping logs and querying them need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.choices import choice
from airflow_multicloud.core.metrics.destinations import Transport
from airflow_multicloud.core.preflight.needs import Need, ObjectPlace
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.lists import texts

_ONE = "name at least one"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMetrics:
    """An export, in the words of ``ExportMetricsOperator``."""

    destinations: object
    transport: str = "native"

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "namespace",
            "metrics",
            "metrics_data",
            "otlp_json",
            "prometheus_text",
            "resource_attributes",
            "on_invalid",
            "min_success_ratio",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of each destination."""
        transport = choice("transport", self.transport, Transport, error=MetricsError)
        use = "otlp_metrics_target" if transport is Transport.OTLP else "export_points"
        for conn_id in texts(
            self.destinations, "destinations", what="connection ids", if_empty=_ONE
        ):
            yield Need(
                what="export_metrics: destination", conn_id=conn_id, service="metrics", use=use
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipLogs:
    """A shipment, in the words of ``ShipLogsOperator``."""

    destinations: object
    log_name: str
    source: str | None = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "records",
            "source_format",
            "on_invalid",
            "min_success_ratio",
            "severity",
            "correlation_id",
            "start",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of each destination, and of a source that is in a cloud."""
        if "://" in str(self.source):
            place = ObjectPlace.of(self.source, "ship_logs: source", "source")
            yield from place.needs(("get_object",))
        for conn_id in texts(
            self.destinations, "destinations", what="connection ids", if_empty=_ONE
        ):
            yield Need(
                what="ship_logs: destination",
                conn_id=conn_id,
                service="logs",
                use="write_entries",
                facts={"log": self.log_name},
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLogs:
    """A query, in the words of ``QueryLogsOperator``, whose answer is not written to a cloud."""

    connections: object
    log_name: str

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "since",
            "until",
            "window",
            "text",
            "severity",
            "correlation_id",
            "limit",
            "min_clouds",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of each connection."""
        for conn_id in texts(self.connections, "connections", what="connection ids", if_empty=_ONE):
            yield Need(
                what="query_logs: connection",
                conn_id=conn_id,
                service="logs",
                use="query_entries",
                facts={"log": self.log_name},
            )

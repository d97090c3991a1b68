"""Cloud Monitoring as a service of the gRPC server."""

from __future__ import annotations

from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport

from airflow_multicloud.testing.delivery_faults import DeliveryCall
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Method, Service
from airflow_multicloud.testing.local_clouds.gcp.metrics.reading import Reading
from airflow_multicloud.testing.local_clouds.gcp.metrics.store import Store
from airflow_multicloud.testing.local_clouds.gcp.metrics.writing import Writing
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State


def metrics(state: State) -> Service:
    """One project's metrics, in memory."""
    store, faults = Store(), SeededDeliveryFaults(state, "metrics")
    reading = Reading(store)
    return Service(
        transport=MetricServiceGrpcTransport,
        methods={
            "create_time_series": Method(
                Writing(store, faults).create_time_series, DeliveryCall.WRITE
            ),
            "list_time_series": Method(reading.list_time_series, DeliveryCall.READ),
            "list_metric_descriptors": Method(reading.list_metric_descriptors),
            "get_metric_descriptor": Method(reading.get_metric_descriptor),
            "delete_metric_descriptor": Method(reading.delete_metric_descriptor),
        },
        faults=faults,
    )

"""What is served of Cloud Logging."""

from __future__ import annotations

from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)

from airflow_multicloud.testing.delivery_faults import DeliveryCall
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Method, Service
from airflow_multicloud.testing.local_clouds.gcp.logs.listing import Lister
from airflow_multicloud.testing.local_clouds.gcp.logs.store import Store
from airflow_multicloud.testing.local_clouds.gcp.logs.writing import Writer
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State


def logs(state: State) -> Service:
    """Cloud Logging, empty.

    :param state: where its faults are planted, as ``logs``.
    """
    store, faults = Store(), SeededDeliveryFaults(state, "logs")
    return Service(
        transport=LoggingServiceV2GrpcTransport,
        methods={
            "write_log_entries": Method(Writer(store, faults.rejects).write, DeliveryCall.WRITE),
            "list_log_entries": Method(Lister(store).list, DeliveryCall.READ),
        },
        faults=faults,
    )

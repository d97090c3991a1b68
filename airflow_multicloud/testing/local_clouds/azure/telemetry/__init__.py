"""A local Azure Monitor: Application Insights' ingestion, Logs Ingestion, Log Analytics, OTLP.

One process, since what is sent to one of them is read through another: the tables of a workspace
(:mod:`.tables`). TLS and Microsoft Entra's tokens are those of :mod:`..arm`; every request is
checked against the SDK's own description of it and the published limits.

Run by :func:`monitor`; faults are planted by
:func:`~airflow_multicloud.testing.local_clouds.kit.delivery_seeds.plant`.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID, azure_connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port

# All made up, none a secret of anything.
WORKSPACE_ID = "44444444-4444-4444-8444-444444444444"
INSTRUMENTATION_KEY = "55555555-5555-4555-8555-555555555555"
RULE_ID = "dcr-66666666666646668666666666666666"
STREAM = "Custom-MulticloudLogs_CL"
OTLP_PATH = "/datacollectionRules/dcr-otlp/streams/Microsoft-OTLP-Metrics/otlp/v1/metrics"

#: An Azure resource that has custom metrics, and its region.
RESOURCE_ID = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/telemetry/providers/Microsoft.Web/sites/shop"
)
REGION = "westeurope"

#: The audiences of Azure Monitor's tokens, whatever host it is reached by.
MONITOR_AUDIENCE = "https://monitor.azure.com"
QUERY_AUDIENCE = "https://api.loganalytics.io"
CUSTOM_METRICS_AUDIENCE = "https://monitoring.azure.com"
METRICS_QUERY_AUDIENCE = "https://metrics.monitor.azure.com"


def monitor(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Azure Monitor and Entra's tokens, in memory, over TLS.

    The server's own endpoint is its administration; connection ``azure_telemetry_local`` leads to
    Application Insights and logs, ``azure_resource_metrics_local`` to metrics of an Azure resource.

    :param port: of Azure.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    directory = data_dir / "azure-telemetry"
    return ServerSpec(
        name="azure-telemetry",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(directory)),
        ),
        ready_path="/",
        connections={
            "azure_telemetry_local": telemetry_connection(port, admin_port, directory / "ca.pem"),
            "azure_resource_metrics_local": resource_connection(
                port, admin_port, directory / "ca.pem"
            ),
        },
    )


def resource_connection(port: int, admin_port: int, authority: Path) -> dict[str, object]:
    """A connection whose metrics are those of an Azure resource; see :func:`telemetry_connection`.

    :param admin_port: as there.
    :param authority: as there.
    """
    endpoint = f"https://{LOOPBACK}:{port}"
    found = telemetry_connection(port, admin_port, authority)
    extra = found["extra"]
    assert isinstance(extra, dict)  # noqa: S101 - for the type checker
    extra |= {
        "metrics_resource_id": RESOURCE_ID,
        "metrics_region": REGION,
        "metrics_ingestion_endpoint": endpoint,
        "metrics_query_endpoint": endpoint,
    }
    return found


def telemetry_connection(port: int, admin_port: int, authority: Path) -> dict[str, object]:
    """A connection of type ``azure`` to a local Azure Monitor.

    :param admin_port: named in the extra ``local_admin``, for who seeds it.
    :param authority: the certificate authority to trust, a PEM file.
    """
    endpoint = f"https://{LOOPBACK}:{port}"
    found = azure_connection(port, admin_port, authority)
    extra = found["extra"]
    assert isinstance(extra, dict)  # noqa: S101 - for the type checker
    extra |= {
        "application_insights_connection_string": (
            f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={endpoint}/"
        ),
        "logs_workspace_id": WORKSPACE_ID,
        "logs_query_endpoint": endpoint,
        "logs_ingestion_endpoint": endpoint,
        "logs_rule_id": RULE_ID,
        "logs_stream": STREAM,
        "otlp_metrics_endpoint": f"{endpoint}{OTLP_PATH}",
    }
    return found

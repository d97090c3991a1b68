"""Google Cloud's cost APIs: how bqemulator and Recommender are run, and their connections."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp import connection
from airflow_multicloud.testing.local_clouds.kit import install
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port, url_at

BQEMULATOR_VERSION = "1.4.0"
_BQEMULATOR_LOCK = Path(__file__).parent / "bqemulator" / "requirements.txt"


def bigquery(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """BigQuery by bqemulator, on DuckDB, kept on disk.

    Its answers say that no bytes are scanned, so limits on them can't be tried here; and its
    Storage Read API does not find the results of queries.
    """
    environment = install_bqemulator()
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
        connections={"bigquery_local": connection(**{"bigquery.endpoint": url_at(port)})},
    )


def recommender(data_dir: Path, *, port: int | None = None) -> ServerSpec:  # noqa: ARG001  # in memory only
    """Google's Recommender by this package, in memory, empty until it is seeded."""
    port = port or free_port()
    return ServerSpec(
        name="recommender",
        port=port,
        command=python_command(__name__, "--port", str(port)),
        ready_path="/",
        connections={"recommender_local": connection(**{"recommender.endpoint": url_at(port)})},
    )


def install_bqemulator() -> Path:
    """Bqemulator's environment, a venv (it needs DuckDB 1); installed if need be (400 MB).

    Its ``duckdb`` directory is what bqemulator's ``~/.duckdb`` must be: the server does not
    start without DuckDB's spatial extension, which DuckDB would download.

    :raises ProviderNotAvailableError: when uv can't install it.
    """
    extension = _BQEMULATOR_LOCK.with_name("extension.py")
    return install.venv(f"bqemulator-{BQEMULATOR_VERSION}", _BQEMULATOR_LOCK, extension)

"""Blob Storage: how Azurite is run, and the connection that leads to it."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.kit import install
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port, url_at

AZURITE_VERSION = "3.37.0"
_AZURITE_LOCK = Path(__file__).parent / "azurite" / "package-lock.json"

# Azurite's built-in account and its published key, no secret:
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def azurite(data_dir: Path, *, port: int | None = None) -> ServerSpec:
    """Azure Blob Storage by Azurite, kept on disk.

    ``--skipApiVersionCheck``: the Azure SDK asks for newer API versions than Azurite lists.
    """
    environment = install_azurite()
    port = port or free_port()
    arguments = {
        "--blobHost": LOOPBACK,
        "--blobPort": str(port),
        "--location": str(data_dir / "azurite"),
    }
    connection_string = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
        f"BlobEndpoint={url_at(port)}/{AZURITE_ACCOUNT};"
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


def install_azurite() -> Path:
    """Azurite's environment, an npm project; installed first if need be (245 MB, seconds).

    :raises ProviderNotAvailableError: when npm can't install it.
    """
    return install.npm_project(f"azurite-{AZURITE_VERSION}", _AZURITE_LOCK)

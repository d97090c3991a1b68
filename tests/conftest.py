"""Every test runs offline, in an Airflow home of its own, against servers on loopback.

When tests run in parallel, each worker has its own home, database and servers: nothing that a test
counts, kills or reads of its process is another worker's.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing import offline
from airflow_multicloud.testing.fixtures import local_clouds  # noqa: F401  # a fixture
from airflow_multicloud.testing.local_clouds import (
    OBJECT_STORES,
    LocalCloudOptions,
    LocalServer,
    Server,
)
from airflow_multicloud.testing.local_clouds.aws.compute import ec2
from airflow_multicloud.testing.local_clouds.aws.database import rds
from airflow_multicloud.testing.local_clouds.aws.identity import iam
from airflow_multicloud.testing.local_clouds.aws.object_store import install_ministack
from airflow_multicloud.testing.local_clouds.aws.secrets import secrets_manager
from airflow_multicloud.testing.local_clouds.aws.telemetry import cloudwatch
from airflow_multicloud.testing.local_clouds.azure.arm import resource_manager
from airflow_multicloud.testing.local_clouds.azure.database import flexible_servers
from airflow_multicloud.testing.local_clouds.azure.object_store import install_azurite
from airflow_multicloud.testing.local_clouds.azure.secrets import key_vault
from airflow_multicloud.testing.local_clouds.azure.telemetry import monitor
from airflow_multicloud.testing.local_clouds.gcp.compute import compute_engine
from airflow_multicloud.testing.local_clouds.gcp.cost import bigquery, install_bqemulator
from airflow_multicloud.testing.local_clouds.gcp.database import cloud_sql
from airflow_multicloud.testing.local_clouds.gcp.identity import permissions
from airflow_multicloud.testing.local_clouds.gcp.object_store.xml_interface import XmlInterface
from airflow_multicloud.testing.local_clouds.gcp.secrets import secret_manager
from airflow_multicloud.testing.local_clouds.gcp.telemetry import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from airflow_multicloud.testing.local_clouds import LocalClouds
    from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec

# What a developer's shell may say of real clouds and of another Airflow is not the tests'.
_FOREIGN = ("AIRFLOW_", "AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "STORAGE_EMULATOR_HOST")
_CHECKOUT = Path(__file__).parents[1]
#: That of tasks and of the command line, and that of Airflow's own processes.
_MASKERS = ("airflow.sdk._shared.secrets_masker", "airflow._shared.secrets_masker")


_HOME = TemporaryDirectory(prefix="airflow-multicloud-home-")
_ENVIRONMENT = pytest.MonkeyPatch()
#: What a run with ``--live`` gets back of it.
_OF_CLOUDS = ("AIRFLOW_CONN_", "AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_")
_TAKEN = {name: value for name, value in os.environ.items() if name.startswith(_OF_CLOUDS)}

pytest_plugins = ("airflow_multicloud.testing.live",)


def _set_airflow_up() -> None:
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        _ENVIRONMENT.delenv(name)
    settings = {
        "AIRFLOW_HOME": _HOME.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(_CHECKOUT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME.name}/airflow.db",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Else gcsfs asks the real service over gRPC what kind of bucket it talks to.
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    }
    for name, value in settings.items():
        _ENVIRONMENT.setenv(name, value)


# When this is imported: the conftest of a directory that the command line names comes next, and
# may import Airflow before pytest is configured.
_set_airflow_up()


def pytest_configure(config: pytest.Config) -> None:
    """Switch the guard on, and undo at the end what was set up here."""
    # Imported here and not above: pytest rewrites the plugin's assertions when it loads it.
    from airflow_multicloud.testing.live import live_of

    if live_of(config) is None:
        config.pluginmanager.register(offline, offline.__name__)
    else:
        # Only tests on live rigs are left then; they reach what their connections name.
        for name, value in _TAKEN.items():
            _ENVIRONMENT.setenv(name, value)
    config.add_cleanup(_HOME.cleanup)
    config.add_cleanup(_ENVIRONMENT.undo)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: there is none, in millions of objects that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@contextmanager
def _installing(config: pytest.Config) -> Iterator[None]:
    """May download, once; another worker waits here, and then finds what it needs installed."""
    lock = Path(gettempdir()) / f"airflow-multicloud-tests-{os.getuid()}.lock"
    with lock.open("w") as held, offline.lifted(config):
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_read_once() -> Iterator[None]:
    """Each AWS session reads the models of its services; tests make thousands of sessions."""
    from botocore import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", cache(session.create_loader))
        yield


@pytest.fixture(scope="session")
def gcs_xml(local_clouds: LocalClouds) -> Iterator[XmlInterface]:  # noqa: F811
    """The local Cloud Storage by its XML interface, for callers with a token of its own."""
    with XmlInterface(local_clouds.gcp.endpoint) as server:
        yield server


@pytest.fixture(autouse=True)
def _outside_of_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a DAG that ran in this process has left in the environment is of no other test."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CTX_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _maskers_forget() -> Iterator[None]:
    """A secret of one test ("value", say) would be masked in the output of every later one."""
    # Not imported here: many tests load no Airflow, and so have nothing that is masked.
    before = {name: (set(masker.patterns), masker.replacer) for name, masker in _loaded_maskers()}
    yield
    for name, masker in _loaded_maskers():
        masker.patterns, masker.replacer = before.get(name, (set(), None))


def _loaded_maskers() -> list[tuple[str, Any]]:
    return [(name, sys.modules[name]._secrets_masker()) for name in _MASKERS if name in sys.modules]


@pytest.fixture(scope="session")
def local_cloud_options(pytestconfig: pytest.Config) -> LocalCloudOptions:
    """Local clouds with a second S3 server."""
    with _installing(pytestconfig):
        install_azurite()
        install_ministack()
    return LocalCloudOptions(servers=OBJECT_STORES | {Server.AWS_SECOND_OBJECT_STORE})


@pytest.fixture
def memory_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """Makes a connection to the memory cloud with one empty bucket; returns its id."""
    # Imported here and not above: Airflow must not load before this module has set it up.
    from airflow_multicloud import registry
    from airflow_multicloud.testing import memory_cloud
    from airflow_multicloud.testing.memory_cloud import object_store

    def make(conn_id: str, bucket: str) -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", "memory://")
        object_store.reset(conn_id)
        object_store.Hook(conn_id).ensure_bucket(bucket)
        return conn_id

    memory_cloud.register()
    yield make
    registry.unregister_provider(memory_cloud.NAME)


@contextmanager
def _serving(
    make: Callable[[Path], ServerSpec], directories: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    """A local server that runs, with its connections in the environment."""
    directory = directories.mktemp(make.__name__)
    server = LocalServer(make(directory), log_path=directory / "server.log")
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for conn_id, connection in server.spec.connections.items():
            patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        yield server
    server.stop()


@pytest.fixture(scope="session")
def local_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Azure Resource Manager, started when the first test asks; connection ``azure_local``."""
    with _serving(resource_manager, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_azure_telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Azure Monitor, started when the first test asks; connection ``azure_telemetry_local``."""
    with _serving(monitor, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def installed_bqemulator(pytestconfig: pytest.Config) -> None:
    """What the local BigQuery needs."""
    with _installing(pytestconfig):
        install_bqemulator()


@pytest.fixture(scope="session")
def local_bigquery(
    installed_bqemulator: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A BigQuery of its own, started when the first test asks; the connection's id."""
    with _serving(bigquery, tmp_path_factory):
        yield "bigquery_local"


@pytest.fixture(scope="session")
def servers_of_ui(pytestconfig: pytest.Config) -> None:
    """What ``make ui`` would else download, which only one worker does at a time."""
    with _installing(pytestconfig):
        install_azurite()
        install_bqemulator()


@pytest.fixture(scope="session")
def local_compute_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A Compute Engine of its own with its connection ``compute_local``."""
    with _serving(compute_engine, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_gcp_telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Cloud Monitoring and Cloud Logging with their connection ``gcp_telemetry_local``."""
    with _serving(telemetry, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_secret_manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Secret Manager with its connection ``gcp_secrets_local``."""
    with _serving(secret_manager, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_key_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A Key Vault with its connection ``azure_secrets_local``."""
    with _serving(key_vault, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_ec2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """An EC2 of its own, with its connection set."""
    with _serving(ec2, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_flexible_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Azure's flexible servers with real databases; sets ``azure_database_local``."""
    with _serving(flexible_servers, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_rds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """An RDS with real databases, with its connection ``aws_database_local`` set."""
    with _serving(rds, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_cloud_sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A Cloud SQL with real databases, with its connection ``gcp_database_local`` set."""
    with _serving(cloud_sql, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_iam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """IAM and STS, with their connections ``aws_identity_local`` and ``aws_role_local``."""
    with _serving(iam, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_gcp_permissions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Google Cloud's permissions, with their connection ``gcp_identity_local``."""
    with _serving(permissions, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_cloudwatch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """CloudWatch's metrics and logs, with their connection ``aws_telemetry_local`` set."""
    with _serving(cloudwatch, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def local_secrets_manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Secrets Manager, with its connections ``aws_secrets_local`` and ``…_wrong_key`` set."""
    with _serving(secrets_manager, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def _migrated() -> None:
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)


@pytest.fixture(scope="module")
def airflow_db(_migrated: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow's metadata database (SQLite), which ``dag.test()`` needs; no runs are in it."""
    from airflow.models import DagRun
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        for model in (AssetEvent, DagRun):
            session.execute(delete(model))
    # Airflow parses a bundle at each ``dag.test()``. Of "testing" nothing is to be parsed: its DAGs
    # are written to the database by the tests.
    bundles = {
        "dags-folder": _CHECKOUT / "dags",
        "testing": tmp_path_factory.mktemp("bundle"),
    }
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    listed = [
        {"name": name, "classpath": local, "kwargs": {"path": str(path)}}
        for name, path in bundles.items()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(listed))
        yield


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Spans of one test."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # The API's own setter takes the first call of a process only.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()

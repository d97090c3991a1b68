from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from airflow_multicloud import registry
from airflow_multicloud.errors import CredentialsError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.object_store import ObjectStore
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud.object_store import Hook as MemoryHook

OTHER = registry.Cloud(
    name="other",
    title="Other cloud",
    module="airflow_multicloud.testing.memory_cloud",
    requirement="other",
    conn_types=("other",),
    uri_schemes={"other": "other_default"},
)


@pytest.fixture
def memory(monkeypatch):
    yield memory_cloud.register()
    registry.unregister_provider(memory_cloud.NAME)


@pytest.fixture(autouse=True)
def _no_other():
    yield
    registry.unregister_provider("other")


def test_the_three_clouds_are_found():
    assert {"aws", "azure", "gcp"} <= {cloud.name for cloud in registry.list_providers()}
    assert registry.get_provider("aws").uri_schemes == {"s3": "aws_default"}


def test_register_and_unregister():
    registry.register_provider(OTHER)
    assert registry.get_provider("other") == OTHER
    assert OTHER in registry.list_providers()
    assert registry.cloud_of_scheme("other", parameter="source") == OTHER
    registry.unregister_provider("other")
    assert OTHER not in registry.list_providers()
    with pytest.raises(
        ProviderNotAvailableError, match=r"no cloud is called 'other'; known: .*aws"
    ):
        registry.get_provider("other")
    registry.unregister_provider("other")


def test_the_memory_cloud_registers_again(memory):
    assert memory_cloud.register() == memory
    assert registry.list_providers().count(memory) == 1


@pytest.mark.parametrize(
    ("change", "claimed"),
    [
        ({"name": "aws"}, "aws"),
        ({"conn_types": ("aws",)}, "aws"),
        ({"uri_schemes": {"s3": "other_default"}}, "s3"),
    ],
)
def test_a_clash_is_refused(change, claimed):
    with pytest.raises(ProviderNotAvailableError, match=f"both claim {claimed}") as caught:
        registry.register_provider(replace(OTHER, **change))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert OTHER not in registry.list_providers()


def test_unknown_scheme_says_what_is_allowed():
    with pytest.raises(ProviderNotAvailableError, match=r"^source: .* ftp://; allowed: .*s3://"):
        registry.cloud_of_scheme("ftp", parameter="source")


def test_unknown_connection_type_says_what_is_allowed(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_FTP_X", "ftp://host")
    with pytest.raises(CredentialsError, match=r"'ftp_x' has type 'ftp', .* allowed: .*aws"):
        registry.cloud_of("ftp_x")


def test_missing_connection():
    with pytest.raises(CredentialsError, match="connection 'nowhere' does not exist") as caught:
        registry.cloud_of("nowhere")
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_scheme_that_contradicts_the_connection(memory, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    location = parse_location("s3://mem_x@bucket/key", parameter="source")
    with pytest.raises(CredentialsError) as caught:
        registry.resolve_location(location, parameter="source")
    for part in ("source", "s3://", "Amazon Web Services", "'mem_x'", "'memory'", memory.title):
        assert part in str(caught.value)


def test_resolves(memory, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    monkeypatch.setenv("AIRFLOW_CONN_MEMORY_DEFAULT", "memory://")
    store = registry.resolve(ObjectStore, "mem_x")
    assert isinstance(store, MemoryHook)
    assert store.memory_conn_id == "mem_x"
    location = parse_location("mem://bucket/key", parameter="source")
    cloud, default = registry.resolve_location(location, parameter="source")
    assert cloud == memory
    assert isinstance(default, MemoryHook)
    assert default.memory_conn_id == "memory_default"


def test_a_service_the_cloud_does_not_have(memory, monkeypatch):
    class Weather:
        """A port no cloud has."""

    Weather.__module__ = "airflow_multicloud.ports.weather"
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    with pytest.raises(ProviderNotAvailableError, match="In-memory cloud has no weather") as caught:
        registry.resolve(Weather, "mem_x")
    assert caught.value.kind is ErrorKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("blocked", "uri", "extra"),
    [
        ("airflow.providers.amazon.aws.hooks", "aws://", "aws"),
        ("airflow.providers.google.cloud", "google-cloud-platform://", "gcp"),
        ("airflow.providers.microsoft.azure.hooks", "wasb://", "azure"),
    ],
)
def test_a_missing_extra_is_named(blocked, uri, extra):
    code = f"""
        import sys
        from importlib.abc import MetaPathFinder

        class Blocked(MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name == {blocked!r} or name.startswith({blocked + "."!r}):
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, Blocked())
        from airflow_multicloud import registry
        from airflow_multicloud.errors import ProviderNotAvailableError
        from airflow_multicloud.ports.object_store import ObjectStore

        try:
            registry.resolve(ObjectStore, "x")
        except ProviderNotAvailableError as error:
            print(error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "AIRFLOW_CONN_X": uri},
    )
    assert f"pip install 'airflow-multicloud[{extra}]'" in ran.stdout, ran.stdout + ran.stderr

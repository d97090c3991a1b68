from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import traceback
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


def test_the_same_again_is_no_error():
    registry.register_provider(OTHER)
    registry.register_provider(replace(OTHER))
    assert registry.list_providers().count(OTHER) == 1


def test_another_of_the_same_name_is_refused():
    registry.register_provider(OTHER)
    with pytest.raises(ProviderNotAvailableError, match="both claim other"):
        registry.register_provider(replace(OTHER, title="Another"))
    assert registry.get_provider("other") == OTHER


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
    assert f"pip install '.[{extra}]' in a checkout" in ran.stdout, ran.stdout + ran.stderr
    assert f"-py3-none-any.whl[{extra}]' where its wheel is" in ran.stdout


def _with_distribution(tmp_path, entry, code):
    """Run ``code`` where another distribution offers one more cloud; what it printed."""
    installed = tmp_path / "weather_cloud-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: weather-cloud\nVersion: 1.0\n"
    )
    (installed / "entry_points.txt").write_text(f"[{registry.ENTRY_POINT_GROUP}]\n{entry}\n")
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "AIRFLOW_CONN_X": "ftp://host"},
    )
    return ran.stdout


def test_another_distribution_brings_a_cloud(tmp_path):
    (tmp_path / "weather_cloud.py").write_text(
        "NAME = 'weather'\nTITLE = 'Weather'\nREQUIREMENT = 'weather-cloud[all]'\n"
        "CONN_TYPES = ('weather',)\nURI_SCHEMES = {'rain': 'weather_default'}\n"
    )
    code = """
        from airflow_multicloud import registry

        print(registry.cloud_of_scheme("rain", parameter="source"))
        print(*(cloud.name for cloud in registry.list_providers()))
    """
    found, names = _with_distribution(tmp_path, "weather = weather_cloud", code).splitlines()
    assert found == str(
        registry.Cloud(
            name="weather",
            title="Weather",
            module="weather_cloud",
            requirement="weather-cloud[all]",
            conn_types=("weather",),
            uri_schemes={"rain": "weather_default"},
        )
    )
    assert {"aws", "azure", "gcp", "weather"} <= {*names.split()}


def test_a_broken_entry_point_is_named_and_harms_no_other(tmp_path):
    code = """
        from airflow_multicloud import registry
        from airflow_multicloud.errors import CloudError

        assert registry.get_provider("aws").name == "aws"
        assert "weather" not in [cloud.name for cloud in registry.list_providers()]
        for call in (
            lambda: registry.get_provider("weather"),
            lambda: registry.cloud_of_scheme("rain", parameter="source"),
            lambda: registry.cloud_of("x"),
        ):
            try:
                call()
            except CloudError as error:
                print(type(error).__name__, error)
    """
    out = _with_distribution(tmp_path, "weather = weather_cloud.gone", code)
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "ProviderNotAvailableError",
        "ProviderNotAvailableError",
        "CredentialsError",
    ]
    for line in lines:
        assert line.endswith(
            "; cloud weather could not be loaded: weather_cloud.gone of weather-cloud: "
            "No module named 'weather_cloud'"
        ), line


@pytest.mark.parametrize(
    "value",
    [
        "not a uri with pa55w0rd",
        "pa55w0rd:more@host",
        '{"conn_type": "aws", bad pa55w0rd',
        '["pa55w0rd"]',
        '{"conn_type": "aws", "pa55w0rd": "pa55w0rd"}',
        "aws://login:pa55w0rd@host:port/",
        "",
    ],
)
def test_a_malformed_connection_is_named_and_not_shown(monkeypatch, value):
    monkeypatch.setenv("AIRFLOW_CONN_MALFORMED", value)
    with pytest.raises(
        CredentialsError, match=r"^connection 'malformed' in AIRFLOW_CONN_"
    ) as caught:
        registry.cloud_of("malformed")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    shown = "".join(traceback.format_exception(caught.value))
    assert "pa55w0rd" not in shown


def test_schemes_that_share_a_default_connection_are_one():
    assert registry.canonical_scheme("abfss") == registry.canonical_scheme("abfs") == "abfs"
    assert registry.canonical_scheme("s3") == "s3"
    assert registry.canonical_scheme("ftp") == "ftp"
    assert registry.default_connection("abfss") == "wasb_default"
    assert registry.default_connection("ftp") is None

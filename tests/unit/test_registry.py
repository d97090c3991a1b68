from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

import pytest

from airflow_multicloud import api, known_clouds, registry
from airflow_multicloud.adapters.connections import SessionConnections
from airflow_multicloud.errors import CredentialsError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.ports.object_store import ObjectRef, ObjectStore
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
        from airflow_multicloud import known_clouds, registry
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
        from airflow_multicloud import known_clouds, registry

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
        from airflow_multicloud import known_clouds, registry
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
    assert known_clouds.canonical_scheme("abfss") == known_clouds.canonical_scheme("abfs") == "abfs"
    assert known_clouds.canonical_scheme("s3") == "s3"
    assert known_clouds.canonical_scheme("ftp") == "ftp"
    assert registry.default_connection("abfss") == "wasb_default"
    assert registry.default_connection("ftp") is None


@pytest.fixture
def readings(monkeypatch):
    """The ids of the connections that are read, in order."""
    from airflow.sdk import BaseHook

    read = []
    original = BaseHook.get_connection

    def counted(conn_id):
        read.append(conn_id)
        return original(conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", counted)
    return read


def test_a_session_reads_a_connection_once_and_keeps_its_hook(memory, monkeypatch, readings):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    with registry.session():
        with registry.session():  # an operation within a task
            one = registry.resolve(ObjectStore, "mem_x")
        location = parse_location("mem://mem_x@bucket/key", parameter="source")
        assert registry.resolve_location(location, parameter="source") == (memory, one)
        assert registry.cloud_of("mem_x") == memory
    assert readings == ["mem_x"]


def test_a_session_has_a_hook_for_each_service_and_connection(memory, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    monkeypatch.setenv("AIRFLOW_CONN_MEM_Y", "memory://")
    with registry.session():
        hooks = [
            registry.resolve(ObjectStore, "mem_x"),
            registry.resolve(ObjectStore, "mem_y"),
            registry.resolve(Cost, "mem_x"),
        ]
    assert len(set(map(id, hooks))) == 3


def test_a_connection_that_changed_is_seen_by_the_next_session(memory, monkeypatch, readings):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    with registry.session():
        before = registry.resolve(ObjectStore, "mem_x")
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "ftp://host")
    with registry.session(), pytest.raises(CredentialsError, match="has type 'ftp'"):
        registry.resolve(ObjectStore, "mem_x")
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    assert registry.resolve(ObjectStore, "mem_x") is not before
    assert readings == ["mem_x"] * 3


def test_nothing_is_kept_of_what_failed(monkeypatch, memory):
    with registry.session():
        with pytest.raises(CredentialsError, match="does not exist"):
            registry.resolve(ObjectStore, "mem_x")
        monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
        registry.resolve(ObjectStore, "mem_x")


def test_threads_of_a_session_read_once(memory, monkeypatch, readings):
    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    with registry.session(), ThreadPoolExecutor(8) as pool:
        running = [
            pool.submit(copy_context().run, registry.resolve, ObjectStore, "mem_x")
            for _ in range(32)
        ]
        assert len({id(one.result()) for one in running}) == 1
    assert readings == ["mem_x"]


def test_a_hooks_own_reading_is_the_sessions(memory, monkeypatch, readings):
    from airflow.sdk import BaseHook

    class Hook(SessionConnections, BaseHook):
        """As a cloud's hook is: the official one reads its connection by itself."""

    monkeypatch.setenv("AIRFLOW_CONN_MEM_X", "memory://")
    with registry.session():
        registry.cloud_of("mem_x")
        assert Hook().get_connection("mem_x").conn_type == "memory"
    assert readings == ["mem_x"]
    assert Hook().get_connection("mem_x").conn_type == "memory"
    assert readings == ["mem_x"] * 2


def test_one_replication_between_places_of_one_connection_reads_it_once(memory_account, readings):
    conn_id = memory_account("once", "lake")
    root = f"mem://{conn_id}@lake"
    store = registry.resolve(ObjectStore, conn_id)
    store.put_object(ObjectRef("lake", "from/a"), b"content")
    readings.clear()
    report = api.replicate(f"{root}/from/", [f"{root}/to/"])
    assert report.objects == 1
    assert readings == [conn_id]


@pytest.mark.parametrize(
    ("module", "service"),
    [
        ("airflow_multicloud.ports.identity", "identity"),
        ("airflow_multicloud.ports.object_store", "object_store"),
        ("airflow_multicloud.ports.object_store.parts", "object_store"),
        ("another.queue", "queue"),
        ("another.ports.queue.sending", "queue"),
    ],
)
def test_a_port_may_be_a_package(module, service):
    assert registry._service_of(type("Port", (), {"__module__": module})) == service

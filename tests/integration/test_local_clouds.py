"""The local clouds themselves: reachable by stock clients, on loopback only, never left behind."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import obstore
import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
from airflow.sdk import BaseHook
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from obstore.store import S3Store

from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.errors import CloudError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing import local_clouds as package
from airflow_multicloud.testing.local_clouds import (
    ADVISERS,
    LocalCloudOptions,
    LocalClouds,
    Server,
    servers,
)
from airflow_multicloud.testing.local_clouds.gcp.object_store import fake_gcs
from airflow_multicloud.testing.local_clouds.kit.process import LocalServer, ServerSpec
from airflow_multicloud.testing.local_clouds.kit.sockets import Listener, free_port, listeners

MODULE = "airflow_multicloud.testing.local_clouds"


def test_cloud_storage_as_somebody_who_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = LocalCloudOptions(
        data_dir=tmp_path, servers={Server.GCP_OBJECT_STORE, Server.GCP_COMPUTE}
    )
    with LocalClouds(options) as clouds:
        for name, value in clouds.conn_env().items():
            monkeypatch.setenv(name, value)
        hook = GCSObjectStoreHook("gcp_signing_local")
        hook.ensure_bucket("signed")
        ref = ObjectRef("signed", "key")
        hook.put_object(ref, b"content")
        signed = hook.sign_url(ref, method="GET", expires_in=timedelta(minutes=5))
        with urllib.request.urlopen(signed.reveal(), timeout=10) as answer:
            assert answer.read() == b"content"


def test_connections_resolve_in_airflow(local_clouds: LocalClouds) -> None:
    aws = BaseHook.get_connection("aws_local")
    assert aws.conn_type == "aws"
    assert aws.extra_dejson["endpoint_url"] == local_clouds.aws.endpoint
    assert BaseHook.get_connection("aws_second").extra_dejson["endpoint_url"] == (
        local_clouds.second_s3.endpoint
    )
    gcp = BaseHook.get_connection("gcp_local")
    assert gcp.conn_type == "google_cloud_platform"
    assert gcp.extra_dejson == {
        "is_anonymous": True,
        "project": "local",
        "gcs.endpoint": local_clouds.gcp.endpoint,
    }
    wasb = BaseHook.get_connection("wasb_local")
    assert wasb.conn_type == "wasb"
    assert f"BlobEndpoint={local_clouds.azure.endpoint}/" in wasb.extra_dejson["connection_string"]


@pytest.mark.parametrize("conn_id", ["aws_local", "aws_second"])
def test_stock_s3_hook(local_clouds: LocalClouds, conn_id: str) -> None:
    hook = S3Hook(conn_id)
    hook.create_bucket("stock-s3")
    hook.load_bytes(b"hello", "key", "stock-s3", replace=True)
    assert hook.read_key("key", "stock-s3") == "hello"
    assert hook.test_connection()[0]  # asks STS, so needs service_config.sts


def test_stock_gcs_client(local_clouds: LocalClouds) -> None:
    with storage.Client(
        project="local",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": local_clouds.gcp.endpoint},
    ) as client:
        bucket = client.create_bucket("stock-gcs")
        bucket.blob("key").upload_from_string(b"hello")
        assert bucket.blob("key").download_as_bytes() == b"hello"


def test_stock_wasb_hook(local_clouds: LocalClouds) -> None:
    hook = WasbHook("wasb_local")
    hook.create_container("stock-wasb")
    hook.load_string("hello", "stock-wasb", "key", overwrite=True)
    assert hook.download("stock-wasb", "key").readall() == b"hello"


def test_only_loopback(local_clouds: LocalClouds) -> None:
    for server in (
        local_clouds.aws,
        local_clouds.gcp,
        local_clouds.azure,
        local_clouds.second_s3,
    ):
        assert listeners(server.pid) == {Listener("127.0.0.1", server.spec.port)}


def test_listeners_tells_public_from_loopback() -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as public,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as loopback,
    ):
        found = {one: one.loopback for one in listeners(os.getpid())}
        opened = {
            Listener("0.0.0.0", public.getsockname()[1]): False,
            Listener("::1", loopback.getsockname()[1]): True,
        }
        assert opened.items() <= found.items()
    assert not opened.keys() & listeners(os.getpid())


@pytest.fixture
def gcs(tmp_path: Path) -> LocalServer:
    return LocalServer(fake_gcs(tmp_path), log_path=tmp_path / "gcs.log")


def test_kill_and_start_again(gcs: LocalServer) -> None:
    """Losing a cloud is real, and it comes back at the same endpoint, empty."""
    gcs.start()
    pid = gcs.pid
    gcs.start()  # runs already
    assert gcs.pid == pid
    client = storage.Client(
        project="local",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": gcs.endpoint},
    )
    client.create_bucket("kept").blob("key").upload_from_string(b"hello")
    gcs.kill()
    gcs.kill()
    assert not gcs.running
    with pytest.raises(ProviderNotAvailableError, match="is not running"):
        _ = gcs.pid
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gcs.spec.port))
    gcs.start()
    assert not client.bucket("kept").exists()
    client.close()
    gcs.stop()
    gcs.stop()
    assert not gcs.running


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_busy_port_shows_the_log(tmp_path: Path) -> None:
    """A stranger who answers well on the port is not taken for the server."""
    with HTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        Thread(target=stranger.serve_forever, daemon=True).start()
        spec = fake_gcs(tmp_path, port=stranger.server_port)
        server = LocalServer(spec, log_path=tmp_path / "gcs.log")
        with pytest.raises(ProviderNotAvailableError, match="address already in use") as failed:
            server.start()
        stranger.shutdown()
    assert failed.value.kind is ErrorKind.UNAVAILABLE
    assert str(server.log_path) in str(failed.value)
    assert not server.running


def _python(code: str, port: int) -> ServerSpec:
    return ServerSpec(name="odd", port=port, command=(sys.executable, "-c", code), ready_path="/")


def test_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    spec = _python("print('thinking', flush=True); import time; time.sleep(60)", free_port())
    server = LocalServer(spec, log_path=tmp_path / "odd.log")
    with pytest.raises(ProviderNotAvailableError, match=r"within 0\.5 s(.|\n)*thinking"):
        server.start(timedelta(seconds=0.5))
    assert not server.running


def test_public_server_is_refused(tmp_path: Path) -> None:
    port = free_port()
    spec = _python(f"import http.server as h; h.test(port={port}, bind='0.0.0.0')", port)
    server = LocalServer(spec, log_path=tmp_path / "odd.log")
    with pytest.raises(ProviderNotAvailableError, match=rf"listens on 0\.0\.0\.0:{port}"):
        server.start()
    assert not server.running


def test_one_failure_leaves_none_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data_dir: Path) -> ServerSpec:
        return ServerSpec(name="azure", port=free_port(), command=("false",), ready_path="/")

    makers = {**servers.MAKERS, Server.AZURE_OBJECT_STORE: broken}
    monkeypatch.setattr(package, "MAKERS", makers)
    clouds = LocalClouds(LocalCloudOptions(data_dir=tmp_path))
    before = _descendants(os.getpid())
    with pytest.raises(ProviderNotAvailableError, match=r"azure .* ended with status 1"):
        clouds.start()
    assert clouds.conn_env() == {}
    assert _descendants(os.getpid()) == before
    assert (tmp_path / "logs" / "aws.log").exists()
    clouds.stop()
    clouds.stop()


def test_a_server_that_is_named_is_all_that_runs(tmp_path: Path) -> None:
    options = LocalCloudOptions(data_dir=tmp_path, servers={"aws.cost"})
    with LocalClouds(options) as clouds:
        assert list(clouds.conn_env()) == ["AIRFLOW_CONN_COST_HUB_LOCAL"]
        with pytest.raises(ProviderNotAvailableError, match="server aws was not started"):
            _ = clouds.aws
    assert (tmp_path / "logs" / "cost-hub.log").exists()


def test_names_of_servers() -> None:
    assert servers.servers_named(["aws.cost, gcp.cost", "azure.cost"]) == ADVISERS
    assert set(servers.MAKERS) == set(Server)
    with pytest.raises(CloudError, match=r"'aws\.costs' given; expected .*aws\.cost.*") as caught:
        LocalCloudOptions(servers=["aws.costs"])
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("words", [("--with", "aws.second_object_store"), ("--second-s3",)])
def test_the_second_s3_by_name_and_by_its_alias(tmp_path: Path, words: tuple[str, ...]) -> None:
    code = "import os; print(os.environ['AIRFLOW_CONN_AWS_SECOND'])"
    command = ("--exec", sys.executable, "-c", code)
    with _module("--data-dir", str(tmp_path), *words, *command) as parent:
        out, _ = parent.communicate(timeout=60)
    assert parent.returncode == 0
    assert "endpoint_url" in out


def test_a_name_that_no_server_has_is_refused() -> None:
    with _module("--with", "aws.moon") as parent:
        assert parent.wait(60) == 2


def test_servers_end_with_a_killed_parent(tmp_path: Path) -> None:
    with _module("--data-dir", str(tmp_path)) as parent:
        assert parent.stdout is not None
        exports = [parent.stdout.readline() for _ in range(3)]
        assert [line.partition("=")[0] for line in sorted(exports)] == [
            "export AIRFLOW_CONN_AWS_LOCAL",
            "export AIRFLOW_CONN_GCP_LOCAL",
            "export AIRFLOW_CONN_WASB_LOCAL",
        ]
        children = _descendants(parent.pid)
        assert len(children) == 3
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _await_end(children)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_servers_end_with_a_stopped_parent(
    tmp_path: Path, signum: signal.Signals, status: int
) -> None:
    with _module("--data-dir", str(tmp_path)) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        children = _descendants(parent.pid)
        parent.send_signal(signum)
        assert parent.wait(20) == status
        _await_end(children)


def test_servers_end_without_stop(tmp_path: Path) -> None:
    """A script that forgets stop(), started them in a thread that is gone, and just ends."""
    script = (
        "import threading, sys, subprocess\n"
        f"from {MODULE} import LocalClouds, LocalCloudOptions\n"
        "from pathlib import Path\n"
        "clouds = LocalClouds(LocalCloudOptions(data_dir=Path(sys.argv[1])))\n"
        "thread = threading.Thread(target=clouds.start)\n"
        "thread.start(); thread.join()\n"
        "servers = (clouds.aws, clouds.gcp, clouds.azure)\n"
        "import time; time.sleep(0.3)\n"
        "print(*(server.pid for server in servers))\n"
        "assert 'airflow' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True
    )
    pids = {int(pid) for pid in done.stdout.split()}
    assert len(pids) == 3
    _await_end(pids)


def test_exec_runs_a_command_with_the_connections(tmp_path: Path) -> None:
    script = (
        "import json, os, sys; print(json.loads(os.environ['AIRFLOW_CONN_AWS_LOCAL'])['conn_type'],"
        " sys.argv[1:]); sys.exit(7)"
    )
    with _module("--exec", sys.executable, "-c", script, "--data-dir", "x") as parent:
        out, _ = parent.communicate(timeout=60)
    assert out.strip() == "aws ['--data-dir', 'x']"
    assert parent.returncode == 7


# A command that reports its own and its child's process id, and ends with 5 on Ctrl-C.
SERVICE = (
    "import os, subprocess, sys\n"
    "child = subprocess.Popen(['sleep', '60'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "try: child.wait()\n"
    "except KeyboardInterrupt: child.terminate(); sys.exit(5)\n"
)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 5), (signal.SIGTERM, 143)])
def test_exec_passes_signals_on(signum: signal.Signals, status: int) -> None:
    with _module("--exec", sys.executable, "-c", SERVICE) as parent:
        assert parent.stdout is not None
        command, child = map(int, parent.stdout.readline().split())
        assert os.getsid(command) == command  # so a terminal's Ctrl-C does not reach it twice
        servers_too = _descendants(parent.pid)
        assert {command, child} < servers_too
        parent.send_signal(signum)
        assert parent.wait(20) == status
        _await_end(servers_too)


def test_exec_command_ends_with_a_killed_parent() -> None:
    with _module("--exec", "sleep", "60") as parent:
        deadline = time.monotonic() + 30
        while len(children := _descendants(parent.pid)) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.kill()
        _await_end(children)


def test_rust_clients_reach_loopback(local_clouds: LocalClouds) -> None:
    """The proxy variables that keep obstore offline do not keep it from the local clouds."""
    S3Hook("aws_local").create_bucket("rust")
    store = S3Store(
        "rust",
        endpoint=local_clouds.aws.endpoint,
        access_key_id="test",
        secret_access_key="test",
        region="us-east-1",
        client_options={"allow_http": True},
    )
    obstore.put(store, "key", b"hello")
    assert bytes(obstore.get(store, "key").bytes()) == b"hello"


def _module(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, *arguments], stdout=subprocess.PIPE, text=True
    )


def _processes() -> dict[int, int]:
    """Live process id → parent's id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def _descendants(pid: int) -> set[int]:
    parents = _processes()
    found = {pid}
    while more := {c for c, p in parents.items() if p in found} - found:
        found |= more
    return found - {pid}


def _await_end(pids: set[int]) -> None:
    deadline = time.monotonic() + 5
    while alive := pids & _processes().keys():
        assert time.monotonic() < deadline, f"still alive: {alive}"
        time.sleep(0.02)


def test_a_shell_keeps_its_terminal_and_its_ctrl_c() -> None:
    """What `local -- bash` is for: Ctrl-C ends what runs in the shell, not the shell."""
    run = (
        "import sys; from airflow_multicloud.testing.local_clouds.__main__ import _run; "
        "sys.exit(_run(['bash', '--norc', '-i'], {'AIRFLOW_CONN_X': 'is-set'}))"
    )
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", run])
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        os.write(terminal, b"echo value-$AIRFLOW_CONN_X; sleep 60\n")
        shown = _until(screen, b"value-is-set")
        time.sleep(0.5)
        os.write(terminal, b"\x03")
        os.write(terminal, b"echo status-$?; exit 7\n")
        shown += _until(screen, b"status-130")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert b"no job control" not in shown


def _until(screen: Any, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        assert select.select([screen], [], [], 60)[0], shown
        shown += screen.read(1024)
    return shown

"""The guard that keeps tests on this machine: seen failing tests that try to leave it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import HTTPStore

from airflow_multicloud.testing.local_clouds.kit.sockets import OFFLINE_ENV

if TYPE_CHECKING:
    from pathlib import Path

# 192.0.2.1 is TEST-NET-1 (RFC 5737) and example.invalid can't exist (RFC 2606): were the guard
# broken, these would fail in another way, and still reach nobody.
TESTS = """
import socket
from contextlib import suppress
from urllib.request import urlopen

import pytest


def test_connect():
    socket.create_connection(("192.0.2.1", 80), timeout=0.2)


def test_connect_v6():
    with socket.socket(socket.AF_INET6) as s:
        s.settimeout(0.2)
        s.connect(("2001:db8::1", 80))


def test_resolve_swallowed():
    with suppress(Exception):
        socket.getaddrinfo("example.invalid", 443)


def test_datagram():
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("192.0.2.1", 53))


def test_python_through_dead_proxy():
    with suppress(Exception):
        urlopen("http://example.invalid/", timeout=0.2)


@pytest.fixture
def leaving():
    with suppress(Exception):
        socket.create_connection(("192.0.2.1", 80), timeout=0.2)


def test_fixture(leaving):
    pass


def test_loopback_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        socket.getaddrinfo(None, 0)


def test_unix_socket_is_fine(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
"""


def test_guard_fails_tests_that_leave(tmp_path: Path) -> None:
    (tmp_path / "test_leaving.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "airflow_multicloud.testing.offline", "."],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    outcomes = dict(
        re.findall(r"^(?:PASSED|FAILED|ERROR) \S+::(\w+)(.*)$", done.stdout, re.MULTILINE)
    )
    refused = {name for name, rest in outcomes.items() if "may reach only loopback" in rest}
    assert refused == {
        "test_connect",
        "test_connect_v6",
        "test_resolve_swallowed",
        "test_datagram",
        "test_python_through_dead_proxy",
        "test_fixture",
    }, done.stdout
    assert outcomes.keys() - refused == {"test_loopback_is_fine", "test_unix_socket_is_fine"}
    assert "2 passed" in done.stdout, done.stdout


LIFTING = """
import os

from airflow_multicloud.testing import offline


def test_lifted(pytestconfig):
    assert os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"
    with offline.lifted(pytestconfig):
        assert os.environ["HTTPS_PROXY"] == "http://192.0.2.1:3128"
        assert "ALL_PROXY" not in os.environ
    assert os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_guard_can_be_lifted(tmp_path: Path, workers: str) -> None:
    """In a worker of pytest-xdist too: what it inherits is the user's own environment."""
    (tmp_path / "test_lifting.py").write_text(LIFTING)
    mine = {name: value for name, value in os.environ.items() if name not in OFFLINE_ENV}
    command = [sys.executable, "-m", "pytest", "-p", "airflow_multicloud.testing.offline", "."]
    done = subprocess.run(
        [*command, "-n", workers],
        cwd=tmp_path,
        env={**mine, "HTTPS_PROXY": "http://192.0.2.1:3128"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_guard_is_on_here(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("airflow_multicloud.testing.offline")
    assert os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"


def test_rust_clients_take_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """obstore can't be audited; that it honours the proxy variables is what stops it."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer() -> None:
            connection, _ = proxy.accept()
            with connection:
                seen.append(connection.recv(65536).split(b"\r\n")[0])
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        store = HTTPStore.from_url("http://192.0.2.1/", client_options={"allow_http": True})
        with pytest.raises(FileNotFoundError):
            obstore.get(store, "key")
        thread.join()
    assert seen == [b"GET http://192.0.2.1/key HTTP/1.1"]


def test_rust_clients_can_not_leave() -> None:
    store = HTTPStore.from_url(
        "http://192.0.2.1/", client_options={"allow_http": True}, retry_config={"max_retries": 0}
    )
    with pytest.raises(Exception, match=r"192\.0\.2\.1") as refused:
        obstore.get(store, "key")
    assert "Connection refused" in str(refused.value)

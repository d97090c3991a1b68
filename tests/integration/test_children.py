"""Local servers, npm and uv get what they need of the environment, and no secret of the shell."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from airflow_multicloud.testing.local_clouds.aws.object_store import ministack, moto
from airflow_multicloud.testing.local_clouds.azure.object_store import azurite
from airflow_multicloud.testing.local_clouds.gcp.object_store import fake_gcs
from airflow_multicloud.testing.local_clouds.kit import environment, install
from airflow_multicloud.testing.local_clouds.kit.process import LocalServer, ServerSpec
from airflow_multicloud.testing.local_clouds.kit.sockets import OFFLINE_ENV

SECRET = "planted-secret-0815"
SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_CONNECTION_STRING",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AIRFLOW_CONN_PROD",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "GITHUB_TOKEN",
    "PGPASSWORD",
    "MY_OWN_SECRET",
    "UV_PUBLISH_TOKEN",
    # They begin like what is needed.
    *("XDG_SECRET", "LC_SECRET", "XDG_CACHE_HOME_TOKEN", "LC_", "LANG_TOKEN", "SSL_CERT_KEY"),
)
OF_INDEXES = {
    "npm_config_registry": "http://npm.test/",
    "NPM_CONFIG_USERCONFIG": "/home/me/.npmrc",
    "NPM_TOKEN": "of the registry",
    "UV_INDEX_URL": "http://pypi.test/simple",
    "PIP_INDEX_URL": "http://pypi.test/simple",
    "HTTPS_PROXY": "http://proxy.test:3128",
    "no_proxy": "localhost",
    "NETRC": "/home/me/.netrc",
}
NEEDED = {
    "LC_ALL": "C.UTF-8",
    "TMPDIR": "/tmp",
    "XDG_CACHE_HOME": "/home/me/.cache",
    "SSL_CERT_FILE": "/etc/ssl/ca.pem",
    "NODE_EXTRA_CA_CERTS": "/etc/ssl/ca.pem",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/ca.pem",
}


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, SECRET)
    for name, value in {**OF_INDEXES, **NEEDED}.items():
        monkeypatch.setenv(name, value)


def environment_of(pid: int) -> dict[str, str]:
    content = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in content.split("\0") if line)


def specs(tmp_path: Path) -> list[ServerSpec]:
    return [
        fake_gcs(tmp_path),
        moto(tmp_path),
        azurite(tmp_path),
        ministack(tmp_path),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_server_sees_no_secret(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")  # The servers are installed there.
    spec = specs(tmp_path)[number]
    server = LocalServer(spec, log_path=tmp_path / "log")
    server.start()
    try:
        seen = environment_of(server.pid)
    finally:
        server.stop()
    assert SECRET not in seen.values()
    assert not set(seen) & set(OF_INDEXES).difference(OFFLINE_ENV)
    # What it needs besides is the server's own; proxies lead nowhere.
    needed = {n: v for n, v in NEEDED.items() if n != "XDG_CACHE_HOME"}
    assert {**needed, **OFFLINE_ENV, **spec.environment}.items() <= seen.items()


def test_an_installer_sees_its_index_and_no_secret(tmp_path: Path) -> None:
    code = "import json, os, pathlib; pathlib.Path('seen').write_text(json.dumps(dict(os.environ)))"
    install._run([sys.executable, "-c", code], directory=tmp_path)
    seen = json.loads((tmp_path / "seen").read_text())
    assert SECRET not in seen.values()
    assert {**OF_INDEXES, **NEEDED}.items() <= seen.items()


def test_nothing_else_is_added() -> None:
    assert environment.of_installers().items() <= os.environ.items()

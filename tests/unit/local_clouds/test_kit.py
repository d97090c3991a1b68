"""What every local server is made of."""

from __future__ import annotations

import socket
import ssl
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from werkzeug import Request

from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer, Routes

if TYPE_CHECKING:
    from collections.abc import Iterator


def price(request: Request) -> Answer:
    return Answer(body={"price": Decimal("1.5"), "asked": request.get_json(force=True)})


def broken(_request: Request) -> Answer:
    raise LookupError("nothing of the kind")


@pytest.fixture
def server() -> Iterator[HttpServer]:
    routes = Routes(
        [
            ("POST", "/price", price),
            ("GET", "/broken", broken),
            ("DELETE", "/price", lambda _: Answer(status=204, headers={"x-gone": "1"})),
        ]
    )
    with HttpServer(routes) as running:
        yield running


def test_answers_json(server: HttpServer) -> None:
    answer = requests.post(f"{server.endpoint}/price", json=[1], timeout=10)
    assert answer.json() == {"price": 1.5, "asked": [1]}
    assert answer.headers["content-type"].startswith("application/json")
    gone = requests.delete(f"{server.endpoint}/price", timeout=10)
    assert (gone.status_code, gone.content, gone.headers["x-gone"]) == (204, b"", "1")
    assert "content-type" not in gone.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/price"), ("GET", "/other")])
def test_what_no_route_fits(server: HttpServer, method: str, path: str) -> None:
    assert requests.request(method, server.endpoint + path, timeout=10).status_code == 404


def test_a_mistake_reaches_the_client(
    server: HttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = requests.get(f"{server.endpoint}/broken", timeout=10)
    assert answer.status_code == 500
    assert "nothing of the kind" in answer.json()["error"]["message"]
    assert "nothing of the kind" in capsys.readouterr().err


def test_a_body_that_nobody_reads(server: HttpServer) -> None:
    """The answer arrives whole: the connection is not reset under it."""
    answer = requests.post(f"{server.endpoint}/other", data=b"x" * (4 << 20), timeout=10)
    assert answer.status_code == 404


def test_tls_and_clients_that_do_not_shake_hands(tmp_path: Path) -> None:
    """One that stays silent holds nobody up, and a doubter is no error of the server."""
    certificates = issue(tmp_path)
    assert certificates.key.stat().st_mode & 0o777 == 0o600
    with HttpServer(Routes([("POST", "/price", price)]), certificates=certificates) as secured:
        url = f"{secured.endpoint}/price"
        assert url.startswith("https://127.0.0.1:")
        port = int(secured.endpoint.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            with pytest.raises(requests.exceptions.SSLError):
                requests.post(url, json=1, timeout=10)
            trusting = requests.post(url, json=1, timeout=10, verify=str(certificates.authority))
        assert trusting.json()["asked"] == 1


def test_each_authority_is_another(tmp_path: Path) -> None:
    first, second = issue(tmp_path / "a"), issue(tmp_path / "b")
    assert first.authority.read_bytes() != second.authority.read_bytes()
    again = issue(tmp_path / "a")  # in place of what is there
    context = ssl.create_default_context(cafile=str(again.authority))
    assert context.cert_store_stats()["x509_ca"] == 1

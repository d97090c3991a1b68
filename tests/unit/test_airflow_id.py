"""Two Airflows in one cloud account do not take each other's for their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from airflow_multicloud.api.database.waiting import requester
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.opening.airflow_id import OPTION, SECTION, airflow_id, warn_if_untold
from airflow_multicloud.operators.database.base import requester_of
from airflow_multicloud.operators.run_ids import run_id_of, task_of

ID, URL = "AIRFLOW__MULTICLOUD__AIRFLOW_ID", "AIRFLOW__API__BASE_URL"


def identities() -> list[str]:
    """What the same task of the same run is found again by."""
    task: Any = SimpleNamespace(dag_id="d", task_id="t")
    ti = SimpleNamespace(run_id="r", map_index=-1, try_number=1)
    context: Any = {"ti": ti, "dag": task, "run_id": "r"}
    orders = requester_of(context, task)
    calls = [requester("r", series="s"), requester(None, "n")]
    return [
        *(orders.run_digest, orders.series_digest),
        *(calls[0].run_digest, calls[0].series_digest, calls[1].run_digest),
        *(run_id_of(context, "t"), run_id_of(context, "t", shared=True), task_of(context, task)),
    ]


def test_two_airflows_share_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name, value in (
        (URL, ""),
        (URL, "https://airflow.example.org"),
        (URL, "https://airflow.example.org/staging"),
        (ID, "production"),
        (ID, "staging"),
    ):
        monkeypatch.setenv(name, value)
        found.append(identities())
        assert identities() == found[-1]
    for one in zip(*found, strict=True):
        assert len({*one}) == len(found)


def test_the_address_tells_by_what_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    told = set()
    for url in ("https://Airflow.example.org/a/", "http://airflow.example.org/a"):
        monkeypatch.setenv(URL, url)
        told.add(airflow_id())
    assert len(told) == 1
    assert len(told.pop()) == 12


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8:8080", "http://172.32.0.1", "http://[2001:4860:4860::8888]"]
)
def test_a_public_address_tells(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(URL, url)
    assert len(airflow_id()) == 12


def test_snapshots_that_another_airflow_may_remove_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(URL, "http://airflow-webserver:8080")
    warn_if_untold()
    assert "[multicloud] airflow_id" in caplog.text
    caplog.clear()
    monkeypatch.setenv(ID, "production")
    warn_if_untold()
    assert caplog.text == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://localhost:8080",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080",
        "http://0.0.0.0:8080",
        "http://airflow-webserver:8080",
        "http://airflow-webserver.:8080",
        "http://airflow.default.svc.cluster.local:8080",
        "http://host.docker.internal:8080",
        "http://10.0.0.5:8080",
        "http://172.16.0.1",
        "http://172.31.255.1",
        "http://192.168.1.1",
        "http://169.254.1.1",
        "http://[fe80::1]:8080",
        "http://[fd00::1]",
        "http://[::ffff:10.0.0.5]",
        "airflow",
        "http://[broken",
        "http://host:port",
    ],
)
def test_an_address_that_many_have_tells_nothing(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(URL, url)
    assert airflow_id() == ""
    monkeypatch.setenv(ID, "production")
    assert airflow_id() == "production"


@pytest.mark.parametrize("given", ["a\nb", " a", "x" * 201])
def test_an_option_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(ID, given)
    with pytest.raises(CloudError, match="airflow_id") as caught:
        airflow_id()
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_airflow_knows_the_option() -> None:
    assert OPTION in get_provider_info()["config"][SECTION]["options"]

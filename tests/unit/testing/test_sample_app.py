"""The sample application, as the machines of a local cloud run it."""

from __future__ import annotations

import hashlib
import http.client
import tarfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from airflow_multicloud.testing.sample_app import COMMAND, Behaviour, write_sample_app

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 40_504


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with closing(Machines(tmp_path / "machines", port=free_port())) as made:
        yield made


def run(machines: Machines, app: Path) -> None:
    script = (
        f"#!/bin/sh\nset -e\ntar -xf '{app}'\nMULTICLOUD_REVISION=r1 PORT={PORT} exec {COMMAND}\n"
    )
    machines.boot("a", script.encode())


def wait_for(machines: Machines, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in machines.console("a"):
        assert time.monotonic() < deadline, machines.console("a")
        time.sleep(0.02)


def answer(machines: Machines, path: str = "/") -> tuple[int, str]:
    with closing(http.client.HTTPConnection(machines.address("a"), PORT, timeout=10)) as connection:
        connection.request("GET", path)
        answered = connection.getresponse()
        return answered.status, answered.read().decode()


def test_the_same_parameters_make_the_same_bytes(tmp_path: Path) -> None:
    made = [
        write_sample_app(tmp_path / "1.tar.gz"),
        write_sample_app(tmp_path / "2.tar.gz"),
        write_sample_app(tmp_path / "3.tar.gz", note="another"),
        write_sample_app(tmp_path / "4.tar.gz", behaviour=Behaviour.EXITS),
        write_sample_app(tmp_path / "5.tar.gz", starts_after=0.5),
        write_sample_app(tmp_path / "6.tar.gz", where="127.1."),
    ]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in made]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
    with tarfile.open(made[0]) as archive:
        assert {member.name: member.mode for member in archive} == {
            "run": 0o755,
            "settings.json": 0o644,
        }


def test_healthy(machines: Machines, tmp_path: Path) -> None:
    run(machines, write_sample_app(tmp_path / "app.tar.gz"))
    wait_for(machines, f"serves revision r1 on {machines.address('a')}:{PORT}")
    assert answer(machines) == (200, "r1")
    assert answer(machines, "/health") == (200, "ok")
    assert answer(machines, "/other") == (404, "Not Found")


def test_it_exits(machines: Machines, tmp_path: Path) -> None:
    run(machines, write_sample_app(tmp_path / "app.tar.gz", behaviour=Behaviour.EXITS))
    wait_for(machines, "exit status 1")
    assert "ends at once, as it was told to" in machines.console("a")


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (Behaviour.ANSWERS_500, (500, "Internal Server Error")),
        (Behaviour.WRONG_REVISION, (200, "another-revision")),
    ],
)
def test_broken(
    machines: Machines, tmp_path: Path, behaviour: Behaviour, expected: tuple[int, str]
) -> None:
    run(machines, write_sample_app(tmp_path / "app.tar.gz", behaviour=behaviour))
    wait_for(machines, "serves")
    assert answer(machines) == expected


@pytest.mark.parametrize(("is_here", "status"), [(True, 500), (False, 200)])
def test_broken_in_one_place_only(
    machines: Machines, tmp_path: Path, is_here: bool, status: int
) -> None:
    network = machines.address("a").rpartition(".")[0]
    app = write_sample_app(
        tmp_path / "app.tar.gz",
        behaviour=Behaviour.ANSWERS_500,
        where=f"{network}." if is_here else "10.",
    )
    run(machines, app)
    wait_for(machines, "serves")
    assert answer(machines)[0] == status


def test_it_starts_late(machines: Machines, tmp_path: Path) -> None:
    began = time.monotonic()
    run(machines, write_sample_app(tmp_path / "app.tar.gz", starts_after=0.7))
    wait_for(machines, "serves")
    assert time.monotonic() - began >= 0.7

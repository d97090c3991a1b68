"""The machines of a local cloud, over real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.local_clouds.kit.machines import Machines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 40_500
#: Leaves its parent and its session, ignores SIGTERM, and tells its process id.
DAEMON = b"""#!/bin/sh
setsid sh -c '(trap "" TERM; sh -c "echo \\$PPID" >daemon.part; mv daemon.part daemon;
  while :; do sleep 0.05; done) &' &
"""


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with closing(Machines(tmp_path / "machines", port=PORT)) as made:
        yield made


def eventually(happens: Callable[[], object], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def scratch(machines: Machines, machine: str) -> Path:
    """Where a machine works, by its own account."""
    machines.boot(machine, b"#!/bin/sh\npwd\n")
    eventually(lambda: "exit status" in machines.console(machine))
    machines.shut_down(machine)
    return Path(machines.console(machine).splitlines()[0])


def has_ended(machines: Machines, machine: str) -> bool:
    return "exit status" in machines.console(machine)


def boot_daemon(machines: Machines, machine: str) -> int:
    place = scratch(machines, machine)
    machines.boot(machine, DAEMON)
    eventually((place / "daemon").exists)
    pid = int((place / "daemon").read_text())
    assert is_running(pid)
    return pid


def test_addresses_are_unique_and_stay(machines: Machines) -> None:
    first = [machines.address(f"m{number}") for number in range(254)]
    assert len(set(first)) == 254
    assert first[0] == "127.158.52.1"
    assert [machines.address(f"m{number}") for number in range(254)] == first
    with pytest.raises(RuntimeError, match=r"all 254 addresses of 127\.158\.52\.0/24"):
        machines.address("one more")
    machines.remove("m7")
    assert machines.address("one more") == first[7]


def test_an_address_is_not_given_again_soon(machines: Machines) -> None:
    former = machines.address("a")
    machines.remove("a")
    assert machines.address("b") != former


@pytest.mark.parametrize("port", [0, 65_536])
def test_ports_that_are_none(tmp_path: Path, port: int) -> None:
    with pytest.raises(ValueError, match=f"port: {port} given"):
        Machines(tmp_path, port=port)


def test_what_a_script_sees(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-real-cloud")
    machines.boot("a", b"#!/bin/sh\npwd\necho $MULTICLOUD_ROOT $MULTICLOUD_ADDRESS $HOME\nenv\n")
    eventually(lambda: "exit status 0" in machines.console("a"))
    place, values, *rest = machines.console("a").splitlines()
    assert values.split() == [place, machines.address("a"), place]
    assert any(line.startswith("PATH=") for line in rest)
    assert not any("of-a-real-cloud" in line for line in rest)


def test_python_is_there(machines: Machines) -> None:
    machines.boot("a", b"#!/usr/bin/env python3\nprint('it works')\n")
    eventually(lambda: "it works" in machines.console("a"))


def test_a_machine_outlasts_its_script(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\nexit 3\n")
    eventually(lambda: "startup script: exit status 3" in machines.console("a"))
    assert machines.is_up("a")


def test_both_streams_are_on_the_console_and_only_the_newest_is_told(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\necho first\nyes | head -c 70000\necho last >&2\nkill -9 $$\n")
    eventually(lambda: "exit status -9" in machines.console("a"))
    told = machines.console("a")
    assert len(told) == 64 << 10
    assert "first" not in told
    assert "last\n" in told


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (b"echo hello\n", "not run: it does not begin with '#!'"),
        (b"#!/no/such/thing\n", "No such file or directory"),
    ],
)
def test_scripts_that_can_not_run(machines: Machines, script: bytes, told: str) -> None:
    machines.boot("a", script)
    eventually(lambda: told in machines.console("a"))
    assert machines.is_up("a")


def test_boot_returns_at_once_and_is_up_after_its_delay(machines: Machines) -> None:
    began = time.monotonic()
    machines.boot("a", b"#!/bin/sh\necho booted\n", delay=0.6)
    assert time.monotonic() - began < 0.5
    assert not machines.is_up("a")
    eventually(lambda: machines.is_up("a"))
    assert time.monotonic() - began >= 0.6
    eventually(lambda: "booted" in machines.console("a"))


def test_shut_down_before_it_is_up(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\necho booted\n", delay=60.0)
    machines.shut_down("a")
    assert not machines.is_up("a")
    assert machines.console("a") == ""


def test_boot_of_one_that_is_on_changes_nothing(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\necho one\n", delay=0.3)
    machines.boot("a", b"#!/bin/sh\necho two\n")
    eventually(lambda: machines.is_up("a"))
    machines.boot("a", b"#!/bin/sh\necho three\n")
    eventually(lambda: "exit status" in machines.console("a"))
    assert machines.console("a").splitlines()[0] == "one"
    assert "three" not in machines.console("a")


def test_one_that_does_not_run_its_script(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\necho ran\n", runs_script=False)
    eventually(lambda: machines.is_up("a"))
    machines.shut_down("a")
    assert machines.console("a") == ""


def test_shut_down_ends_a_daemon_that_ignores_sigterm(machines: Machines) -> None:
    daemon = boot_daemon(machines, "a")
    machines.shut_down("a")
    assert not is_running(daemon)
    assert not machines.is_up("a")
    machines.shut_down("a")


def test_a_service_can_end_in_peace(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\ntrap 'echo bye; exit 0' TERM\nsleep 60 &\necho up\nwait\n")
    eventually(lambda: "up" in machines.console("a"))
    machines.shut_down("a")
    assert "bye" in machines.console("a")


def test_only_one_that_was_up_has_gone_down(machines: Machines) -> None:
    machines.boot("a", b"#!/bin/sh\necho up\n", delay=0.2)
    while not machines.is_up("a"):
        assert not machines.has_gone_down("a")
    assert not machines.has_gone_down("a")
    machines.shut_down("a")
    assert machines.has_gone_down("a")
    machines.boot("a", b"", delay=30)
    assert not machines.has_gone_down("a")


def test_it_dies_by_itself(machines: Machines) -> None:
    place = scratch(machines, "a")
    machines.boot("a", DAEMON, dies_after=0.5)
    eventually((place / "daemon").exists)
    daemon = int((place / "daemon").read_text())
    eventually(lambda: not machines.is_up("a"))
    eventually(lambda: not is_running(daemon))


def test_a_reboot_keeps_the_scratch_directory(machines: Machines) -> None:
    place = scratch(machines, "a")
    (place / "kept").write_text("still here")
    address = machines.address("a")
    machines.boot("a", b"#!/bin/sh\ncat kept\n")
    eventually(lambda: "still here" in machines.console("a"))
    assert machines.address("a") == address


def test_remove_deletes_all(machines: Machines) -> None:
    daemon = boot_daemon(machines, "a")
    place = scratch(machines, "b")
    machines.remove("a")
    machines.remove("b")
    machines.remove("never seen")
    assert not is_running(daemon)
    assert not place.exists()
    assert list(place.parent.parent.iterdir()) == []
    assert machines.console("b") == ""
    machines.boot("b", b"#!/bin/sh\necho new\n")
    eventually(lambda: "new" in machines.console("b"))


def test_names_that_are_no_file_names(machines: Machines) -> None:
    names = ["/subscriptions/1/" + "x" * 300, "../a", "..a", "a b", ""]
    for name in names:
        machines.boot(name, f"#!/bin/sh\necho of {names.index(name)}\n".encode())
    for number, name in enumerate(names):
        eventually(partial(has_ended, machines, name))
        assert machines.console(name).splitlines()[0] == f"of {number}"


def test_close_ends_all_and_nothing_boots_after_it(machines: Machines) -> None:
    daemon = boot_daemon(machines, "a")
    machines.close()
    assert not is_running(daemon)
    with pytest.raises(RuntimeError, match="the local cloud has ended"):
        machines.boot("b", b"")


def test_many_threads(machines: Machines) -> None:
    def live(name: str) -> None:
        machines.boot(name, b"#!/bin/sh\necho here; sleep 60\n")
        eventually(lambda: "here" in machines.console(name))
        machines.remove(name)

    threads = [threading.Thread(target=live, args=(f"m{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not any(machines.is_up(f"m{number}") for number in range(16))


OWNER = """
import sys, threading, time
from pathlib import Path
from airflow_multicloud.testing.local_clouds.kit.machines import Machines

machines = Machines(Path(sys.argv[1]), port=40501)
# From a thread that ends: a machine must not end with it.
thread = threading.Thread(target=machines.boot, args=("a", sys.argv[2].encode()))
thread.start()
thread.join()
print("booted", flush=True)
time.sleep(60)
"""


def test_it_ends_with_its_owner_even_when_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), DAEMON.decode()],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"booted\n"
            eventually(lambda: list(tmp_path.glob("*/scratch/daemon")))
            (told,) = tmp_path.glob("*/scratch/daemon")
            daemon = int(told.read_text())
            time.sleep(0.2)
            assert is_running(daemon)
        finally:
            owner.kill()
    eventually(lambda: not is_running(daemon))

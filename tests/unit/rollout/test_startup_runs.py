"""The startup script as it runs: by machines of a local cloud, and by the shells there are."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import hashlib
import http.client
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.script import StartupScript
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from airflow_multicloud.testing.sample_app import write_sample_app
from tests.unit.rollout.artifact_server import SECRET, ArtifactServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 40_503
#: Tells what it was run with.
TELLS = b"""#!/usr/bin/env python3
import json, os, sys
names = ("MULTICLOUD_DEPLOYMENT", "MULTICLOUD_REVISION", "MULTICLOUD_ADDRESS", "PORT")
print(json.dumps({"words": sys.argv, "here": os.getcwd(), **{n: os.environ[n] for n in names}}))
"""
HOSTILE = 'it\'s "$(touch pwned)" `touch pwned` %s %% \\ $HOME * # settings; touch pwned é'
TOOLS = ("sh", "env", "cat", "mkdir", "rm", "mv", "cp", "chmod", "wc", "cut", "sha256sum", "tar")


def archive(**members: bytes) -> bytes:
    return tar([(entry(name, len(content)), content) for name, content in members.items()])


def tar(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for member, content in members:
            made.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


def entry(name: str, size: int, **values: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mode = size, 0o755
    for attribute, value in values.items():
        setattr(made, attribute, value)
    return made


def script_for(content: bytes, **changes: object) -> StartupScript:
    script = StartupScript(
        deployment_id="shop",
        revision="r1",
        artifact_name="app.tar.gz",
        artifact_sha256=hashlib.sha256(content).hexdigest(),
        artifact_size=len(content),
    )
    return dataclasses.replace(script, **changes)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Host:
    """Where scripts run without a machine: a root of its own, and a PATH."""

    root: Path
    path: Path

    def run(self, text: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        program = self.root.with_name("script")
        program.write_text(text)
        return subprocess.run(
            [*shlex.split(shell), str(program)],
            env={"PATH": str(self.path), "MULTICLOUD_ROOT": str(self.root)},
            cwd=self.root,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )

    def has(self, tool: str, text: str | None = None) -> None:
        """Have a tool: this machine's, or a script of its own."""
        if text is None:
            real = sys.executable if tool == "python3" else shutil.which(tool)
            assert real is not None, tool
            (self.path / tool).symlink_to(real)
        else:
            (self.path / tool).unlink(missing_ok=True)
            (self.path / tool).write_text(text)
            (self.path / tool).chmod(0o755)

    def files(self) -> list[str]:
        """All that lies in the root, but for directories."""
        return sorted(p.name for p in self.root.rglob("*") if not p.is_dir())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return made_host(tmp_path)


def made_host(directory: Path) -> Host:
    made = Host(root=directory / "root dir", path=directory / "bin")
    made.root.mkdir()
    made.path.mkdir()
    for tool in (*TOOLS, "gzip", "id", "bash", "curl", "python3"):
        made.has(tool)
    made.has("sleep", '#!/bin/sh\necho "sleeps $1"\n')
    return made


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with closing(Machines(tmp_path / "machines", port=free_port())) as made:
        yield made


def eventually(happens: Callable[[], object], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def page(address: str, path: str = "/") -> str | None:
    """What is served there, past any proxy."""
    with closing(http.client.HTTPConnection(address, PORT, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError:
            return None


def test_a_machine_serves_the_artifact_on_its_address(machines: Machines, tmp_path: Path) -> None:
    content = write_sample_app(tmp_path / "app.tar.gz").read_bytes()
    script = script_for(content, revision="r 1.2", port=PORT)
    address = machines.address("a")
    with ArtifactServer(content) as artifact:
        machines.boot("a", script.text(artifact.url).encode())
        eventually(lambda: page(address) == "r 1.2")
        assert page(address, "/health") == "ok"
        machines.shut_down("a")
        assert page(address) is None
        # A reboot, as on Compute Engine, when the URL has long expired.
        artifact.statuses = [403] * 10
        machines.boot("a", script.text(artifact.url).encode())
        eventually(lambda: page(address) == "r 1.2")
        assert artifact.requests == 1
    assert "the artifact was fetched before" in machines.console("a")
    assert SECRET not in machines.console("a")


def test_a_machine_refuses_another_artifact(machines: Machines) -> None:
    content = archive(run=TELLS)
    with ArtifactServer(archive(run=TELLS + b"#")) as artifact:
        script = script_for(content, artifact_size=len(artifact.content))
        machines.boot("a", script.text(artifact.url).encode())
        eventually(lambda: "startup script: exit status 1" in machines.console("a"))
    assert "airflow-multicloud: refused: the artifact's SHA-256 is" in machines.console("a")


@pytest.mark.parametrize("shell", ["sh", "bash", "bash --posix"])
def test_the_command_sees_what_was_asked_for(host: Host, shell: str) -> None:
    content = archive(run=TELLS)
    command = (
        f"./run {shlex.quote(HOSTILE)} '$(touch pwned)' '`touch pwned`' '$HOME' '' multicloud-end"
    )
    script = script_for(content, command=command, revision=HOSTILE, port=81)
    with ArtifactServer(content) as artifact:
        ran = host.run(script.text(artifact.url), shell)
    assert ran.returncode == 0, ran.stdout
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "words": shlex.split(command),
        "here": str(host.root / "shop" / script.digest[:16]),
        "MULTICLOUD_DEPLOYMENT": "shop",
        "MULTICLOUD_REVISION": HOSTILE,
        "MULTICLOUD_ADDRESS": "0.0.0.0",
        "PORT": "81",
    }
    assert "pwned" not in host.files()


VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)


@settings(max_examples=20, deadline=None)
@given(words=st.lists(VISIBLE, max_size=4), revision=VISIBLE)
def test_any_words_arrive(
    words: list[str], revision: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = archive(run=TELLS)
    host = made_host(tmp_path_factory.mktemp("host"))
    script = script_for(content, command=shlex.join(["./run", *words]), revision=revision)
    with ArtifactServer(content) as artifact:
        ran = host.run(script.text(artifact.url))
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["words"][1:], told["MULTICLOUD_REVISION"]) == (words, revision)


def test_a_file_that_is_no_archive_is_run_as_it_is(host: Host) -> None:
    script = script_for(TELLS, artifact_name="tool.py", command="./tool.py x")
    with ArtifactServer(TELLS) as artifact:
        ran = host.run(script.text(artifact.url))
    assert json.loads(ran.stdout.splitlines()[-1])["words"] == ["./tool.py", "x"]


@pytest.mark.parametrize(
    ("changes", "served", "told"),
    [
        ({"artifact_sha256": "0" * 64}, {}, "the artifact's SHA-256 is "),
        ({"artifact_size": 5}, {}, "it is longer than 5 bytes"),
        ({"artifact_size": 500}, {}, "bytes, expected 500"),
        (
            {},
            {"statuses": [302] * 99, "headers": {"location": "/elsewhere"}},
            "its URL answered HTTP 302, a redirect, which is not followed",
        ),
        ({}, {"cut": 3}, "it could not be fetched"),
        (
            {},
            {"statuses": [403] * 9},
            "its URL answered HTTP 403 (400 or 403: it may have expired)",
        ),
        ({}, {"statuses": [404] * 9}, "its URL answered HTTP 404"),
        ({}, {"statuses": [503] * 99}, "it could not be fetched"),
    ],
)
@pytest.mark.parametrize("tool", ["curl", "python3"])
def test_what_is_refused(
    host: Host, tool: str, changes: dict[str, object], served: dict[str, object], told: str
) -> None:
    """With a clear line; nothing is unpacked, and nothing stays."""
    if tool != "curl":
        (host.path / "curl").unlink()
    with ArtifactServer(archive(run=TELLS)) as artifact:
        for name, value in served.items():
            setattr(artifact, name, copy.copy(value))
        ran = host.run(script_for(artifact.content, **changes).text(artifact.url))
        requests = artifact.requests
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1].startswith("airflow-multicloud: refused: ")
    assert told in ran.stdout.splitlines()[-1]
    assert host.files() == []
    assert [p.name for p in host.root.rglob("*")] == ["shop"]
    assert SECRET not in ran.stdout
    # What may pass is tried again, what may not is not.
    assert requests == (14 if told == "it could not be fetched" else 1)


def test_what_can_not_be_unpacked_need_not_be_fetched_again(host: Host) -> None:
    with ArtifactServer(b"no archive at all") as artifact:
        text = script_for(artifact.content).text(artifact.url)
        for _ in range(2):
            ran = host.run(text)
            assert ran.returncode == 1
            assert "refused: the artifact can't be unpacked" in ran.stdout.splitlines()[-1]
        assert artifact.requests == 1
    assert [p.suffix for p in (host.root / "shop").iterdir()] == [".artifact"]


@pytest.mark.parametrize("tool", ["curl", "python3"])
@pytest.mark.parametrize("tells_length", [True, False])
def test_an_endless_answer_is_not_stored(host: Host, tool: str, tells_length: bool) -> None:
    if tool != "curl":
        (host.path / "curl").unlink()
    content = b"x" * 100_000_000
    with ArtifactServer(content, tells_length=tells_length) as artifact:
        script = script_for(b"x" * 1000)
        sizes = '#!/bin/sh\nfor f; do [ ! -f "$f" ] || wc -c <"$f"; done\n'
        host.has("rm", sizes)  # tells how long what it is to remove has become
        ran = host.run(script.text(artifact.url))
    assert ran.returncode == 1
    assert "longer than 1000 bytes" in ran.stdout
    lengths = [int(line) for line in ran.stdout.splitlines() if line.isdigit()]
    assert all(length <= 1000 + 2 * 64 * 2**20 for length in lengths), lengths
    assert all(length < len(content) for length in lengths)


def test_a_full_disk_is_told(host: Host) -> None:
    host.has("curl", "#!/bin/sh\nprintf 200\nexit 23\n")
    ran = host.run(script_for(b"x").text("https://bucket.example/app"))
    assert "refused: it can't be written: is the disk full" in ran.stdout
    assert "sleeps" not in ran.stdout


def test_a_full_disk_is_told_by_python(host: Host) -> None:
    (host.path / "curl").unlink()
    content = os.urandom(5000)
    with ArtifactServer(content) as artifact:
        text = script_for(content).text(artifact.url)
        # A limit for files stands in for a disk's end.
        ran = host.run(text, "sh -c 'ulimit -f 1; exec sh \"$0\"'")
    assert "refused: it can't be written: is the disk full" in ran.stdout
    assert "sleeps" not in ran.stdout


@pytest.mark.parametrize("tool", ["tar", "gzip", "sha256sum", "cut"])
def test_a_tool_that_is_missing_is_named(host: Host, tool: str) -> None:
    (host.path / tool).unlink()
    with ArtifactServer(archive(run=TELLS)) as artifact:
        ran = host.run(script_for(artifact.content).text(artifact.url))
        assert artifact.requests == 0
    assert ran.returncode == 1
    assert f"refused: this image lacks {tool}, which is needed" in ran.stdout


@pytest.mark.parametrize("tool", ["curl", "python3"])
def test_what_passes_is_tried_again(host: Host, tool: str) -> None:
    if tool != "curl":
        (host.path / "curl").unlink()
    with ArtifactServer(archive(run=TELLS), statuses=[503, 429], cut=3, cut_times=3) as artifact:
        ran = host.run(script_for(artifact.content).text(artifact.url))
        assert artifact.requests == 4
    assert ran.returncode == 0, ran.stdout
    assert [line for line in ran.stdout.splitlines() if line.startswith("sleeps")] == [
        *("sleeps 1", "sleeps 2", "sleeps 4")
    ]


def test_nobody_answers(host: Host) -> None:
    with ArtifactServer(archive(run=TELLS)) as artifact:
        text = script_for(artifact.content).text(artifact.url)
    ran = host.run(text)
    assert ran.returncode == 1
    assert "refused: it could not be fetched" in ran.stdout
    assert SECRET not in ran.stdout


def test_nothing_to_fetch_with(host: Host) -> None:
    (host.path / "curl").unlink()
    (host.path / "python3").unlink()
    with ArtifactServer(archive(run=TELLS)) as artifact:
        ran = host.run(script_for(artifact.content).text(artifact.url))
        assert artifact.requests == 0
    assert ran.returncode == 1
    assert "refused: neither curl nor python3 is there" in ran.stdout


@pytest.mark.parametrize("tool", ["curl", "python3"])
def test_the_url_is_in_no_process_list(host: Host, tool: str) -> None:
    if tool != "curl":
        (host.path / "curl").unlink()
    with ArtifactServer(archive(run=TELLS)) as artifact:
        host.run(script_for(artifact.content).text(artifact.url))
    assert any(line.startswith(tool.encode()) for line in artifact.commands)
    assert not any(SECRET.encode() in line for line in artifact.commands)


def test_a_fetched_file_that_was_changed_is_fetched_again(host: Host) -> None:
    with ArtifactServer(archive(run=TELLS)) as artifact:
        text = script_for(artifact.content).text(artifact.url)
        host.run(text)
        (fetched,) = host.root.rglob("*.artifact")
        fetched.write_bytes(b"cut")
        assert host.run(text).returncode == 0
        assert artifact.requests == 2
        assert fetched.read_bytes() == artifact.content


def test_what_was_left_half_unpacked_is_unpacked_afresh(host: Host) -> None:
    content = archive(run=TELLS)
    script = script_for(content)
    left = host.root / "shop" / f"{script.digest[:16]}.new"
    left.mkdir(parents=True)
    (left / "half").touch()
    with ArtifactServer(content) as artifact:
        assert host.run(script.text(artifact.url)).returncode == 0
    assert "half" not in host.files()


def outside(host: Host, how: str) -> bytes:
    """An archive that tries to write ``escaped`` beside the root."""
    target = host.root.parent
    link = entry("link", 0, type=tarfile.SYMTYPE, linkname=str(target))
    members = {
        "up": [(entry("../../../escaped", 1), b"x")],
        "absolute": [(entry(f"{target}/escaped", 1), b"x")],
        "link": [(link, b""), (entry("link/escaped", 1), b"x")],
    }
    return tar([(entry("run", len(TELLS)), TELLS), *members[how]])


@pytest.mark.parametrize(("how", "status"), [("up", 1), ("link", 1), ("absolute", 0)])
def test_an_archive_can_not_write_outside(host: Host, how: str, status: int) -> None:
    """By the rules of GNU tar, which takes the slash away from absolute names."""
    content = outside(host, how)
    with ArtifactServer(content) as artifact:
        ran = host.run(script_for(content).text(artifact.url))
    assert ran.returncode == status, ran.stdout
    assert not (host.root.parent / "escaped").exists()
    assert ("the artifact can't be unpacked" in ran.stdout) == bool(status)


def test_owners_and_special_rights_are_not_taken_over(host: Host) -> None:
    content = tar([(entry("run", len(TELLS), uid=12_345, gid=12_345, mode=0o6755), TELLS)])
    with ArtifactServer(content) as artifact:
        assert host.run(script_for(content).text(artifact.url)).returncode == 0
    (run,) = host.root.rglob("run")
    assert (run.stat().st_uid, run.stat().st_mode & 0o7777) == (os.getuid(), 0o755)


def test_where_there_is_systemd_it_becomes_a_unit(host: Host, tmp_path: Path) -> None:
    """On a machine whose systemd is a script that notes what it is told."""
    host.has("id", "#!/bin/sh\necho 0\n")
    host.has("systemctl", f'#!/bin/sh\necho "$*" >>"{tmp_path}/systemctl"\n')
    units, here = tmp_path / "units", tmp_path / "opt"
    units.mkdir()
    content = archive(run=TELLS)
    with ArtifactServer(content) as artifact:
        text = script_for(content, command=f"./run {shlex.quote(HOSTILE)}").text(artifact.url)
        for real, made in {
            "/etc/systemd/system": units,
            "/run/systemd/system": units,
            "${MULTICLOUD_ROOT:-/opt/airflow-multicloud}": here,
            "${MULTICLOUD_ROOT:-}": "",
        }.items():
            assert real in text
            text = text.replace(real, str(made))
        ran = host.run(text)
    assert ran.returncode == 0, ran.stdout
    assert (tmp_path / "systemctl").read_text().splitlines() == [
        "daemon-reload",
        "enable --now airflow-multicloud-shop.service",
    ]
    (unit,) = units.iterdir()
    lines = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line)
    assert (unit.name, lines["Restart"]) == ("airflow-multicloud-shop.service", "on-failure")
    assert lines["WantedBy"] == "multi-user.target"
    assert not any(SECRET in p.read_text() for p in [unit, *here.rglob("*.start")])
    started = subprocess.run(
        lines["ExecStart"].split(),
        cwd=lines["WorkingDirectory"],
        env={"PATH": str(host.path)},
        capture_output=True,
        check=True,
    )
    assert json.loads(started.stdout)["words"] == ["./run", HOSTILE]

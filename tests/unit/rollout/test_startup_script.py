"""The startup script as text: what goes in, what is refused, what it tells."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_multicloud.core.rollout.script import MOST_BYTES, StartupScript
from airflow_multicloud.errors import DeploymentError, ErrorKind

URL = "https://bucket.example/app.tar.gz?X-Signature=a-secret"
SCRIPT = StartupScript(
    deployment_id="shop",
    revision="2026.11",
    artifact_name="app.tar.gz",
    artifact_sha256="0" * 64,
    artifact_size=10,
)


def shellcheck(script: str, *options: str) -> str:
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("shellcheck")), *options, "-"],
        input=script.encode(),
        capture_output=True,
        check=False,
    )
    return (checked.stdout + checked.stderr).decode()


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT,
        dataclasses.replace(SCRIPT, artifact_name="run", command="./run 'a b' '$(id)' ''"),
    ],
)
@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_shellcheck_has_nothing_to_say(script: StartupScript, shell: str) -> None:
    assert shellcheck(script.text(URL), "--shell", shell, "--severity", "style") == ""


def test_shellcheck_would_say_something() -> None:
    assert "SC2086" in shellcheck("#!/bin/sh\nrm $1\n")


def test_it_fits_into_every_cloud() -> None:
    assert len(SCRIPT.text(URL).encode()) < MOST_BYTES / 2
    long = dataclasses.replace(SCRIPT, command="./run " + "x" * MOST_BYTES)
    with pytest.raises(DeploymentError, match=r"startup script of 2\d,\d{3} bytes") as refused:
        long.text(URL)
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT


def test_the_digest_is_of_everything_but_the_url() -> None:
    assert SCRIPT.text(URL) != SCRIPT.text(URL + "2")
    changes: dict[str, Any] = {
        "deployment_id": "other",
        "revision": "2026.12",
        "artifact_name": "app.tar",
        "artifact_sha256": "1" * 64,
        "artifact_size": 11,
        "command": "./other",
        "port": 8081,
    }
    others = [dataclasses.replace(SCRIPT, **{name: changes[name]}) for name in changes]
    assert len({SCRIPT.digest, *(other.digest for other in others)}) == len(others) + 1
    assert {field.name for field in dataclasses.fields(SCRIPT)} == set(changes)
    assert dataclasses.replace(SCRIPT).digest == SCRIPT.digest


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("deployment_id", ""),
        ("deployment_id", "../etc"),
        ("deployment_id", "a$(id)"),
        ("deployment_id", "a%i"),
        ("revision", ""),
        ("revision", "one\ntwo"),
        ("revision", "\x1b[2J"),
        ("artifact_name", ""),
        ("artifact_name", ".."),
        ("artifact_name", "-rf"),
        ("artifact_name", "a/b"),
        ("artifact_name", "a b.tar"),
        ("artifact_name", "$(id).tar"),
        ("artifact_name", "app.zip"),
        ("artifact_name", "APP.ZIP"),
        ("artifact_name", "app.gz"),
        ("artifact_name", "app.tar.zst"),
        ("artifact_name", "app.tzst"),
        ("artifact_name", "app.tar.lz"),
        ("artifact_name", "app.tar.Z"),
        ("artifact_sha256", "A" * 64),
        ("artifact_sha256", "0" * 63),
        ("artifact_size", 0),
        ("command", ""),
        ("command", "   "),
        ("command", "./run\nmulticloud-end\nid"),
        ("command", "./run 'open"),
        ("command", "./run \0"),
        ("command", "''"),
        ("command", "-x"),
        ("command", "./run | tee log"),
        ("command", "./run && x"),
        ("command", "./run; x"),
        ("command", "./run > /tmp/log"),
        ("command", "./run < x"),
        ("command", "./run --port $PORT"),
        ("command", './run "$PORT"'),
        ("command", "./run `id`"),
        ("command", "./run # now"),
        ("command", "#x"),
        ("command", "FOO=1 ./run"),
        ("artifact_size", "3"),
        ("port", "80"),
        ("port", 80.5),
        ("port", 0),
        ("port", 65_536),
    ],
)
def test_what_is_refused(parameter: str, value: Any) -> None:
    with pytest.raises(DeploymentError, match=f"^{parameter}: ") as refused:
        dataclasses.replace(SCRIPT, **{parameter: value})
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "expected" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "command",
    [
        "./run 'a $b | c'",
        r"./run \$x a\;b",
        './run "it is; fine | so"',
        "./run --color=#fff a=b",
        "sh -c './run | tee log'",
        "java -jar app.jar",
    ],
)
def test_what_is_quoted_is_a_word(command: str) -> None:
    assert dataclasses.replace(SCRIPT, command=command).command == command


def test_what_to_do_with_a_pipe() -> None:
    with pytest.raises(DeploymentError, match=r"'\|' is a shell's; put it into a script in the"):
        dataclasses.replace(SCRIPT, command="./run | tee log")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://bucket/key?secret",
        "file:///etc/shadow?secret",
        'https://a/"\noutput = "/etc/passwd?secret',
        "https://a/ secret",
        "https://a/\\secret",
        "https://a/é?secret",
        "https://",
    ],
)
def test_urls_that_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(DeploymentError, match=r"^url: expected") as refused:
        SCRIPT.text(url)
    assert "secret;" not in str(refused.value)
    assert "?secret" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["app.tar", "app.tar.gz", "app.TGZ", "app.tar.xz", "app.tbz2", "app.tbz"]
)
def test_archives(name: str) -> None:
    assert "\nkind=archive\n" in dataclasses.replace(SCRIPT, artifact_name=name).text(URL)


def test_what_stands_in_for_a_mark_is_not_searched_for_marks() -> None:
    script = dataclasses.replace(SCRIPT, revision="# settings", command="'# start' '# settings'")
    assert script.text(URL).count("deployment=shop\n") == 1
    assert script.text(URL).count("export PORT=8080\n") == 1

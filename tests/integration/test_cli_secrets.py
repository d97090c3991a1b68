"""``sync-secrets``, ``secret-drift`` and ``list-secrets``, against the in-memory cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.testing.memory_cloud.secrets import reset, secrets_of
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES

from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOME, ONE = "cli_home", "cli_one"
CANARY = b"cAnArY-of-the-shell"


@pytest.fixture
def shell(
    memory_account: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Shell]:
    reset()
    for conn_id in (HOME, ONE):
        memory_account(conn_id, "any")
    monkeypatch.setenv("COLUMNS", "400")
    write(HOME, "app/a", CANARY)
    yield Shell(capsys)
    reset()


def write(conn_id: str, name: str, value: bytes) -> None:
    secrets_of(conn_id).write(NAMES.encode(name), value)


def test_secrets_are_made_equal_and_no_value_is_shown(shell: Shell) -> None:
    words = (HOME, "--to", ONE, "--prefix", "app/")
    differs = shell.run("secret-drift", *words)
    assert differs.code == ExitCode.NOT_SOUND
    planned = shell.run("sync-secrets", *words, "--dry-run")
    assert planned.code == ExitCode.DONE
    assert "nothing was written (--dry-run)" in planned.err
    assert "cli_one: app/a: created" in planned.err
    assert not secrets_of(ONE).kept
    done = shell.run("sync-secrets", *words, "-o", "json")
    assert json.loads(done.out)[0]["destinations"][0]["created"] == 1
    assert shell.run("secret-drift", *words).code == ExitCode.DONE
    listed = shell.run("list-secrets", ONE, "-o", "json")
    assert [one["name"] for one in json.loads(listed.out)] == ["app/a"]
    for ended in (differs, planned, done, listed):
        assert CANARY.decode() not in ended.out + ended.err


def test_a_conflict_is_told_and_has_an_exit_code(shell: Shell) -> None:
    write(ONE, "app/a", b"another")
    words = (HOME, "--to", ONE, "--name", "app/a")
    ended = shell.run("sync-secrets", *words)
    assert ended.code == ExitCode.NOT_SOUND
    assert "cli_one: app/a: unknown_value:" in ended.err
    refused = shell.run("sync-secrets", *words, "--on-conflict", "overwrite", "--max-replace", "0")
    assert refused.code == ExitCode.REFUSED
    assert "refused: max_replace: 1 secrets would be replaced" in refused.err
    kept = shell.run("sync-secrets", *words, "--on-conflict", "keep")
    assert kept.code == ExitCode.DONE
    assert shell.run("sync-secrets", *words, "--on-conflict", "overwrite").code == ExitCode.DONE


def test_mistakes_name_the_option(shell: Shell) -> None:
    ended = shell.run("sync-secrets", HOME, "--to", ONE, "--name", "x", "--account", "nothing")
    assert ended.code == ExitCode.USAGE
    assert "--account: 'nothing' given, expected CONN_ID=STORE" in ended.err
    ended = shell.run(
        "sync-secrets", HOME, "--to", ONE, "--name", "app/a", "--account", f"{ONE}=elsewhere"
    )
    assert ended.code == ExitCode.REFUSED
    ended = shell.run("sync-secrets", HOME, "--to", ONE)
    assert ended.code == ExitCode.USAGE
    assert shell.run("list-secrets", "nowhere").code == ExitCode.NOT_FOUND

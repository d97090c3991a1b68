"""Whether a run is over: known of a process on this machine, and of an earlier try."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.run_tokens import RunState, current, state_of, under_way
from airflow_multicloud.ports.object_store import RUN_LENGTH

if TYPE_CHECKING:
    from pathlib import Path


def elsewhere(token: str) -> str:
    """The same run and process ids, on another machine."""
    return token[:10] + "AAAABBBB" + token[18:]


BEGIN = """
import os, signal, sys
from airflow_multicloud.core.run_tokens import current, under_way
if sys.argv[1:]:
    with under_way(sys.argv[1]):
        print(current(), flush=True)
else:
    print(current(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(*run_id: str, reap: bool = True) -> str:
    """The token of a process that was killed; it is a zombie unless its parent heard of it."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN, *run_id], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        token = process.stdout.read().strip()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if not reap:
            assert state_of(token) is RunState.OVER
    return token


def of_run(run_id: str) -> str:
    with under_way(run_id):
        return current()


def test_a_token_says_nothing_that_can_be_read() -> None:
    token = of_run("secret-dag")
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{RUN_LENGTH}}}", token)
    assert "secret" not in token
    assert token == of_run("secret-dag") != of_run("other")


def test_a_run_of_this_process() -> None:
    with under_way("one"):
        one = current()
        with under_way("part of it"):
            assert current() == one
        assert state_of(one) is RunState.UNDER_WAY
    assert state_of(one) is RunState.OVER


def test_what_is_begun_outside_of_runs_is_over_with_its_process() -> None:
    assert state_of(current()) is RunState.UNDER_WAY
    token = killed()
    assert state_of(token) is RunState.OVER


def test_two_runs_of_one_name_at_once() -> None:
    with under_way("one"):
        token = current()
        run_tokens._under_way[token[:10]] += 1  # Another thread's.
    assert state_of(token) is RunState.UNDER_WAY
    run_tokens._under_way[token[:10]] -= 1
    assert state_of(token) is RunState.OVER


def test_a_killed_process() -> None:
    assert state_of(killed("one", reap=False)) is RunState.OVER
    assert state_of(killed("one")) is RunState.OVER


def test_another_process_that_lives() -> None:
    """Also of the same run: it is no earlier try while it lives."""
    look = """
import sys
from airflow_multicloud.core.run_tokens import state_of, under_way
with under_way("one"):
    print(state_of(sys.argv[1]).value)
"""
    command = [sys.executable, "-c", look, of_run("one")]
    seen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert seen == "under way\n"


def test_a_process_id_that_was_used_again() -> None:
    token = of_run("one")
    before = token[:22] + "AAAAAA"
    assert state_of(before) is RunState.OVER


def test_a_process_that_can_not_be_looked_at_may_be_the_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = killed("one")
    mine = run_tokens._start(os.getpid())
    monkeypatch.setattr(run_tokens, "_start", lambda pid: mine if pid == os.getpid() else None)

    def kill(pid: int, number: int) -> None:
        raise PermissionError(pid, number)

    monkeypatch.setattr(os, "kill", kill)
    assert state_of(token) is RunState.UNDER_WAY


def test_another_machine() -> None:
    token = elsewhere(of_run("one"))
    assert state_of(token) is RunState.UNKNOWN
    with under_way("other"):
        assert state_of(token) is RunState.UNKNOWN
    with under_way("one"):
        assert state_of(token) is RunState.OVER


@pytest.mark.parametrize("token", [None, "", "short", "x" * 29])
def test_no_token(token: str | None) -> None:
    assert state_of(token) is RunState.UNKNOWN


@pytest.mark.parametrize("pid", ["ääää", "~~~~", "====", "AAAA", "____"])
def test_a_forged_process_id(pid: str) -> None:
    """It is of no process, or of no one's that ended, and harms nothing."""
    token = of_run("one")
    assert isinstance(state_of(token[:18] + pid + token[22:]), RunState)


def test_a_system_that_tells_nothing_of_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = killed("one")
    monkeypatch.setattr(run_tokens, "_PROC", tmp_path)
    run_tokens._machine.cache_clear()
    try:
        mine = of_run("one")
        assert len(mine) == RUN_LENGTH
        assert state_of(mine) is RunState.OVER
        assert state_of(other) is RunState.UNKNOWN
    finally:
        run_tokens._machine.cache_clear()

"""Whether a run is over: known of a process on this machine, and of an earlier try."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
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


def in_child(work: Callable[[], str], *, reap: bool = True) -> tuple[int, str]:
    """What another process returned before it was killed; it is a zombie unless it is reaped."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, work().encode())
        os.kill(os.getpid(), signal.SIGKILL)
    token = os.read(reading, RUN_LENGTH).decode()
    os.close(reading)
    os.close(writing)
    if reap:
        os.waitpid(pid, 0)
    else:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid, token


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
    _, token = in_child(current)
    assert state_of(token) is RunState.OVER


def test_two_runs_of_one_name_at_once() -> None:
    with under_way("one"):
        token = current()
        run_tokens._under_way[token[:10]] += 1  # Another thread's.
    assert state_of(token) is RunState.UNDER_WAY
    run_tokens._under_way[token[:10]] -= 1
    assert state_of(token) is RunState.OVER


@pytest.mark.parametrize("reap", [True, False], ids=["reaped", "zombie"])
def test_a_killed_process(reap: bool) -> None:
    pid, token = in_child(lambda: of_run("one"), reap=reap)
    assert state_of(token) is RunState.OVER
    if not reap:
        os.waitpid(pid, 0)


def test_another_process_that_lives() -> None:
    parent = of_run("one")
    with under_way("one"):  # Also of the same run: it is no earlier try while it lives.
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, state_of(parent).value.encode())
            os._exit(0)
        os.waitpid(pid, 0)
        assert os.read(reading, 100).decode() == "under way"
        os.close(reading)
        os.close(writing)


def test_a_process_id_that_was_used_again() -> None:
    token = of_run("one")
    before = token[:22] + "AAAAAA"
    assert state_of(before) is RunState.OVER


def test_a_process_that_can_not_be_looked_at_may_be_the_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, token = in_child(lambda: of_run("one"))
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


def test_a_system_that_tells_nothing_of_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, killed = in_child(lambda: of_run("one"))
    monkeypatch.setattr(run_tokens, "_PROC", tmp_path)
    run_tokens._machine.cache_clear()
    try:
        mine = of_run("one")
        assert len(mine) == RUN_LENGTH
        assert state_of(mine) is RunState.OVER
        assert state_of(killed) is RunState.UNKNOWN
        assert state_of(in_child(lambda: of_run("one"))[1]) is RunState.UNKNOWN
    finally:
        run_tokens._machine.cache_clear()

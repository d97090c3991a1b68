"""``airflow multicloud deployments`` and ``teardown``, against the in-memory cloud."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import machines_of
from tests.unit.rollout.lab import APP, Lab
from tests.unit.rollout.test_standing import refuse_lists

from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = "evil\x1b[2J\nFORGED all is well " + "x" * 10_000


@pytest.fixture
def lab(memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab({"one": "cli_one", "two": "cli_two"}, zones=("mem-1a",))
    for conn_id in made.targets.values():
        memory_account(conn_id, "any")
    assert made.run(made.plan("v1")).succeeded
    monkeypatch.setenv("COLUMNS", "400")
    return made


@pytest.fixture
def shell(lab: Lab, capsys: pytest.CaptureFixture[str]) -> Shell:
    assert lab
    return Shell(capsys)


def conns(lab: Lab) -> list[str]:
    return [word for conn_id in lab.targets.values() for word in ("--conn", conn_id)]


def down(lab: Lab, *words: str) -> list[str]:
    return [
        "teardown",
        "--deployment-id",
        APP,
        *conns(lab),
        "--poll-interval",
        "1s",
        "--confirm-after",
        "0s",
        *words,
    ]


def test_what_runs_where(lab: Lab, shell: Shell) -> None:
    ended = shell.run("deployments", *conns(lab))
    assert ended.code == 0
    head, _, first, second = ended.out.splitlines()
    assert head.split(" | ")[0].strip() == "deployment"
    cells = [cell.strip() for cell in first.split(" | ")]
    conn_id = lab.targets["one"]
    assert cells[:8] == [APP, "one", "0", "v1", "current", "running", conn_id, "mem-1a"]
    assert cells[-1] == lab.there("one")[0].ref.id
    assert " two " in second
    found = shell.run("deployments", *conns(lab), "-o", "json").result
    assert found["complete"] is True
    assert found["deployments"][0]["targets"][0]["slots"][0]["instances"][0]["conn_id"] == conn_id


def test_nothing_to_list_is_said(lab: Lab, shell: Shell) -> None:
    ended = shell.run("deployments", *conns(lab), "--deployment-id", "other")
    assert (ended.code, ended.out) == (0, "No data found\n")
    assert "note: nothing there carries a deployment's label" in ended.err


def test_a_place_without_an_answer_is_named_and_ends_with_its_exit_code(
    lab: Lab, shell: Shell
) -> None:
    refuse_lists(lab.targets["two"])
    ended = shell.run("deployments", *conns(lab), "--conn", "nowhere", "-q")
    assert ended.code == 4  # the first that can't be listed: a connection that is not there
    assert lab.there("one")[0].ref.id in ended.out
    assert "error (not_found): nowhere: connection 'nowhere' does not exist" in ended.err
    assert f"error (unavailable): {lab.targets['two']}: " in ended.err
    assert shell.run("deployments", *conns(lab)).code == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--region", "mem-1"), "--region: 'mem-1' given, expected ID=REGION, with ID one of cli_"),
        (("--region", "x=mem-1"), "--region: 'x=mem-1' given, expected ID=REGION"),
        (("--deployment-id", "No"), "--deployment-id: 'No' given, expected at most 40"),
    ],
)
def test_what_can_t_be_meant_is_refused_by_its_option(
    lab: Lab, shell: Shell, given: tuple[str, ...], message: str
) -> None:
    for command in (["deployments", *conns(lab)], down(lab, "--yes")):
        ended = shell.run(*command, *given)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"error (invalid_argument): {message}")
    assert len(lab.there()) == 2


def test_regions(lab: Lab, shell: Shell) -> None:
    one = lab.targets["one"]
    for region, rows in (("mem-1", 1), ("mem-2", 0), (f"{one}=mem-1", 1)):
        ended = shell.run("deployments", "--conn", one, "--region", region, "-o", "json")
        assert len(ended.result["deployments"]) == rows
    both = shell.run("deployments", *conns(lab), "--region", f"{one}=mem-2", "-o", "json")
    assert [t["name"] for t in both.result["deployments"][0]["targets"]] == ["two"]


def test_a_dry_run_only_names(lab: Lab, shell: Shell) -> None:
    ended = shell.run(*down(lab, "--dry-run"))
    assert ended.code == 0
    assert all(one.ref.id in ended.out for one in lab.there())
    assert "nothing was changed (--dry-run)" in ended.err
    assert len(lab.there()) == 2
    refuse_lists(lab.targets["two"])
    assert shell.run(*down(lab, "--dry-run")).code == 6


def test_it_removes_all_and_says_so(lab: Lab, shell: Shell) -> None:
    there = [one.ref.id for one in lab.there()]
    ended = shell.run(*down(lab, "--yes"))
    assert ended.code == 0
    assert all(one in ended.out for one in there)
    assert ended.out.count("removed") == 2
    for conn_id in lab.targets.values():
        assert f"{conn_id}: nothing is left, as listed at " in ended.err
    assert lab.there() == []
    again = shell.run(*down(lab, "--yes"))
    assert (again.code, again.out) == (0, "No data found\n")


def test_what_stays_is_named_and_fails(lab: Lab, shell: Shell) -> None:
    error = ErrorKind.PERMISSION_DENIED
    lab.plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.TERMINATE, error=error))
    (stays,) = lab.there("two")
    ended = shell.run(*down(lab, "--yes"))
    assert ended.code == 5
    lines = {line.split(" | ")[0].strip(): line for line in ended.out.splitlines()[2:]}
    assert stays.ref.id in lines["still there"]
    assert "removed" in lines
    assert f"still there: {stays.ref.id}" in ended.err
    assert f"{lab.targets['one']}: nothing is left" in ended.err


def test_without_a_terminal_it_must_be_told_yes(lab: Lab, shell: Shell) -> None:
    ended = shell.run(*down(lab))
    assert (ended.code, ended.out) == (2, "")
    assert "error (invalid_argument): --yes: not given" in ended.err
    assert len(lab.there()) == 2


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 2), ("", 2), ("yes\n", 0)])
def test_in_a_terminal_it_asks(
    lab: Lab, shell: Shell, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(ours, answer.encode() or b"\x04")  # Ctrl-D: the end of the input
        ended = shell.run(*down(lab))
    os.close(ours)
    assert "remove 2 with their disks? There is no way back. [y/N]" in ended.err
    assert len(lab.there()) == left
    assert ended.code == (130 if left else 0)
    if left:
        assert "nothing was changed: it was not confirmed" in ended.err


def test_hostile_labels_stay_in_their_place(lab: Lab, shell: Shell) -> None:
    (machine,) = machines_of(lab.targets["one"]).kept.values()
    for label in ("multicloud-target", "multicloud-revision", "multicloud-deployment"):
        before, machine.labels[label] = machine.labels[label], HOSTILE
        for output in ("table", "plain", "json", "yaml"):
            ended = shell.run("deployments", *conns(lab), "-o", output)
            told = ended.out + ended.err
            assert all(line.isprintable() for line in told.split("\n"))
            assert not any(line.startswith("FORGED") for line in told.split("\n"))
            assert len(told) < 10_000
            assert "unreadable labels: " in ended.err
        machine.labels[label] = before
    machine.labels["multicloud-target"] = HOSTILE
    ended = shell.run(*down(lab, "--yes"))
    assert ended.code == 0
    assert (ended.out + ended.err).replace("\n", "").isprintable()
    assert lab.there() == []

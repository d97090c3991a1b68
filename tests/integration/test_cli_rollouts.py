"""``airflow multicloud deploy`` and ``rollback``, against the in-memory cloud."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.rollouts import CONNS, POLICY, TARGETS, plant, running

from .test_cli import Ended, Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Release:
    """Files of a deployment, and a shell to use them."""

    folder: Path
    shell: Shell

    def write(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def file(self, **changed: Any) -> str:
        usual = {
            "deployment_id": "shop",
            "artifact": self.write("app.tar.gz", "an artifact"),
            "targets": TARGETS,
            "policy": POLICY,
        }
        return self.write("shop.json", {**usual, **changed})

    def deploy(self, *words: str, **changed: Any) -> Ended:
        return self.shell.run("deploy", self.file(**changed), *words)

    def back(self, to: str, *words: str, file: str | None = None) -> Ended:
        where = file or self.file()
        return self.shell.run("rollback", where, "--deployment-id", "shop", "--to", to, *words)


@pytest.fixture
def release(
    memory_account: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Release]:
    for conn_id in CONNS.values():
        memory_account(conn_id, "lab")
        compute.reset(conn_id)
    monkeypatch.setenv("COLUMNS", "400")
    yield Release(tmp_path, Shell(capsys))
    for conn_id in CONNS.values():
        compute.reset(conn_id)


def test_it_plans_deploys_and_shows_each_target(release: Release) -> None:
    ended = release.deploy("--revision", "1")
    assert ended.code == 0
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    head, _, one, two = ended.out.splitlines()
    assert head.split(" | ")[0].strip() == "target"
    cells = [cell.strip() for cell in one.split(" | ")]
    assert cells[:3] == ["one", "memory", "succeeded"]
    assert "two " in two
    lines = ended.err.splitlines()
    assert "deployment shop, revision 1" in lines
    assert any(line.startswith("one/1: settled memory/") for line in lines)
    assert lines[-1].startswith("success rate 100%, plan hash ")


def test_a_dry_run_makes_nothing_and_its_plan_can_be_carried_out(release: Release) -> None:
    planned = release.deploy("--dry-run", "-o", "json")
    assert planned.code == 0
    assert "nothing was changed (--dry-run)" in planned.err
    assert f"plan hash {planned.result['hash']}" in planned.err
    assert running() == {"one": [], "two": []}
    plan = release.write("plan.json", planned.out)

    drifted = release.deploy("--plan", plan, command="./other")
    assert drifted.code == 7
    assert "command: ./run approved, ./other now" in drifted.err
    assert running() == {"one": [], "two": []}
    assert release.deploy("--plan-hash", planned.result["hash"], command="./other").code == 7

    assert release.deploy("--plan", plan, "-q").code == 0
    result = release.deploy("--plan-hash", planned.result["hash"], "-o", "json").result
    assert result["plan_hash"] == planned.result["hash"]
    assert [one["outcome"] for one in result["targets"]] == ["adopted", "adopted"]


def test_a_table_of_the_plan(release: Release) -> None:
    ended = release.deploy("--dry-run")
    cells = [cell.strip(" |") for cell in ended.out.splitlines()[2].split(" | ")]
    assert cells == ["one", "memory", "2", "1", "mem-1a", "small", "linux-1"]


def test_a_rollout_that_fails_says_why_and_ends_with_its_exit_code(release: Release) -> None:
    full = MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=ErrorKind.CAPACITY)
    plant("two", full)
    ended = release.deploy("-q")
    assert ended.code == 6
    assert "two: failed: capacity: " in ended.err
    assert "error (capacity): deployment shop" in ended.err
    assert " failed " in ended.out
    # Enough of them may be enough.
    partly = {**POLICY, "min_success": 1}
    plant("two", full)
    ended = release.deploy("-o", "json", policy=partly)
    assert ended.code == 0
    assert ended.result["success_rate"] == 0.5
    assert "two: failed: capacity: " in ended.err


def test_an_earlier_revision_comes_back(release: Release) -> None:
    assert release.deploy("--revision", "1", command="./first").code == 0
    assert release.deploy("--revision", "2", command="./second").code == 0
    assert release.back("1", "--dry-run").code == 0
    assert running()["one"] == ["2", "2"]
    ended = release.back("1", "-o", "json")
    assert ended.code == 0
    assert ended.result["revision"] == "1"
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    assert release.back("0").code == 4
    assert release.back("2", "--dry-run", file=release.write("bare.json", TARGETS)).code == 0


@pytest.mark.parametrize(
    ("words", "changed", "said"),
    [
        ((), {"targets": [{"name": "one"}]}, "target one: conn_id, region"),
        ((), {"wave": 1}, "FILE: 'wave' given"),
        (("--artifact-sha256", "0" * 63), {}, "64 hexadecimal digits"),
        (("--plan", "none.json"), {}, "--plan: none.json can't be read as JSON"),
        (("--plan", "none.json", "--plan-hash", "0"), {}, "--plan: given together"),
        (("--revision", "a b"), {}, "--revision: 'a b' given"),
    ],
)
def test_what_is_wrong_is_named(
    release: Release, words: tuple[str, ...], changed: dict[str, Any], said: str
) -> None:
    ended = release.deploy(*words, **changed)
    assert ended.code == 2
    assert said in ended.err
    assert running() == {"one": [], "two": []}


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "[" * 100_000])
def test_a_file_that_is_no_deployment(release: Release, content: str) -> None:
    ended = release.shell.run("deploy", release.write("bad.json", content))
    assert ended.code == 2
    ended = release.back("1", file=release.write("bad.json", content))
    assert ended.code == 2

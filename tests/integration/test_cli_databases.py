"""The commands about databases, against the in-memory cloud."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.memory_cloud.database import Databases, databases_of, reset

from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONN = "cli_databases"
ON = ("--conn", CONN)
FAST = ("--poll-interval", "0s")


@pytest.fixture
def space(
    memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Databases]:
    memory_account(CONN, "bucket")
    reset(CONN)
    made = databases_of(CONN)
    made.create("shop", {"orders": [(1, "a")]})
    monkeypatch.setenv("COLUMNS", "400")
    yield made
    reset(CONN)


@pytest.fixture
def shell(space: Databases, capsys: pytest.CaptureFixture[str]) -> Shell:
    assert space
    return Shell(capsys)


def test_a_restore_of_a_run_is_found_again_and_removed(space: Databases, shell: Shell) -> None:
    words = ("restore-database", *ON, "--database", "shop", "--run", "drill", *FAST)
    first = shell.run(*words, "-o", "json").result
    again = shell.run(*words)
    assert (first["found"], first["scratch"]) == (False, True)
    assert "it was there before" in again.err
    assert first["id"] in again.out
    assert len(space.servers) == 2
    seen = shell.run("describe-database", *ON, "--database", first["id"], "-o", "json").result
    assert seen["endpoint"]["host"] == first["endpoint"]["host"]
    ended = shell.run(
        "remove-database", *ON, "--database", first["id"], "--confirm", first["name"], *FAST
    )
    assert (ended.code, [*space.servers]) == (0, ["shop"])
    assert first["name"] in ended.out


def test_a_removal_says_where_it_looked_and_looks_where_the_source_lies(
    space: Databases, shell: Shell
) -> None:
    till = space.create("till", region="mem-2").id
    words = ("--run", "drill", *FAST)
    made = shell.run("restore-database", *ON, "--database", till, *words, "-o", "json").result
    remove = ("remove-database", *ON, *words, "--confirm-after", "0s")
    ended = shell.run(*remove)
    assert "there was nothing to remove in: the connection's account, mem-1" in ended.err
    assert made["name"] in space.servers
    ended = shell.run(*remove, "--source", till, "-o", "json")
    assert [one["id"] for one in ended.result["removed"]] == [made["id"]]
    assert [one["region"] for one in ended.result["searched"]] == ["mem-1", "mem-2"]
    assert {*space.servers} == {"shop", "till"}
    for option in ("--source", "--confirm-after"):
        named = ("--database", made["id"], "--confirm", made["name"], option, "5s")
        assert f"{option}: given with --database" in shell.run("remove-database", *ON, *named).err


def test_a_snapshot_with_a_name_is_taken_once(space: Databases, shell: Shell) -> None:
    words = ("snapshot-database", *ON, "--database", "shop", "--name", "before", *FAST)
    assert shell.run(*words, "--label", "team=shop").code == 0
    taken = shell.run(*words, "-o", "json")
    assert (taken.code, taken.result["found"]) == (0, True)
    assert [*space.snapshots] == ["before"]
    other = shell.run(*words, "--run", "other")
    assert other.code == 7
    assert "already_exists" in other.err
    assert space.snapshots["before"].labels["team"] == "shop"


def test_a_series_keeps_its_newest_and_a_snapshot_is_removed(
    space: Databases, shell: Shell
) -> None:
    words = ("snapshot-database", *ON, "--database", "shop", "--series", "nightly", *FAST)
    names = []
    for _ in range(3):
        space.advance(timedelta(days=1))
        ended = shell.run(*words, "--keep", "2", "-o", "json")
        names.append(ended.result["name"])
    removed = f"memory/memory-{CONN}/mem-1/snapshots/{names[0]}"
    assert f"removed, older: {removed}\n" in ended.err
    assert {*space.snapshots} == {*names[1:]}
    space.advance(timedelta(days=1))
    young = shell.run(*words, "--keep", "1", "--min-age", "3d", "-o", "json")
    assert young.result["retention"]["removed"] == []
    del space.snapshots[young.result["name"]]
    assert "expected it with keep" in shell.run(*words[:5], "--keep", "2").err
    of = ("remove-snapshot", *ON, "--snapshot", ended.result["id"], *FAST)
    refused = shell.run(*of, "--confirm", names[1])
    assert (refused.code, len(space.snapshots)) == (2, 2)
    assert f"--confirm: {names[1]!r} given, expected {names[2]!r}" in refused.err
    gone = shell.run(*of, "--confirm", names[2])
    assert (gone.code, [*space.snapshots]) == (0, [names[1]])
    assert "nothing to remove" in shell.run(*of, "--confirm", names[2]).err


def test_a_promotion_is_typed_twice(space: Databases, shell: Shell) -> None:
    space.replicate("shop", "copy")
    words = ("promote-replica", *ON, "--replica", "copy", *FAST)
    refused = shell.run(*words, "--confirm", "shop")
    assert (refused.code, space.servers["copy"].primary) == (2, "shop")
    assert "--confirm: 'shop' given, expected 'copy'" in refused.err
    ended = shell.run(*words, "--confirm", "copy", "--max-lag", "5s", "-o", "json")
    assert (ended.code, ended.result["database"]["role"]) == (0, "primary")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("restore-database", *ON), 2, "expected exactly one of them"),
        (("restore-database", *ON, "--database", "shop", "--keep"), 2, "--name: nothing given"),
        (
            ("restore-database", *ON, "--database", "shop", "--security-group", "g"),
            2,
            "--security-group: given without a subnet",
        ),
        (("remove-database", *ON), 2, "expected exactly one of them"),
        (("remove-database", *ON, "--database", "shop"), 2, "--confirm: not given"),
        (
            ("remove-database", *ON, "--database", "shop", "--confirm", "shop"),
            7,
            "does not carry the full identity",
        ),
        (("describe-database", *ON, "--database", "gone"), 4, "there is none"),
        (
            ("snapshot-database", *ON, "--database", "shop", "--account", "other"),
            7,
            "--account: ",
        ),
    ],
)
def test_what_is_refused(
    space: Databases, shell: Shell, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = shell.run(*words)
    assert said in ended.err
    assert ended.code == code
    assert [*space.servers] == ["shop"]


def test_a_check_that_fails_ends_with_its_exit_code(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = tmp_path / "checks.json"
    checks.write_text(json.dumps([{"table": "orders", "rows": 1}]))
    monkeypatch.setenv(
        "AIRFLOW_CONN_NOWHERE", "postgres://reader:c4n4ry@127.0.0.1:1/sales?connect_timeout=1"
    )
    ended = shell.run("verify-database", "--sql-conn", "nowhere", "--checks", str(checks))
    assert ended.code == 6
    assert "orders" in ended.out
    assert "c4n4ry" not in ended.out + ended.err
    checks.write_text("{}")
    refused = shell.run("verify-database", "--sql-conn", "nowhere", "--checks", str(checks))
    assert (refused.code, "--checks: " in refused.err) == (2, True)

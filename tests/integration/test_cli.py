"""``airflow multicloud …`` in this process, against the in-memory cloud."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from airflow.cli import cli_parser

from airflow_multicloud import api, extras
from airflow_multicloud.cli.commands.object_store import replicate as replicate_command
from airflow_multicloud.cli.hints import hint
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.drill.disabled import DISABLED
from tests.unit.drill.second_cloud import second_cloud
from tests.unit.signing.keys import pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_multicloud.core.replication.progress import Snapshot

SOURCE = "mem://cli_a@lake/sales/"
REPLICA = "mem://cli_b@lake/copy/"


@dataclass
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        (only,) = json.loads(self.out)
        return only


class Shell:
    """Runs ``airflow multicloud`` as the program does, up to the parsed arguments."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def run(self, *words: str) -> Ended:
        args = cli_parser.get_parser().parse_args(["multicloud", *words])
        code: Any = 0
        try:
            args.func(args)
        except SystemExit as end:
            code = end.code
        return Ended(code, *self._captured.readouterr())


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], memory_account: Callable[[str, str], str]
) -> Iterator[Shell]:
    """A shell, and the buckets ``lake`` of two accounts; three objects in the first."""
    for conn_id in ("cli_a", "cli_b"):
        memory_account(conn_id, "lake")
    for name in ("a.csv", "b.csv", "c.txt"):
        put(f"sales/{name}", name.encode())
    yield Shell(capsys)
    assert "_AIRFLOW_PROCESS_CONTEXT" not in os.environ


def put(key: str, content: bytes, *, conn_id: str = "cli_a") -> None:
    object_store.Hook(conn_id).put_object(ObjectRef("lake", key), content)


def keys(conn_id: str = "cli_b") -> list[str]:
    listed = (meta.key for meta in object_store.Hook(conn_id).list_objects("lake"))
    return [key for key in listed if not key.startswith(".airflow-multicloud/")]


class TestReplicate:
    def test_dry_run_changes_nothing(self, shell: Shell) -> None:
        ended = shell.run("replicate", SOURCE, REPLICA, "--dry-run", "-o", "json")
        assert ended.code == 0
        assert ended.err.endswith("\nnothing was changed (--dry-run)\n")
        assert (ended.result["uri"], ended.result["copy"]) == (REPLICA, 3)
        assert list(object_store.Hook("cli_b").list_objects("lake")) == []

    def test_a_digest_that_cant_be_computed_is_refused(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ("replicate", SOURCE, REPLICA, "--digest", "blake3")
        assert shell.run(*words, "--dry-run").code == 0
        monkeypatch.setattr(extras, "find_spec", lambda name: None)
        for more in ((), ("--dry-run",)):
            refused = shell.run(*words, *more)
            assert refused.code == 2
            assert "--digest: 'blake3' given, and blake3 is not installed: pip" in refused.err
        assert list(object_store.Hook("cli_b").list_objects("lake")) == []

    def test_dry_run_names_what_would_be_lost_and_the_price(self, shell: Shell) -> None:
        put("copy/a.csv", b"5.csv", conn_id="cli_b")
        put("copy/b.csv", b"another size", conn_id="cli_b")
        put("copy/gone.csv", b"old", conn_id="cli_b")
        words = ("replicate", SOURCE, REPLICA, "--dry-run")
        ended = shell.run(*words, "--delete-extraneous", "--max-delete", "9")
        compared, replaced, deleted, price, nothing = sorted(
            ended.err.splitlines(), key=lambda line: line.startswith(("price", "nothing"))
        )
        assert replaced == f"would compare, and replace if it differs: {REPLICA}a.csv"
        assert compared == f"would replace: {REPLICA}b.csv"
        assert deleted == f"would delete: {REPLICA}gone.csv"
        assert price.startswith("price: ")
        assert nothing == "nothing was changed (--dry-run)"
        assert keys() == ["copy/a.csv", "copy/b.csv", "copy/gone.csv"]

    def test_dry_run_of_a_bucket_that_would_be_created(self, shell: Shell) -> None:
        words = ("replicate", SOURCE, "mem://cli_b@new/copy/", "--create-buckets", "--dry-run")
        ended = shell.run(*words, "-o", "json")
        assert (ended.code, ended.result["copy"]) == (0, 3)
        assert shell.run("mb", "mem://cli_b@new", "-o", "plain").out.endswith("created\n")

    def test_an_option_without_effect_says_so(self, shell: Shell) -> None:
        words = ("replicate", SOURCE, REPLICA)
        assert shell.run(*words, "--storage-class", "COLD").err == ""
        ended = shell.run(*words, "--storage-class", "COLD", "--encryption-key", "k")
        assert ended.err == (
            f"note: --storage-class and --encryption-key did nothing for 3 objects at {REPLICA}: "
            "they were there already, and are not written again for it\n"
        )

    def test_json_is_the_whole_report_and_nothing_else(self, shell: Shell) -> None:
        ended = shell.run("replicate", SOURCE, REPLICA, "--include", "*.csv", "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        (destination,) = ended.result["destinations"]
        assert (ended.result["objects"], destination["outcomes"]) == (2, {"copied": 2})
        assert keys() == ["copy/a.csv", "copy/b.csv"]

    @pytest.mark.parametrize("output", ["table", "plain", "yaml"])
    def test_other_formats(self, shell: Shell, output: str) -> None:
        ended = shell.run("replicate", SOURCE, REPLICA, "-o", output)
        assert (ended.code, ended.err) == (0, "")
        assert REPLICA in ended.out
        assert ("3 copied" in ended.out) == (output != "yaml")

    def test_the_commit_is_shown(self, shell: Shell) -> None:
        ended = shell.run("replicate", SOURCE, REPLICA, "-o", "plain")
        verified = shell.run("verify", REPLICA, "-o", "json").result
        assert f"{verified['commit']} {verified['ledger_root'][:12]}" in ended.out

    def test_commits_are_signed_and_old_ones_deleted(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        connection = {"conn_type": "generic", "password": pair(3).private().decode()}
        monkeypatch.setenv("AIRFLOW_CONN_SIGNING", json.dumps(connection))
        public = tmp_path / "signing.pub"
        public.write_bytes(pair(3).public)
        verify = ("verify", REPLICA, "--public-key", str(public), "-o", "json")
        assert shell.run("replicate", SOURCE, REPLICA).code == 0
        unsigned = shell.run(*verify)
        assert unsigned.code != 0
        assert "it is not signed" in unsigned.err
        assert shell.run("replicate", SOURCE, REPLICA, "--signing-conn-id", "signing").code == 0
        assert shell.run(*verify).result["proven"]

        kept = shell.run("cleanup", REPLICA, "--keep-commits", "1", "-o", "json")
        assert (kept.code, kept.result["found"]) == (0, {})
        wrong = shell.run("cleanup", REPLICA, "--keep-days", "7")
        assert wrong.code != 0
        assert "keep_days: 7 given, expected at least 30" in wrong.err.replace(
            "--keep-days", "keep_days"
        )

    def test_a_storage_class_reaches_the_replica(self, shell: Shell) -> None:
        ended = shell.run("replicate", SOURCE, REPLICA, "--storage-class", f"{REPLICA}=COLD")
        assert (ended.code, ended.err) == (0, "")
        stored = object_store.Hook("cli_b").stat_object(ObjectRef("lake", "copy/a.csv"))
        assert stored.storage_class == "COLD"

    def test_brackets_in_a_table_are_no_markup(self, shell: Shell) -> None:
        replica = "mem://cli_b@lake/[bold]/"
        assert replica in shell.run("replicate", SOURCE, replica, "-o", "table").out

    def test_an_immutable_conflict_is_named_and_gets_the_code_of_partial_failure(
        self, shell: Shell
    ) -> None:
        put("copy/a.csv", b"something else", conn_id="cli_b")
        ended = shell.run("replicate", SOURCE, REPLICA, "--immutable", "-o", "json")
        assert ended.code == 3
        (destination,) = ended.result["destinations"]
        assert destination["outcomes"] == {"conflict": 1, "copied": 2}
        failed, error = ended.err.splitlines()
        assert failed.startswith("failed: 'a.csv' at mem://cli_b@lake/copy/: conflict")
        assert error.startswith("error (already_exists): 1 of 3 copies failed (66.7% sound")

    def test_a_tolerated_failure_is_named_and_done(self, shell: Shell) -> None:
        put("copy/a.csv", b"something else", conn_id="cli_b")
        ended = shell.run("replicate", SOURCE, REPLICA, "--immutable", "--min-success-ratio", "0.5")
        assert ended.code == 0
        assert ended.err.startswith("failed: 'a.csv'")

    def test_more_deletions_than_stated_are_refused(self, shell: Shell) -> None:
        put("copy/old.csv", b"old", conn_id="cli_b")
        ended = shell.run("replicate", SOURCE, REPLICA, "--delete-extraneous", "--max-delete", "0")
        assert (ended.code, ended.out) == (7, "")
        assert ended.err.startswith("error (precondition_failed): --max-delete: 1 objects")

    def test_more_replacements_than_stated_are_refused(self, shell: Shell) -> None:
        put("copy/b.csv", b"another size", conn_id="cli_b")
        words = ("replicate", SOURCE, REPLICA, "--max-replace")
        ended = shell.run(*words, "99%")
        assert (ended.code, ended.out) == (7, "")
        assert ended.err.startswith(
            f"error (precondition_failed): --max-replace: 1 of the 1 objects at {REPLICA} would be "
            "replaced, or may be, more than the 0 (99%) allowed; nothing was changed; "
        )
        assert "(a dry run without --max-replace names the objects)" in ended.err
        assert keys() == ["copy/b.csv"]
        assert shell.run(*words, "1").code == 0

    @pytest.mark.parametrize(
        ("words", "code", "error"),
        [
            ((SOURCE, SOURCE), 2, "invalid_argument"),
            ((SOURCE, REPLICA, "--memory-limit", "1K"), 2, "invalid_argument"),
            ((SOURCE, "ftp://cli_b@lake/"), 2, "invalid_argument"),
            (("mem://cli_a@nowhere/", REPLICA), 4, "not_found"),
            (("mem://no_such_conn@lake/", REPLICA), 4, "not_found"),
        ],
    )
    def test_errors_are_one_line(
        self, shell: Shell, words: tuple[str, ...], code: int, error: str
    ) -> None:
        ended = shell.run("replicate", *words)
        assert (ended.code, ended.out) == (code, "")
        (line,) = ended.err.splitlines()
        assert line.startswith(f"error ({error}): ")

    def test_verbose_shows_the_traceback(self, shell: Shell) -> None:
        ended = shell.run("replicate", "mem://cli_a@nowhere/", REPLICA, "-v")
        assert ended.code == 4
        assert "Traceback (most recent call last)" in ended.err
        assert ended.err.splitlines()[-1].startswith("error (not_found): ")

    @pytest.mark.parametrize("word", ["--min-size=x", "--max-age=x", "--on-error=x"])
    def test_bad_values_are_usage_errors(
        self, shell: Shell, word: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            shell.run("replicate", SOURCE, REPLICA, word)
        assert ended.value.code == 2
        assert word.partition("=")[0] in capsys.readouterr().err


class TestFailures:
    """What a command does when the operation raises this."""

    @pytest.fixture
    def failing(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
        def run(error: BaseException) -> Ended:
            def fail(*args: object, **given: object) -> None:
                raise error

            monkeypatch.setattr(replicate_command, "replication", fail)
            return shell.run("replicate", SOURCE, REPLICA, "--dry-run")

        return run

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (ErrorKind.UNAUTHENTICATED, 5),
            (ErrorKind.THROTTLED, 6),
            (ErrorKind.QUOTA, 7),
            (ErrorKind.INTEGRITY, 3),
        ],
    )
    def test_kinds_are_exit_codes(self, failing: Any, kind: ErrorKind, code: int) -> None:
        ended = failing(StorageError("two\nlines", kind=kind))
        assert (ended.code, ended.err) == (code, f"error ({kind}): two\\nlines\n")

    def test_an_unknown_error_is_shown_in_full(self, failing: Any) -> None:
        ended = failing(RuntimeError("what?"))
        assert ended.code == 1
        assert "Traceback (most recent call last)" in ended.err
        assert ended.err.endswith("error (unexpected): RuntimeError: what?\n")

    def test_interrupted(self, failing: Any) -> None:
        ended = failing(KeyboardInterrupt())
        assert (ended.code, ended.out) == (130, "")
        assert ended.err.startswith("interrupted: what is finished is kept")
        assert ended.err.endswith("; the same command goes on from there\n")


class TestVerify:
    def test_proven_and_damaged(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA)
        proven = shell.run("verify", REPLICA, "-o", "json")
        assert (proven.code, proven.err, proven.result["proven"]) == (0, "", True)
        put("copy/a.csv", b"5.csv", conn_id="cli_b")
        object_store.Hook("cli_b").delete_object(ObjectRef("lake", "copy/b.csv"))
        damaged = shell.run("verify", REPLICA, "--depth", "read", "-o", "json")
        assert (damaged.code, damaged.result["proven"]) == (3, False)
        assert damaged.result["findings"] == {"changed": 1, "missing": 1, "verified": 1}
        assert {line.partition(":")[0] for line in damaged.err.splitlines()} == {"not proven"}
        assert "'a.csv' is changed" in damaged.err
        assert "'b.csv' is missing" in damaged.err

    def test_no_ledger(self, shell: Shell) -> None:
        ended = shell.run("verify", REPLICA)
        assert (ended.code, ended.out) == (4, "")
        assert ended.err.startswith("error (not_found): ")

    def test_what_speaks_for_a_ledger(self, shell: Shell, tmp_path: Path) -> None:
        shell.run("replicate", SOURCE, REPLICA)
        told = shell.run("verify", REPLICA, "-o", "json").result
        root, number = told["ledger_root"], str(told["commit"])
        asked = ("--expected-root", root, "--at-least-commit", number, "-o", "json")
        assert shell.run("verify", REPLICA, *asked).result["proven"]
        shell.run("replicate", SOURCE, REPLICA)
        assert shell.run("verify", REPLICA, *asked).code == 0
        rolled_back = shell.run("verify", REPLICA, "--expected-root", root)
        assert rolled_back.code == 3
        assert "give its number as --at-least-commit as well" in rolled_back.err
        assert "rolled back, written anew or restarted" in rolled_back.err
        assert shell.run("verify", REPLICA, "--at-least-commit", "99").code == 3
        alone = shell.run("verify", REPLICA, "--sibling", SOURCE)
        assert (alone.code, "not compared: mem://cli_a@lake/sales/ has no ledger" in alone.err) == (
            0,
            True,
        )
        for option, given, said in (
            ("--expected-root", "xx", "'xx' given, expected the 64 lower-case hexadecimal digits"),
            ("--at-least-commit", "0", "0 given, expected the number of a commit, from 1"),
            ("--sibling", REPLICA, f"{REPLICA} is in the same bucket as {REPLICA}"),
            ("--sibling", "mem://cli_a@none/", "mem://cli_a@none/: "),
        ):
            refused = shell.run("verify", REPLICA, option, given)
            assert f"): {option}: {said}" in refused.err, refused.err
            assert "REPLICA" not in refused.err
        keys = tmp_path / "signing.pub"
        missing = shell.run("verify", REPLICA, "--public-key", str(keys))
        assert (missing.code, "--public-key: " in missing.err) == (2, True)
        keys.write_bytes(pair().public)
        unsigned = shell.run("verify", REPLICA, "--public-key", str(keys))
        assert (unsigned.code, "it is not signed" in unsigned.err) == (3, True)


class TestFetch:
    def test_from_the_replica_when_the_primary_is_gone(self, shell: Shell, tmp_path: Path) -> None:
        shell.run("replicate", SOURCE, REPLICA)
        object_store.Hook("cli_a").delete_object(ObjectRef("lake", "sales/a.csv"))
        target = tmp_path / "here.csv"
        ended = shell.run(
            "fetch", f"{SOURCE}a.csv", f"{REPLICA}a.csv", "--to", str(target), "-o", "json"
        )
        assert (ended.code, target.read_bytes()) == (0, b"a.csv")
        assert ended.result["served_by"] == f"{REPLICA}a.csv"
        assert (ended.result["failed_over"], ended.result["verified_by"]) == (True, "ledger")
        (line,) = ended.err.splitlines()
        assert line.startswith(f"failed over: {SOURCE}a.csv after ")

    def test_a_prefix(self, shell: Shell, tmp_path: Path) -> None:
        ended = shell.run("fetch", SOURCE, "--to", str(tmp_path), "-o", "plain")
        assert (ended.code, ended.err) == (0, "")
        assert f"{SOURCE} (3)" in ended.out
        assert (tmp_path / "b.csv").read_bytes() == b"b.csv"

    def test_a_prefix_of_which_not_all_can_be_put(self, shell: Shell, tmp_path: Path) -> None:
        store = object_store.Hook("cli_a")
        for name in ("a.csv/below", "../out"):
            store.put_object(ObjectRef("lake", f"sales/{name}"), b"odd")
        top = tmp_path / "top"
        ended = shell.run("fetch", SOURCE, "--to", str(top), "-o", "json")
        assert ended.code == 3
        assert [ended.result[name] for name in ("objects", "unfit", "encoded")] == [4, 1, 1]
        encoded, error = ended.err.splitlines()
        assert encoded == f"note: '../out' is at {top}/\u201b../out"
        assert error.startswith(
            f"error (invalid_argument): 1 of 5 objects were not fetched to {top}, all others are "
            "in place; 1 can't be put there: "
        )
        assert f"the key 'a.csv' can't be below {top}: 'a.csv/below' is there too" in error
        assert (top / "b.csv").read_bytes() == b"b.csv"
        assert [path.name for path in tmp_path.iterdir()] == ["top"]

    def test_a_prefix_of_which_nothing_is_served(self, shell: Shell, tmp_path: Path) -> None:
        ended = shell.run("fetch", SOURCE, "--to", str(tmp_path), "--expected-sha256", "0" * 64)
        assert (ended.code, ended.out, list(tmp_path.iterdir())) == (3, "", [])
        assert ended.err.startswith("error (integrity): 3 of 3 objects were not fetched to ")

    def test_the_policy_is_handed_on(self, shell: Shell, tmp_path: Path) -> None:
        words = (f"{SOURCE}a.csv", "--to", str(tmp_path / "x"), "--expected-sha256", "0" * 64)
        ended = shell.run("fetch", *words)
        assert (ended.code, ended.out, list(tmp_path.iterdir())) == (3, "", [])
        assert ended.err.startswith("error (integrity): ")
        wrong = shell.run("fetch", *words, "--fail-over-on", "rain")
        assert (wrong.code, "--fail-over-on" in wrong.err) == (2, True)

    def test_to_standard_output(self, shell: Shell) -> None:
        ended = shell.run("fetch", f"{SOURCE}gone", f"{SOURCE}a.csv", "--to", "-")
        assert (ended.code, ended.out) == (0, "a.csv")
        assert ended.err.startswith("failed over: ")
        quiet = shell.run("fetch", f"{SOURCE}gone", f"{SOURCE}a.csv", "--to", "-", "-q")
        assert (quiet.code, quiet.out, quiet.err) == (0, "a.csv", "")

    def test_nothing_unverified_reaches_standard_output(self, shell: Shell) -> None:
        words = ("fetch", f"{SOURCE}a.csv", "--to", "-")
        ended = shell.run(*words, "--expected-sha256", "0" * 64)
        assert (ended.code, ended.out) == (3, "")
        prefix = shell.run("fetch", SOURCE, "--to", "-")
        assert (prefix.code, prefix.out) == (2, "")
        assert "one object" in prefix.err


class TestUpload:
    def test_upload_and_replicate(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "app.tar"
        file.write_bytes(b"an application")
        words = ("upload", str(file), "mem://cli_a@lake/1.4/", "--replicate-to")
        ended = shell.run(*words, "mem://cli_b@lake/1.4/", "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        assert ended.result["uri"] == "mem://cli_a@lake/1.4/app.tar"
        assert keys() == ["1.4/app.tar"]
        again = shell.run(*words, "mem://cli_b@lake/1.4/", "-o", "plain")
        assert [line.split()[1] for line in again.out.splitlines()[1:]] == ["unchanged", "1"]
        assert "1 unchanged" in again.out

    def test_dry_run_sends_nothing(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "app.tar"
        file.write_bytes(b"an application")
        words = ("upload", str(file), "mem://cli_a@lake/1.4/", "--dry-run", "-o", "json")
        assert shell.run(*words).result["action"] == "upload"
        assert keys() == []
        put("1.4/app.tar", b"something else")
        assert shell.run(*words).result["action"] == "replace"
        assert shell.run(*words, "--immutable").code == 7

    def test_a_failed_replica_is_told_and_the_primary_stays(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        file = tmp_path / "app.tar"
        file.write_bytes(b"an application")
        put("1.4/app.tar", b"something else", conn_id="cli_b")
        ended = shell.run(
            *("upload", str(file), "mem://cli_a@lake/1.4/", "--immutable"),
            *("--replicate-to", "mem://cli_b@lake/1.4/", "-o", "json"),
        )
        assert (ended.code, ended.result["success"]) == (3, False)
        assert ended.err.splitlines()[-1].startswith("error (already_exists): 1 of 1 copies failed")
        assert "1.4/app.tar" in keys("cli_a")

    def test_no_such_file(self, shell: Shell, tmp_path: Path) -> None:
        ended = shell.run("upload", str(tmp_path / "none"), "mem://cli_a@lake/")
        assert (ended.code, ended.out) == (4, "")
        assert "is not a file" in ended.err


class TestInit:
    def test_connections_by_name(self, shell: Shell) -> None:
        ended = shell.run("init", "cli_a", "cli_a", "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        assert ended.result == {
            "conn_id": "cli_a",
            "cloud": "memory",
            "available": True,
            "account_id": "memory-cli_a",
            "principal": "tester",
            "region": None,
            "problem": None,
        }

    def test_what_is_missing_is_said(self, shell: Shell) -> None:
        ended = shell.run("init", "cli_a", "memory_default", "-o", "table")
        assert ended.code == 4
        assert [word in ended.out for word in ("ok", "not_found", "not set")] == [True] * 3
        assert "airflow connections add memory_default --conn-type memory" in ended.err
        assert "AIRFLOW_CONN_MEMORY_DEFAULT" in ended.err

    def test_a_cloud_that_does_not_answer(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        canaries = ("canary-password-5151", "canary-token-6262")
        connection = {
            "conn_type": "aws",
            "login": "AKIAEXAMPLE",
            "password": canaries[0],
            "extra": {
                "endpoint_url": f"http://127.0.0.1:{port}",
                "region_name": "us-east-1",
                "aws_session_token": canaries[1],
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            },
        }
        monkeypatch.setenv("AIRFLOW_CONN_DOWN", json.dumps(connection))
        ended = shell.run("init", "down", "-o", "json", "-v")
        assert (ended.code, ended.result["available"]) == (6, False)
        assert "error (unavailable): down: " in ended.err
        assert not [c for c in canaries if c in ended.out + ended.err]


def test_a_progress_bar_on_a_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stderr:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stderr)
            ended = shell.run("replicate", SOURCE, REPLICA, "-o", "json")
        stderr.flush()
        shown = ""  # A terminal hands over a few kilobytes at a time.
        while select.select([controller], [], [], 0)[0]:
            shown += os.read(controller, 1 << 16).decode()
    os.close(controller)
    assert "replicating" in shown
    assert "3/3 objects, 15 of 15 bytes" in shown
    assert ended.result["objects"] == 3  # Standard output is the result alone, here too.


def test_interrupted_in_the_middle_and_gone_on_with(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("sales/large", bytes(range(250)) * 4_000)
    words = ("replicate", SOURCE, REPLICA, "--part-size", "100K", "--memory-limit", "200K")
    sent = object_store.Hook.put_part

    def interrupts(self: Any, upload: Any, number: int, *args: Any, **kwargs: Any) -> Any:
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return sent(self, upload, number, *args, **kwargs)

    # A shell starts what it puts into the background with this signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(object_store.Hook, "put_part", interrupts)
            ended = shell.run(*words)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ended.code, ended.out) == (130, "")
    assert "interrupted: what is finished is kept" in ended.err.splitlines()[-1]
    again = shell.run(*words, "-o", "json")
    assert again.code == 0
    assert again.result["destinations"][0]["outcomes"] in (
        {"copied": 1, "verified": 3},
        {"copied": 1, "unchanged": 3},
    )
    assert again.err.startswith("resuming: ")
    assert again.err.endswith(" of 1.0 MB are there\n")


def test_known_secrets_are_masked(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "canary-password-7373"
    monkeypatch.setenv(
        "AIRFLOW_CONN_CLI_A", json.dumps({"conn_type": "memory", "password": canary})
    )

    def fail(source: str, *args: object, **given: object) -> None:
        from airflow_multicloud.registry import cloud_of

        cloud_of("cli_a")  # Airflow learns the secret when it reads the connection.
        raise CloudError(f"the SDK says {canary}", kind=ErrorKind.UNAVAILABLE)

    monkeypatch.setattr(replicate_command, "replication", fail)
    ended = shell.run("replicate", SOURCE, REPLICA, "--dry-run", "-v")
    assert (ended.code, canary in ended.err) == (6, False)
    assert ended.err.endswith("error (unavailable): the SDK says ***\n")


class TestUsage:
    """What can't be parsed is told in two lines, on stderr."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("verify", REPLICA, "--dept", "read", "--bogus"), "unrecognized arguments: --bogus"),
            (("replicate", SOURCE, REPLICA, "--max-deletes", "1"), "; did you mean --max-delete?"),
            (("verify", REPLICA, "--depth", "foo"), "argument --depth: invalid choice: 'foo'"),
            (("replicate",), "the following arguments are required: SOURCE, DESTINATION"),
            (("local", "--data-dri", "x"), "did you mean --data-dir?"),
        ],
    )
    def test_in_two_lines(
        self, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            cli_parser.get_parser().parse_args(["multicloud", *words])
        out, err = capsys.readouterr()
        usage, error = err.splitlines()
        assert (ended.value.code, out) == (2, "")
        assert usage.startswith(f"usage: airflow multicloud {words[0]} [options]")
        assert said in error


class TestUnanswered:
    """Which place does not answer, by which connection, and how to look at that."""

    @pytest.mark.parametrize("command", ["replicate", "verify"])
    @pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.UNAUTHENTICATED])
    def test_it_is_named(
        self, shell: Shell, command: str, kind: ErrorKind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: object, *args: object, **given: object) -> None:
            if getattr(self, "memory_conn_id", "") == "cli_b":
                raise StorageError("stat bucket lake: no answer", kind=kind)

        for verb in ("stat_bucket", "get_object", "list_objects"):
            real = getattr(object_store.Hook, verb)
            monkeypatch.setattr(
                object_store.Hook,
                verb,
                lambda self, *a, _real=real, **g: fail(self) or _real(self, *a, **g),
            )
        words = (SOURCE, REPLICA) if command == "replicate" else (REPLICA,)
        (line,) = shell.run(command, *words).err.splitlines()
        parameter = "DESTINATION" if command == "replicate" else "REPLICA"
        assert f"{parameter}: {REPLICA}: stat bucket lake: no answer" in line
        assert line.endswith("; to check the connection: airflow multicloud init cli_b")


class TestHints:
    """What was meant, with the names and the commands that a person can type."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("mem://cli_c@lake/sales/", REPLICA), "did you mean cli_"),
            (("mem://cli_a@lak/sales/", REPLICA), "did you mean lake?"),
            (
                (SOURCE, "mem://cli_b@other/x/"),
                "DESTINATION: mem://cli_b@other/x/: no bucket 'other'; create it, or set "
                "--create-buckets; to create it: airflow multicloud mb mem://cli_b@other",
            ),
            ((SOURCE, REPLICA, "--memory-limit", "1K"), "--memory-limit: 1024 given"),
            ((SOURCE, REPLICA, "--delete-extraneous"), "--max-delete: not given, expected a"),
        ],
    )
    def test_in_an_error(self, shell: Shell, words: tuple[str, ...], said: str) -> None:
        ended = shell.run("replicate", *words)
        (line,) = ended.err.splitlines()
        assert said in line
        assert "create_buckets" not in line

    @pytest.mark.usefixtures("shell")
    def test_a_place_that_no_store_opens_ends_no_hint(self) -> None:
        """An export is a location too, also one that is no object: the error is told without."""
        err = CloudError("no table p.d.t", kind=ErrorKind.NOT_FOUND)
        asked = Namespace(ingest=["bigquery://cli_a@p/d/t"], store="mem://cli_a@lak/costs/")
        assert "did you mean lake?" in hint(asked, err)
        assert hint(Namespace(ingest=asked.ingest), err) == ""

    def test_a_connection_for_init(self, shell: Shell) -> None:
        said = shell.run("init", "cli_aa").err
        assert "did you mean cli_a?; to create it: airflow connections add cli_aa" in said


class TestRunsAndStatus:
    def test_runs_are_listed_the_newest_first(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA, "--run-id", "monday")
        put("sales/d.csv", b"more")
        shell.run("replicate", SOURCE, REPLICA, "--run-id", "tuesday")
        ended = shell.run("runs", REPLICA, "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        newest, oldest = json.loads(ended.out)
        assert (newest["run_id"], newest["objects"], newest["changed"]) == ("tuesday", 4, 1)
        assert (oldest["run_id"], oldest["objects"], oldest["changed"]) == ("monday", 3, 3)
        assert newest["commit"] > oldest["commit"]
        shown = shell.run("runs", REPLICA)
        assert max(map(len, shown.out.splitlines())) <= 80
        assert "--limit" in shell.run("runs", REPLICA, "--limit", "1").err
        for few in ("0", "-1"):
            refused = shell.run("runs", REPLICA, "--limit", few)
            assert (refused.code, refused.out) == (2, "")
            assert f"--limit: {few} given, expected 1 or more" in refused.err

    def test_a_run_that_was_meant_is_said_and_no_key_of_ours(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA, "--run-id", "monday")
        ended = shell.run("verify", REPLICA, "--run-id", "mondy")
        assert ended.code == 4
        assert "--run-id: no run 'mondy'" in ended.err
        assert "did you mean monday?" in ended.err
        assert ".airflow-multicloud" not in ended.err
        assert "there are: monday" in shell.run("verify", REPLICA, "--run-id", "xyz").err

    def test_a_replica_that_was_meant_is_said(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA)
        for command in ("verify", "runs"):
            ended = shell.run(command, "mem://cli_b@lake/copi/")
            assert (ended.code, f"did you mean {REPLICA}?" in ended.err) == (4, True)

    def test_a_sound_replica(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA, "--run-id", "monday")
        ended = shell.run("status", REPLICA, "--max-lag", "1h", "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        found = ended.result
        assert (found["proven"], found["objects"], found["complete"]) == (3, 3, True)
        assert (found["run_id"], found["findings"], found["problem"]) == ("monday", [], None)
        assert 0 <= found["lag_seconds"] < 60

    def test_findings(self, shell: Shell) -> None:
        put("copy/a.csv", b"something else", conn_id="cli_b")
        shell.run("replicate", SOURCE, REPLICA, "--immutable")
        object_store.Hook("cli_b").begin_upload(ObjectRef("lake", "copy/large"))
        ended = shell.run("status", REPLICA, "--max-lag", "0s")
        assert ended.code == 3
        assert f"{REPLICA}: 1 of 3 objects are not proven" in ended.err
        assert f"{REPLICA}: how old it is can't be told: 1 of 3 objects are not up to" in ended.err
        assert "1 upload of runs that are under way, or were killed" in ended.err
        object_store.Hook("cli_b").delete_object(ObjectRef("lake", "copy/a.csv"))
        shell.run("replicate", SOURCE, REPLICA)
        late = shell.run("status", REPLICA, "--max-lag", "0s")
        assert (late.code, "is more than 0 s" in late.err) == (3, True)

    def test_one_that_was_never_replicated_costs_no_other(self, shell: Shell) -> None:
        shell.run("replicate", SOURCE, REPLICA)
        ended = shell.run("status", "mem://cli_b@lake/no/", REPLICA)
        assert ended.code == 4
        assert "3 of 3" in ended.out
        assert "REPLICA: mem://cli_b@lake/no/ is in no ledger" in ended.err

    def test_no_bucket_is_said_without_a_key_of_ours(self, shell: Shell) -> None:
        for command in ("status", "runs", "verify"):
            ended = shell.run(command, "mem://cli_b@nowhere/x/")
            assert (ended.code, "no bucket 'nowhere'" in ended.err) == (4, True)
            assert ".airflow-multicloud" not in ended.err


class TestCleanup:
    def test_left_parts_are_named_then_removed(self, shell: Shell) -> None:
        store = object_store.Hook("cli_b")
        store.begin_upload(ObjectRef("lake", "copy/large"))
        words = ("cleanup", REPLICA, "--older-than", "0s")
        dry = shell.run(*words, "--dry-run")
        assert (dry.code, "mem://cli_b@lake/copy/large" in dry.out) == (0, True)
        assert "would be removed" in dry.out
        assert dry.err == "nothing was changed (--dry-run)\n"
        assert len([*store.list_uploads("lake")]) == 1
        done = shell.run(*words, "-o", "json")
        assert (done.code, done.result["removed"]) == (0, {"upload": 1})
        assert [*store.list_uploads("lake")] == []
        assert "nothing is left" in shell.run(*words).err


class TestBuckets:
    def test_mb(self, shell: Shell) -> None:
        made = shell.run("mb", "mem://cli_a@new", "mem://cli_a@lake", "-o", "json")
        assert [row["outcome"] for row in json.loads(made.out)] == ["created", "was there"]
        assert object_store.Hook("cli_a").stat_bucket("new").name == "new"

    def test_upload_creates_them_when_told(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "app.tar"
        file.write_bytes(b"an application")
        words = ("upload", str(file), "mem://cli_a@one/", "--replicate-to", "mem://cli_b@two/")
        refused = shell.run(*words)
        assert (refused.code, "--create-buckets" in refused.err) == (4, True)
        planned = shell.run(*words, "--create-buckets", "--dry-run", "-o", "json")
        assert (planned.code, planned.result["action"]) == (0, "upload")
        assert shell.run(*words, "--create-buckets").code == 0
        assert bytes(object_store.Hook("cli_b").get_object(ObjectRef("two", "app.tar")).read())


class TestDrill:
    def test_passed_with_evidence(self, shell: Shell) -> None:
        phases = ("--detect", "1h", "--failover", "1h", "--first-verified", "1h")
        with second_cloud("apart") as apart:
            places = ("--evidence", REPLICA, "--evidence", apart)
            ended = shell.run("drill", SOURCE, REPLICA, *places, *phases, "-o", "json")
        assert (ended.code, "warning: " in ended.err) == (0, False), ended.err
        found = ended.result
        assert (found["verdict"], found["measurement"]["canary_found"]) == ("PASSED", True)
        assert found["run"]["with"] == "airflow multicloud drill"
        assert found["objectives"]["first_verified_seconds"] == 3600
        assert {uri.rpartition(".")[2] for uri in found["evidence"]} == {"json", "html"}
        assert all(f"evidence: {uri}" in ended.err for uri in found["evidence"])

    def test_evidence_in_one_cloud_is_said_before_and_fails(self, shell: Shell) -> None:
        ended = shell.run("drill", SOURCE, REPLICA)
        assert (ended.code, "FAILED_EVIDENCE" in ended.out) == (3, True)
        first, *_ = ended.err.splitlines()
        assert first.startswith(f"warning: the evidence is kept in one cloud only ({REPLICA})")
        assert first.endswith("name places in two with --evidence")
        for option, given, said in (
            ("--rto", "0s", "--rto: 0 s given, expected a time above 0"),
            ("--first-verified", "2h", "--first-verified: 2 h given, which is longer than the RTO"),
        ):
            wrong = shell.run("drill", SOURCE, REPLICA, option, given)
            assert (wrong.code, wrong.out, said in wrong.err) == (2, "", True), wrong.err

    def test_signed_evidence_is_verified(
        self, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = pair(1)
        key = {"conn_type": "generic", "password": ours.private().decode()}
        monkeypatch.setenv("AIRFLOW_CONN_CLI_KEY", json.dumps(key))
        public = tmp_path / "signing.pub"
        public.write_bytes(ours.public)
        verify = ("evidence", "verify", REPLICA, "--public-key", str(public))
        assert shell.run(*verify).code == 4
        held = shell.run("drill", SOURCE, REPLICA, "--signing-conn-id", "cli_key", "-o", "json")
        (record,) = held.result["records"]
        assert f"record 1 has the SHA-256 {record['sha256']}: {record['uri']}" in held.err
        known = ("--at-least", "1", "--expected-sha256", record["sha256"])
        checked = shell.run(*verify, *known, "-o", "json")
        assert (checked.code, checked.err) == (0, "")
        assert (checked.result["sound"], checked.result["signed"]) == (True, 1)
        refused = shell.run(*verify, "--at-least", "2")
        assert refused.code == 3
        assert "not sound: the newest record is 1, and record 2 was written" in refused.err
        public.write_bytes(pair(2).public)
        forged = shell.run(*verify)
        assert (forged.code, "not sound: record 1: the signature" in forged.err) == (3, True)
        for words, said in (
            (("--at-least", "0"), "--at-least: 0 given"),
            (("--expected-sha256", "x"), "--expected-sha256: 'x' given"),
            (("--signed-from", "0"), "--signed-from: 0 given"),
            (("--public-key", str(tmp_path / "no")), "--public-key: "),
        ):
            wrong = shell.run("evidence", "verify", REPLICA, *words)
            assert (wrong.code, wrong.out, said in wrong.err) == (2, "", True), wrong.err
        assert "not checked" in shell.run("evidence", "verify", REPLICA).out
        assert shell.run("evidence", "verify", REPLICA, "--witness", SOURCE).code == 0
        wrong = shell.run("evidence", "verify", REPLICA, "--witness", "x")
        assert (wrong.code, "--witness: 'x' is not a location" in wrong.err) == (2, True)

    @pytest.mark.parametrize("what", DISABLED)
    def test_with_a_verifier_that_is_disabled_it_is_invalid(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        disable, kinds = DISABLED[what]
        disable(monkeypatch)
        ended = shell.run("drill", SOURCE, REPLICA, "-o", "json")
        controls = ended.result["measurement"]["controls"]
        accepted = {one["kind"] for one in controls if one["outcome"] == "accepted"}
        assert (ended.code, ended.result["verdict"], accepted) == (3, "INVALID", kinds)
        assert f"finding: {REPLICA}: a" in ended.err

    def test_drills_over_time(self, shell: Shell) -> None:
        assert shell.run("evidence", "trend", REPLICA).code == 4
        shell.run("drill", SOURCE, REPLICA)
        shell.run("drill", SOURCE, REPLICA, "--fault", "permission_denied")
        ended = shell.run("evidence", "trend", REPLICA, "--last", "5", "-o", "json")
        assert (ended.code, ended.err) == (0, "")
        first, second = json.loads(ended.out)
        assert (first["number"], first["verdict"], second["verdict"]) == (
            1,
            "FAILED_EVIDENCE",
            "FAILED_INTEGRITY",
        )
        assert (first["rto_seconds"] is None, second["rto_seconds"]) == (False, None)
        assert "none of 1 h" in shell.run("evidence", "trend", REPLICA).out
        wrong = shell.run("evidence", "trend", REPLICA, "--last", "0")
        assert (wrong.code, "--last: 0 given" in wrong.err) == (2, True)

    def test_failed_says_why(self, shell: Shell) -> None:
        ended = shell.run("drill", SOURCE, REPLICA, "--fault", "permission_denied")
        assert (ended.code, "FAILED_INTEGRITY" in ended.out) == (3, True)
        assert "why: " in ended.err

    def test_a_directory_that_is_not_empty_is_refused(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "old").touch()
        ended = shell.run("drill", SOURCE, REPLICA, "--restore-to", str(tmp_path))
        assert (ended.code, ended.out) == (2, "")
        assert "--restore-to: " in ended.err


def test_fetches_and_uploads_are_told_by_bytes(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(1 << 20))
    told: list[Snapshot] = []
    end = "mem://cli_a@lake/large"
    api.upload_artifact(file, end, listener=told.append, interval=1e-9)
    assert (told[-1].written, told[-1].to_write, told[-1].eta) == (1 << 20, 1 << 20, 0)
    told.clear()
    api.failover_fetch([SOURCE], tmp_path / "tree", listener=told.append, interval=1e-9)
    last = told[-1]
    assert (last.objects, last.to_copy, last.written) == (3, 3, 15)
    assert str(last).startswith("3 of 3 objects, 15 bytes, ")

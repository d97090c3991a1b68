"""What others wrote reaches logs and terminals escaped, and programs as it is."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from airflow.cli import cli_parser

from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.operators.object_store import (
    FailoverFetchOperator,
    ReplicateOperator,
    UploadArtifactOperator,
    VerifyReplicaOperator,
)
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from .airflow_runs import Bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from airflow.sdk import BaseOperator

#: Clears a terminal, forges a line, turns the reading direction, and a C1 control besides.
HOSTILE = "evil\x1b[2J\nFORGED all is well\r\u202etxt\x9b2J\u2028FORGED"
SOURCE, REPLICA = "mem://told_a@lake/", "mem://told_b@lake/copy/"

_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Told:
    """All that reached logs and terminals."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.records: list[str] = []
        self.text = ""

    def read(self) -> tuple[str, str]:
        out, err = self._captured.readouterr()
        self.text += out + err
        return out, err

    def assert_plain(self) -> None:
        self.read()
        for text in (self.text, *self.records):
            assert _RAW.findall(text) == []
            assert [line for line in text.split("\n") if line.startswith("FORGED")] == []

    def cli(self, *words: str) -> str:
        """What ``airflow multicloud`` wrote to stdout."""
        self.read()
        args = cli_parser.get_parser().parse_args(["multicloud", *words])
        with suppress(SystemExit):
            args.func(args)
        return self.read()[0]


@pytest.fixture
def told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    memory_account: Callable[[str, str], str],
) -> Iterator[Told]:
    for conn_id in ("told_a", "told_b"):
        memory_account(conn_id, "lake")
    heard = Told(capsys)

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.records.append(self.format(record))

    listener = Listener(logging.DEBUG)
    logger = logging.getLogger("airflow_multicloud")
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    logger.addHandler(listener)
    yield heard
    logger.removeHandler(listener)


def put(conn_id: str, key: str, content: bytes) -> None:
    object_store.Hook(conn_id).put_object(ObjectRef("lake", key), content)


def broken(monkeypatch: pytest.MonkeyPatch, name: str, *, key: str) -> None:
    """A service that answers with a hostile message for one key."""
    whole = getattr(object_store.Hook, name)

    def fail(self: object_store.Hook, ref: ObjectRef, *args: Any, **kwargs: Any) -> Any:
        if key in ref.key:
            cause = ValueError(f"SDK: {HOSTILE}")
            raise StorageError(f"{name}: {HOSTILE}", kind=ErrorKind.PERMISSION_DENIED) from cause
        return whole(self, ref, *args, **kwargs)

    monkeypatch.setattr(object_store.Hook, name, fail)


def run(*operators: BaseOperator) -> list[Any]:
    """Execute each, whatever becomes of it; returns what went to XCom."""
    told: list[Any] = []
    for operator in operators:
        context = Bare()
        with suppress(Exception):
            told.append(operator.execute(context))  # type: ignore[arg-type]
        told.append(context.pushed)
    return told


def test_operators(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("told_a", f"data/{HOSTILE}", b"good")
    file = tmp_path / HOSTILE
    file.write_bytes(b"artifact")
    replicate = ReplicateOperator(task_id="r", source=f"{SOURCE}data/", destinations=[REPLICA])
    verify = VerifyReplicaOperator(task_id="v", replica=REPLICA)
    one = f"data/{HOSTILE}"
    run(replicate)
    put("told_b", f"copy/{HOSTILE}", b"evil")
    found = run(verify)
    broken(monkeypatch, "get_object", key="evil")
    run(
        ReplicateOperator(task_id="s", source=f"{SOURCE}data/", destinations=[f"{REPLICA}new/"]),
        ReplicateOperator(task_id="o", source=SOURCE + one, destinations=[f"{REPLICA}one/"]),
        FailoverFetchOperator(
            task_id="f", candidates=[SOURCE + one, REPLICA + HOSTILE], target=str(tmp_path / "x")
        ),
        UploadArtifactOperator(task_id="u", file=str(file), destination=f"{SOURCE}up/"),
    )
    told.assert_plain()
    assert "\\x1b[2J\\nFORGED all is well\\r\\u202etxt" in told.text
    # Data keeps the key as it is: a program can find the object by it.
    assert repr(HOSTILE) in json.dumps(found, default=str).encode().decode("unicode_escape")


@pytest.mark.parametrize("output", ["table", "plain"])
@pytest.mark.parametrize("verbose", [(), ("--verbose",)])
def test_command_line(
    told: Told,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    verbose: Sequence[str],
) -> None:
    shown = ("--output", output, *verbose)
    put("told_a", f"data/{HOSTILE}", b"good")
    (tmp_path / HOSTILE).write_bytes(b"artifact")
    one = f"{SOURCE}data/{HOSTILE}"
    told.cli("replicate", f"{SOURCE}data/", REPLICA, *shown)
    put("told_b", f"copy/{HOSTILE}", b"evil")
    told.cli("verify", REPLICA, *shown)
    told.cli("fetch", one, "--to", str(tmp_path / "x"), *shown)
    told.cli("replicate", one, f"{REPLICA}one/", *shown)
    told.cli("upload", str(tmp_path / HOSTILE), f"{SOURCE}up/", *shown)
    told.cli("upload", f"{tmp_path}/no{HOSTILE}", f"{SOURCE}up/", *shown)
    told.cli("fetch", f"mem://no{HOSTILE}@lake/x", "--to", str(tmp_path / "x"), *shown)
    broken(monkeypatch, "get_object", key="evil")
    told.cli("replicate", f"{SOURCE}data/", f"{REPLICA}new/", *shown)
    told.cli("fetch", one, REPLICA + HOSTILE, "--to", str(tmp_path / "x"), *shown)
    broken(monkeypatch, "stat_object", key="one")
    told.cli("upload", str(tmp_path / HOSTILE), f"{SOURCE}one/", *shown)
    told.assert_plain()
    assert "\\x1b[2J\\nFORGED all is well\\r\\u202etxt" in told.text


def test_programs_get_the_key_as_it_is(told: Told, tmp_path: Path) -> None:
    put("told_a", f"data/{HOSTILE}", b"good")
    out = told.cli(
        *("fetch", f"{SOURCE}data/{HOSTILE}", "--to", str(tmp_path / "x"), "--output", "json")
    )
    assert json.loads(out)[0]["served_by"] == f"{SOURCE}data/{HOSTILE}"


def test_every_error_is_one_line() -> None:
    error = CloudError(f"no object {HOSTILE}", kind=ErrorKind.NOT_FOUND)
    assert str(error).isprintable()
    assert str(error).startswith("no object evil\\x1b[2J\\nFORGED")

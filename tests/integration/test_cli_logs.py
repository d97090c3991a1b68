"""``airflow multicloud ship-logs`` and ``query-logs``, against the in-memory cloud."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.logs import LogEntry, Severity
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)
from airflow_multicloud.testing.memory_cloud.logs import logs_of, reset

from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE, TWO = "cli_one", "cli_two"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
HOSTILE = "evil\x1b[2J\nFORGED all is well\u202e =1+1 " + "x" * 100_000


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the tests were collected, commands would look past what is of then."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    monkeypatch.setattr(sys.modules[__name__], "NOW", now)


@pytest.fixture
def shell(
    memory_account: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Shell]:
    reset()
    for conn_id in (ONE, TWO):
        memory_account(conn_id, "any")
    monkeypatch.setenv("COLUMNS", "400")
    yield Shell(capsys)
    reset()


@pytest.fixture
def file(tmp_path: Path) -> str:
    lines = [
        {"time": NOW.isoformat(), "level": "error", "event": "first"},
        {"time": (NOW + timedelta(seconds=1)).isoformat(), "event": "second"},
    ]
    path = tmp_path / "run.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return str(path)


def destinations(*conn_ids: str) -> list[str]:
    return [word for conn_id in conn_ids or (ONE, TWO) for word in ("--to", conn_id)]


def connections(*conn_ids: str) -> list[str]:
    return [word for conn_id in conn_ids or (ONE, TWO) for word in ("--from", conn_id)]


def keep(conn_id: str, *messages: str) -> None:
    kept = logs_of(conn_id).entries.setdefault("app", {})
    for number, message in enumerate(messages):
        kept[number] = LogEntry(
            time=NOW + timedelta(seconds=number),
            message=message,
            severity=Severity.WARN,
            attributes={"key\x1b": message[:20]},
        )


def refuse_reads(conn_id: str) -> None:
    fault = DeliveryFault(
        kind=DeliveryFaultKind.REFUSE,
        call=DeliveryCall.READ,
        error=ErrorKind.UNAVAILABLE,
        times=99,
    )
    logs_of(conn_id).faults.plant([fault])


def test_lines_are_shipped_and_found_again(shell: Shell, file: str) -> None:
    ended = shell.run("ship-logs", "app", file, *destinations())
    assert ended.code == 0
    head, _, first, second = ended.out.splitlines()
    assert [cell.strip() for cell in head.split(" | ")][:4] == [
        *("conn_id", "cloud", "given", "accepted")
    ]
    assert [cell.strip() for cell in first.split(" | ")] == [
        *(ONE, "memory", "2", "2", "0", "0", "0", "1")
    ]
    assert second.startswith(TWO)
    found = shell.run("query-logs", "app", *connections(), "--severity", "ERROR", "-o", "json")
    assert found.code == 0
    assert [(row["conn_id"], row["message"]) for row in found.result["rows"]] == [
        *((ONE, "first"), (TWO, "first"))
    ]
    assert found.result["complete"] is True


def test_what_can_not_be_written_is_named(shell: Shell, file: str) -> None:
    path = Path(file)
    path.write_text(f"{path.read_text()}no \x1b[2J JSON\n")
    ended = shell.run("ship-logs", "app", file, *destinations())
    assert (ended.code, ended.out) == (2, "")
    assert "some can't be written, so nothing was sent" in ended.err
    assert "line 3: no \\x1b[2J JSON" in ended.err
    ended = shell.run("ship-logs", "app", file, *destinations(), "--on-invalid", "drop")
    assert ended.code == 3
    why = "no JSON; expected a record (a JSON object) in each line"
    assert f"cli_one: 1 dropped: invalid_argument: {why} (such as line 3: no \\x1b[2J" in ended.err
    words = ["--on-invalid", "drop", "--min-success-ratio", "0.6"]
    assert shell.run("ship-logs", "app", file, *destinations(), *words).code == 0


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--min-success-ratio", "2"], 2, "--min-success-ratio: '2' given"),
        (["--to", ONE], 2, "--to: cli_one given more than once"),
        (["--start", "noon"], 2, "--start: 'noon' given"),
    ],
)
def test_errors_name_the_option(
    shell: Shell, file: str, words: list[str], code: int, why: str
) -> None:
    ended = shell.run("ship-logs", "app", file, *destinations(), *words)
    assert ended.code == code
    assert why in ended.err


def test_a_file_that_is_not_there(shell: Shell) -> None:
    ended = shell.run("ship-logs", "app", "nothing.log", *destinations())
    assert ended.code == 4
    assert "there is no file nothing.log" in ended.err


@pytest.mark.parametrize("output", ["table", "plain", "csv", "json", "yaml"])
def test_a_hostile_line_reaches_no_terminal(shell: Shell, output: str) -> None:
    keep(ONE, HOSTILE)
    ended = shell.run("query-logs", "app", *connections(ONE), "-o", output)
    assert ended.code == 0
    assert all(c.isprintable() or c == "\n" for c in ended.out)
    assert not any(line.startswith("FORGED") for line in ended.out.splitlines())
    if output == "json":
        assert json.loads(ended.out)[0]["rows"][0]["message"] == HOSTILE


def test_a_formula_is_none_in_csv(shell: Shell) -> None:
    keep(ONE, "=cmd|' /C calc'!A0", "-2+3")
    ended = shell.run("query-logs", "app", *connections(ONE), "-o", "csv")
    rows = [*csv.DictReader(io.StringIO(ended.out))]
    assert [row["message"] for row in rows] == ["'=cmd|' /C calc'!A0", "'-2+3"]


def test_what_is_missing_is_said(shell: Shell) -> None:
    keep(ONE, *map(str, range(5)))
    keep(TWO, "x")
    ended = shell.run("query-logs", "app", *connections(), "--limit", "3")
    assert ended.code == 0
    assert "cli_one: truncated, 2 rows" in ended.err
    refuse_reads(TWO)
    ended = shell.run("query-logs", "app", *connections(), "-q")
    assert ended.code == 6
    assert ended.out.count(ONE) == 5
    assert "cli_two: failed, 0 rows: unavailable:" in ended.err
    assert shell.run("query-logs", "app", *connections(), "--min-clouds", "1").code == 0


def test_rows_go_to_a_file(shell: Shell, tmp_path: Path) -> None:
    keep(ONE, *map(str, range(500)))
    place = tmp_path / "rows.jsonl"
    ended = shell.run("query-logs", "app", *connections(ONE), "--to", str(place))
    assert ended.code == 0
    assert [cell.strip() for cell in ended.out.splitlines()[2].split(" | ")] == [
        *(ONE, "memory", "complete", "500")
    ]
    assert f"500 rows are at {place}" in ended.err
    assert len(place.read_text().splitlines()) == 500

"""``python -m airflow_multicloud``: the command line for every Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser

from airflow.cli import cli_parser

from airflow_multicloud.__main__ import PROGRAM, parser
from airflow_multicloud.cli.definition import get_cli_commands

NOTHING_STORED = {
    "AIRFLOW_CONN_NOWHERE": "aws://key:secret@/?endpoint_url=http%3A%2F%2F127.0.0.1%3A9"
}


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airflow_multicloud", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **NOTHING_STORED},
        check=False,
        timeout=240,
    )


def test_a_result_goes_to_stdout_alone_and_the_exit_code_says_what_happened() -> None:
    ended = ran("init", "no_such_connection", "-o", "json")
    assert ended.returncode == 4, ended.stderr
    (row,) = json.loads(ended.stdout)
    assert row["problem"].startswith("not_found: ")
    assert "error (not_found)" in ended.stderr


def test_a_wrong_command_line_is_told_under_this_program_s_name() -> None:
    ended = ran("verify", "--depht", "read", "gs://a/b/")
    assert ended.returncode == 2
    assert ended.stdout == ""
    usage, error = ended.stderr.splitlines()[-2:]
    assert usage.startswith(f"usage: {PROGRAM} verify [options] REPLICA")
    assert error.endswith("did you mean --depth?")


def test_no_command_is_a_wrong_command_line() -> None:
    ended = ran()
    assert ended.returncode == 2
    assert "required: COMMAND" in ended.stderr


def test_every_command_has_the_same_help_in_both_programs() -> None:
    (group,) = get_cli_commands()
    ours = commands(parser())
    theirs = commands(commands(cli_parser.get_parser())["multicloud"])
    assert [*ours] == [*theirs] == sorted(command.name for command in group.subcommands)
    for name, command in ours.items():
        assert plain(command.format_help()) == plain(theirs[name].format_help())


def commands(of: ArgumentParser) -> dict[str, ArgumentParser]:
    (action,) = (action for action in of._actions if action.dest == "subcommand")
    return dict(action.choices)  # type: ignore[arg-type]


def plain(text: str) -> str:
    """Without what differs by the program's name: the name, and where its usage is wrapped."""
    return re.sub(r"\s+", " ", text.replace(PROGRAM, "airflow multicloud"))

"""The tutorial works as it is written: commands are run in their order, output is compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_PAGE = _CHECKOUT / "docs" / "tutorial.md"
#: What is run, and what the page shows as its output if it comes next.
_STEP = re.compile(
    r"^<!-- runs -->\n```sh\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_UNMARKED = re.compile(r"(?<! -->\n)^```sh$", re.MULTILINE)
#: A machine with many tests at once may be slow; alone this takes two minutes.
_PATIENCE = 1500.0
#: What the shell says around each step, with its number and how its last command ended.
_BEGIN, _END = "== step", "== end of step"


@dataclass(frozen=True, slots=True)
class Step:
    """A block of commands, and the lines that it is to print."""

    code: str
    shown: tuple[str, ...]


def _steps() -> list[Step]:
    return [
        Step(code=found["code"], shown=tuple((found["shown"] or "").splitlines()))
        for found in _STEP.finditer(_PAGE.read_text())
    ]


def test_each_block_says_whether_it_runs() -> None:
    assert _UNMARKED.findall(_PAGE.read_text()) == []


@pytest.mark.usefixtures("local_cloud_options", "installed_bqemulator")
def test_the_tutorial(tmp_path: Path) -> None:
    steps = _steps()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "dags").symlink_to(_CHECKOUT / "dags")
    said = _typed(steps, tmp_path)
    for number, step in enumerate(steps):
        begun = said.partition(f"{_BEGIN} {number}\n")[2]
        output, ended, rest = begun.partition(f"{_END} {number}: ")
        context = f"step {number}:\n{step.code}\nprinted:\n{output[-4000:]}"
        assert ended, context
        assert rest.startswith("0\n"), context
        missing = first_missing(step.shown, output.splitlines())
        assert missing is None, f"the page shows {missing!r}\n{context}"


def test_output_is_compared() -> None:
    shown = ("a  1 of … s", "…", "b")
    assert first_missing(shown, ["a 1 of 20 s", "x", "b"]) is None
    assert first_missing(shown, ["a 1 of 20 s"]) == "b"
    assert first_missing(shown, ["b", "a 1 of 20 s"]) == "b"
    assert first_missing(shown, ["a 2 of 20 s", "b"]) == "a  1 of … s"


def first_missing(shown: tuple[str, ...], printed: list[str]) -> str | None:
    """The first line that the page shows and that is not printed, after those before it."""
    rest = iter([" ".join(line.split()) for line in printed])
    for line in shown:
        words = " ".join(line.split())
        if words in ("", "…"):
            continue
        pattern = re.compile(".*".join(map(re.escape, words.split("…"))))
        if not any(pattern.fullmatch(one) for one in rest):
            return line
    return None


def _typed(steps: list[Step], directory: Path) -> str:
    """What a shell prints that gets the steps as they are, on its standard input.

    It reads no further than the command that runs, so a shell that a step starts reads the next
    ones, as it would in a terminal.
    """
    script = "".join(
        f'echo "{_BEGIN} {number}"\n{step.code}echo "{_END} {number}: $?"\n'
        for number, step in enumerate(steps)
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")
    }
    # Airflow's own tables would be as wide as the terminal.
    environment["COLUMNS"] = "80"
    shell = subprocess.Popen(
        ["bash"],
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return shell.communicate(script, timeout=_PATIENCE)[0]
    finally:
        if shell.poll() is None:
            # Also the local clouds, which stop what they have started.
            os.killpg(shell.pid, signal.SIGTERM)
            shell.wait()

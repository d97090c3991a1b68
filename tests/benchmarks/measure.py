"""Run a process and say what it took."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.tools import Command

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process: seconds, processor seconds, KiB.

    :param section: seconds of the transfer alone, where the process measures that itself.
    :param section_cpu: processor seconds of the transfer alone.
    :param growth_kib: peak memory above what the process had before the transfer.
    :param server_share: of one processor, the busiest server's.
    """

    seconds: float
    cpu: float
    peak_kib: int
    section: float
    section_cpu: float
    growth_kib: int
    server_share: float = 0.0


def run(command: Command) -> Run:
    """Run a process to its end.

    Peak memory counts this process's own at the time of the fork too, so it must be small.

    :raises RuntimeError: when it fails or takes too long, with the end of its output.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **command.environment}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
        )
        timer = threading.Timer(_TIMEOUT, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        words = " ".join(command.arguments)
        raise RuntimeError(f"{words} ended with {process.returncode}:\n{text[-3000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    last = (text.strip().splitlines() or [""])[-1]
    section = json.loads(last) if last.startswith('{"seconds"') else {}
    return Run(
        seconds=seconds,
        cpu=cpu,
        peak_kib=usage.ru_maxrss,
        section=section.get("seconds", seconds),
        section_cpu=section.get("cpu", cpu),
        growth_kib=section.get("peak_kib", usage.ru_maxrss) - section.get("before_kib", 0),
    )

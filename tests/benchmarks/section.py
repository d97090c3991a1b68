"""Measure one section of a process: seconds, processor seconds, and memory above what it had."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RESET_PEAK = "5"  # proc(5), /proc/pid/clear_refs


@contextmanager
def measured() -> Iterator[None]:
    """Write what the section took as a line of JSON to standard output."""
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before, cpu, started = _status("VmRSS"), time.process_time(), time.perf_counter()
    yield
    section = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "before_kib": before,
        "peak_kib": _status("VmHWM"),
    }
    sys.stdout.write(f"\n{json.dumps(section)}\n")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)

"""Runs the tests once without a fault; writes down which lines each runs, and how long it takes.

    python -m tests.mutants.covering OUT TEST…

It runs in the copy that it measures. Only tests that run a line can notice a fault in it.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage

from .mutations import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Python 3.11 fails to start a thread with a tracer while an audit hook runs in another one. The
#: guard is one; it is on again when faults are tried.
_NO_GUARD = "no:airflow_multicloud.testing.offline"


class _Contexts:
    """Tells the measurement which test runs."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration


def main(out: str, tests: list[str]) -> int:
    coverage = Coverage(data_file=None, source=[PACKAGE], config_file=False)
    # The only tracer that knows contexts on every Python.
    coverage.set_option("run:core", "ctrace")
    contexts = _Contexts(coverage)
    coverage.start()
    options = ("-q", "-x", "-p", "no:cacheprovider", "-p", _NO_GUARD, "--hypothesis-seed=0")
    code = pytest.main([*options, *tests], plugins=[contexts])
    coverage.stop()
    if code == pytest.ExitCode.OK:
        Path(out).write_text(json.dumps({"seconds": contexts.seconds, "lines": _lines(coverage)}))
    return int(code)


def _lines(coverage: Coverage) -> dict[str, dict[int, list[str]]]:
    data = coverage.get_data()
    here = Path.cwd()
    return {
        Path(name).relative_to(here).as_posix(): {
            line: [test for test in tests if test]
            for line, tests in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

"""Results as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tests.benchmarks.tools import AIRFLOW, OURS, RCLONE

if TYPE_CHECKING:
    from tests.benchmarks.measure import Run
    from tests.benchmarks.probe import Speed


@dataclass(frozen=True, slots=True)
class Result:
    """One case: the median run of each tool."""

    name: str
    runs: dict[str, Run]

    def times(self, tool: str) -> float | None:
        """How often this package's section fits another tool's; rclone's is its whole process."""
        other = self.runs.get(tool)
        return other.section / self.runs[OURS].section if other else None

    def memory(self) -> float:
        """This package's growth over rclone's peak."""
        return self.runs[OURS].growth_kib / self.runs[RCLONE].peak_kib

    def as_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        return {
            "case": self.name,
            "rclone_over_ours": self.times(RCLONE),
            "rclone_over_ours_process": self.runs[RCLONE].seconds / self.runs[OURS].seconds,
            "airflow_over_ours": self.times(AIRFLOW),
            "memory_over_rclone": self.memory(),
            "runs": {tool: asdict(one) for tool, one in self.runs.items()},
        }


def results_table(title: str, results: Sequence[Result]) -> Table:
    """Seconds are the transfer section's, in brackets the whole process's."""
    table = Table(title=f"{title}: seconds of the transfer (of the process), medians")
    for heading in (
        "case",
        "ours",
        "rclone",
        "Airflow",
        "rclone ÷ ours",
        "Airflow ÷ ours",
        "CPU s, ours",
        "CPU s, rclone",
        "MiB, ours (process)",
        "MiB, rclone",
        "server busy",
    ):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for result in results:
        ours, rclone, airflow = (result.runs.get(t) for t in (OURS, RCLONE, AIRFLOW))
        assert ours is not None
        assert rclone is not None
        table.add_row(
            result.name,
            _seconds(ours),
            f"{rclone.seconds:.2f}",
            _seconds(airflow),
            _times(result.times(RCLONE)),
            _times(result.times(AIRFLOW)),
            f"{ours.section_cpu:.2f}",
            f"{rclone.cpu:.2f}",
            f"+{ours.growth_kib / 1024:.0f} ({ours.peak_kib / 1024:.0f})",
            f"{rclone.peak_kib / 1024:.0f}",
            f"{100 * ours.server_share:.0f} %",
        )
    return table


def speeds_table(speeds: Sequence[Speed]) -> Table:
    """What the sinks can do."""
    table = Table(title="The sinks by themselves")
    for heading in ("sink", "MB/s, 8 MiB", "requests/s, 64 KiB"):
        table.add_column(heading, justify="right")
    for speed in speeds:
        table.add_row(speed.name, f"{speed.megabytes:.0f}", f"{speed.requests:.0f}")
    return table


def _seconds(one: Run | None) -> str:
    return f"{one.section:.2f} ({one.seconds:.2f})" if one else "–"


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f}×" if ratio else "–"

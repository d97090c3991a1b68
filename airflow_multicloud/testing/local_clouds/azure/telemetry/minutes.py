"""Custom metrics of one Azure resource: what a minute's values of a series add up to."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one series, in one minute."""

    minimum: float
    maximum: float
    total: float
    count: int

    def plus(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            total=self.total + other.total,
            count=self.count + other.count,
        )


#: A series: the dimensions, names in the case in which they were first sent.
Series = frozenset[tuple[str, str]]


class Minutes:
    """All metrics of the resource; safe for many threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[Series, dict[datetime, Figures]]] = {}
        self._lock = threading.Lock()

    def add(
        self,
        namespace: str,
        metric: str,
        minute: datetime,
        values: Mapping[Series, Figures],
    ) -> None:
        """Add values of one metric in one minute."""
        with self._lock:
            kept = self._kept.setdefault((namespace, metric), {})
            for series, figures in values.items():
                minutes = kept.setdefault(series, {})
                before = minutes.get(minute)
                minutes[minute] = figures if before is None else before.plus(figures)

    def metrics(self, namespace: str) -> dict[str, list[str]]:
        """The metrics of a namespace, each with the names of its dimensions."""
        with self._lock:
            return {
                metric: sorted({name for one in series for name, _ in one})
                for (space, metric), series in self._kept.items()
                if space == namespace
            }

    def of(self, namespace: str, metric: str) -> dict[Series, dict[datetime, Figures]]:
        """The series of a metric."""
        with self._lock:
            found = self._kept.get((namespace, metric), {})
            return {series: dict(minutes) for series, minutes in found.items()}

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()

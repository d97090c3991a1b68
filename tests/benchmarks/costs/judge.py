"""How often anomalies are found, how often nothing is, and how often forecasts hold.

``python -m tests.benchmarks.costs.judge``: seeded series of known kinds (:mod:`.shapes`) go
through ``find_anomalies`` and ``forecast_costs`` as bills.

- *False alarms*: days reported, of four weeks after fourteen weeks of history, per week and 100
  series. Days that should surprise (a spike, the first three days of a lasting step) are not false.
- *Recall*: of one day a series, chosen among those with a cost, that costs 3 to 6 times as much.
- *Dearest*: the same, of days that then cost more than any before; others may look like a job.
- *Held*: of forecasts of a month after its 5th, 12th and 20th day, the share whose 80 % interval
  has the truth. *Error*: of the expected, as a share of the truth; *width*: of the interval.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from airflow_multicloud.core.cost.anomalies import find_anomalies
from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.forecast import forecast_costs
from airflow_multicloud.months import month_bounds
from tests.benchmarks.costs.shapes import SHAPES, Daily, Shape, days
from tests.unit.cost_questions.bill import Charge, Month, bill

_WEEKS = 4
_CUTS = (5, 12, 20)
_LEAST = 20  # a day that cost less is not worth a spike
_CLOUD = "aws"


@dataclass(frozen=True)
class Judged:
    """One shape's figures; ``None`` where there was nothing to count."""

    shape: str
    false_alarms: float
    recall: float | None
    recall_of_dearest: float | None
    held: float
    error: float
    width: float


@dataclass(frozen=True)
class _Planted:
    values: list[float]
    place: int
    dearest: bool


def judge(shape: Shape, seeds: Sequence[int]) -> Judged:
    """One shape's figures over so many series."""
    name = shape.__name__
    rngs = [random.Random(f"{name} {seed}") for seed in seeds]
    first = date(2026, 3, 1)
    at = days(first, WINDOW.days + 7 * _WEEKS)
    made = [shape(rng, at) for rng in rngs]
    since = WINDOW.days
    alarms = _alarms([one.values for one in made], at, since)
    false = sum(len(found - one.odd) for found, one in zip(alarms, made, strict=True))
    planted = [p for rng, one in zip(rngs, made, strict=True) if (p := _plant(rng, one, since))]
    hits = [
        one.place in found
        for one, found in zip(
            planted, _alarms([one.values for one in planted], at, since), strict=True
        )
    ]
    dearest = [hit for one, hit in zip(planted, hits, strict=True) if one.dearest]
    held, errors, widths = _forecasts(shape, seeds)
    return Judged(
        shape=name,
        false_alarms=100 * false / _WEEKS / len(made),
        recall=fmean(hits) if hits else None,
        recall_of_dearest=fmean(dearest) if dearest else None,
        held=fmean(held),
        error=fmean(errors),
        width=fmean(widths),
    )


def _plant(rng: random.Random, one: Daily, since: int) -> _Planted | None:
    candidates = [
        n for n in range(since, len(one.values)) if one.values[n] > _LEAST and n not in one.odd
    ]
    if not candidates:
        return None
    place, values = rng.choice(candidates), list(one.values)
    values[place] *= rng.uniform(3, 6)
    return _Planted(values, place, values[place] > 1.25 * max(one.values[:place]))


def _alarms(series: Sequence[Sequence[float]], at: Sequence[date], since: int) -> list[set[int]]:
    rows = [_charge(_CLOUD, day, 1, "other") for day in at]
    rows += [
        _charge(_CLOUD, day, value, f"service {n}")
        for n, values in enumerate(series)
        for day, value in zip(at, values, strict=True)
        if value
    ]
    with bill(rows) as connection:
        result = find_anomalies(connection, at[since], at[-1] + timedelta(days=1), currency="USD")
    found: list[set[int]] = [set() for _ in series]
    for one in result.found:
        for number in range((one.last_day - one.first_day).days + 1):
            place = (one.first_day - at[0]).days + number
            found[int(one.service_name.split()[1])].add(place)
    return found


def _forecasts(shape: Shape, seeds: Sequence[int]) -> tuple[list[bool], list[float], list[float]]:
    held, errors, widths = [], [], []
    for cut in _CUTS:
        # A few months, as they begin and end on other weekdays.
        for number in range(5, 11):
            start, end = month_bounds(date(2026, number, 1))
            at = days(start - WINDOW, WINDOW.days + (end - start).days)
            rows, truth = [], {}
            for seed in seeds[number % 6 :: 6]:
                made = shape(random.Random(f"{shape.__name__} {seed} {cut}"), at).values
                truth[f"cloud {seed}"] = sum(made[WINDOW.days :])
                begun = next((n for n, value in enumerate(made) if value), 0)
                rows += [
                    _charge(f"cloud {seed}", day, value)
                    for day, value in zip(at[begun : WINDOW.days + cut], made[begun:], strict=False)
                ]
            if not rows:
                continue
            exported = datetime.combine(start + timedelta(days=cut), time(4), UTC)
            months = [Month(c, start, exported) for c in truth]
            with bill(rows, months) as connection:
                result = forecast_costs(connection, start, end, currency="USD")
            for one in result.clouds:
                true = truth[one.cloud]
                half_cent = Decimal("0.01")
                held.append(one.lower - half_cent <= Decimal(true) <= one.upper + half_cent)
                if true:
                    errors.append(abs(float(one.expected) / true - 1))
                    widths.append(float(one.upper - one.lower) / true)
    return held, errors, widths


def _charge(cloud: str, day: date, value: float, service: str = "service") -> Charge:
    return Charge(cloud, day, f"{value:.4f}", service=service)


def main() -> None:
    """Judge every shape, print the table, write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        prog="python -m tests.benchmarks.costs.judge",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--series", type=int, default=100, help="of each kind (default: 100)")
    parser.add_argument("--first-seed", type=int, default=0, help="(default: 0)")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds with it in their names")
    parser.add_argument("--out", type=Path, default=Path(".bench/judged.json"))
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.series)
    found = [judge(shape, seeds) for shape in SHAPES if given.only in shape.__name__]
    table = Table("kind", "false alarms", "recall", "dearest", "held", "error", "width", box=None)
    for one in (*found, _all(found)):
        table.add_row(
            one.shape.replace("_", " "),
            f"{one.false_alarms:.1f}",
            _percent(one.recall),
            _percent(one.recall_of_dearest),
            *(_percent(value) for value in (one.held, one.error, one.width)),
        )
    Console().print(table)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")


def _all(found: Sequence[Judged]) -> Judged:
    return Judged(
        shape="all",
        false_alarms=fmean(one.false_alarms for one in found),
        recall=_mean(one.recall for one in found),
        recall_of_dearest=_mean(one.recall_of_dearest for one in found),
        held=fmean(one.held for one in found),
        error=fmean(one.error for one in found),
        width=fmean(one.width for one in found),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


if __name__ == "__main__":
    main()

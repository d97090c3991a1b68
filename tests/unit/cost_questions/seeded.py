"""Seeded daily costs: weekday seasons, noise, trends, month-start fees, and planted spikes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.unit.cost_questions.bill import Charge, days

CLOUDS = ("aws", "gcp", "azure")


@dataclass
class Seeded:
    """A bill and the days on which a spike was planted, as (cloud, account, service, day)."""

    charges: list[Charge] = field(default_factory=list)
    spikes: set[tuple[str, str, str, date]] = field(default_factory=set)
    series: int = 0


def seeded_bill(
    seed: int, first: date, number: int, *, series: int, judged: date, spiked: float
) -> Seeded:
    """Series of 30 to 3,000 a day, noise of 3 to 20 %; ``spiked`` is the share with a spike."""
    source = random.Random(seed)
    made = Seeded(series=series)
    calendar = days(first, number)
    for index in range(series):
        cloud, account, service = CLOUDS[index % 3], f"account-{index}", f"service-{index % 7}"
        base = 30 * 100 ** source.random()
        weekend = source.choice((1.0, 0.8, 0.5, 0.3))
        batch_day = source.choice((None, None, source.randrange(5)))
        noise = source.uniform(0.03, 0.20)
        trend = source.uniform(-0.10, 0.20) / 30
        fee = base * source.uniform(5, 20)
        spike = source.choice([d for d in calendar if d >= judged])
        factor = source.uniform(2, 6)
        has_spike = source.random() < spiked
        for place, day in enumerate(calendar):
            cost = base * (1 + trend) ** place * source.lognormvariate(0, noise)
            cost *= weekend if day.weekday() >= 5 else 1
            cost *= 1.6 if day.weekday() == batch_day else 1
            if has_spike and day == spike:
                cost *= factor
                made.spikes.add((cloud, account, service, day))
            made.charges.append(_charge(cloud, day, cost, service, account))
            if day.day == 1 and index % 4 == 0:
                made.charges.append(_charge(cloud, day, fee, service, account, "Purchase"))
            if day.day == 1 and index % 4 == 1:
                made.charges.append(_charge(cloud, day, fee, "Support", account))
    return made


def _charge(
    cloud: str, day: date, cost: float, service: str, account: str, category: str = "Usage"
) -> Charge:
    amount = Decimal(repr(cost)).quantize(Decimal("0.000001"))
    return Charge(cloud, day, amount, service=service, account=account, category=category)


def random_walk(source: random.Random, calendar: list[date], base: float) -> Iterator[float]:
    """Daily cost with weekends, correlated noise and a slowly wandering level."""
    level, shock = base, 0.0
    for day in calendar:
        level *= source.lognormvariate(0, 0.01)
        shock = 0.5 * shock + source.gauss(0, 0.06)
        yield level * (1 + shock) * (0.6 if day.weekday() >= 5 else 1)

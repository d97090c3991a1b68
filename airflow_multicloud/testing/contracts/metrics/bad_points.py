"""Points that no cloud takes, or that hold texts meant to do harm where they are shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    Temporality,
)
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRig

#: A text that would forge a line, and colour it.
HOSTILE = "x\n\x1b[31mforged"

#: What no cloud takes: what is wrong → such a point.
BAD: dict[str, Callable[[MetricsRig], MetricPoint]] = {
    "not a number": lambda rig: rig.point("bad", Gauge(math.nan)),
    "infinite": lambda rig: rig.point("bad", Gauge(math.inf)),
    "larger than any float": lambda rig: rig.point("bad", Gauge(10**400)),
    "an attribute larger than any float": lambda rig: rig.point(
        "bad", attributes={"digits": 10**5000}
    ),
    "empty name": lambda rig: rig.point(" "),
    "hostile name": lambda rig: rig.point(HOSTILE),
    "hostile attribute name": lambda rig: rig.point("bad", attributes={HOSTILE: "x"}),
    "hostile unit": lambda rig: rig.point("bad", unit=HOSTILE),
    "too many attributes": lambda rig: rig.point(
        "bad", attributes={f"a{number}": "x" for number in range(200)}
    ),
    "infinite sum": lambda rig: rig.point(
        "bad", Histogram(count=1, total=math.inf, temporality=Temporality.DELTA)
    ),
    "counts do not add up": lambda rig: rig.point(
        "bad",
        Histogram(count=3, bounds=(1.0,), counts=(1, 1), total=1.0, temporality=Temporality.DELTA),
        start=rig.now - timedelta(minutes=1),
    ),
    "a text for a value": lambda rig: rig.point("bad", Gauge("5")),  # type: ignore[arg-type]
    "a count that is no integer": lambda rig: rig.point(
        "bad",
        Histogram(count=1.5, total=1.0, temporality=Temporality.DELTA),  # type: ignore[arg-type]
    ),
    "more values than 64 bits count": lambda rig: rig.point(
        "bad", Histogram(count=10**400, total=1.0, temporality=Temporality.DELTA)
    ),
    "a bound beyond all floats": lambda rig: rig.point(
        "bad",
        Histogram(
            count=2, bounds=(10**400,), counts=(1, 1), total=1.0, temporality=Temporality.DELTA
        ),
    ),
    "a zero threshold that is no number": lambda rig: rig.point(
        "bad",
        ExponentialHistogram(
            count=1,
            scale=0,
            zero_count=1,
            zero_threshold=math.nan,
            total=0.0,
            temporality=Temporality.DELTA,
        ),
    ),
    "starts after its time": lambda rig: rig.point(
        "bad", Counter(1.0, Temporality.DELTA), start=rig.now + timedelta(minutes=1)
    ),
}

"""What a batch of points is known by in a later try of a task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from airflow_multicloud.ports.metrics import MetricPoint

#: Hexadecimal digits of a SHA-256: enough that no two batches have the same.
_DIGITS = 32


def digest_of(place: Sequence[str], points: Iterable[MetricPoint]) -> str:
    """The same for the same points in the same order at the same place, and for nothing else.

    :param place: connection, transport and namespace.
    """
    digest = hashlib.sha256(repr(tuple(place)).encode())
    for point in points:
        attributes = sorted(point.attributes.items())
        exact = (point.name, point.unit, point.data, point.time, point.start, attributes)
        # Two texts in a row have an unambiguous end: each is a Python literal.
        digest.update(repr(exact).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:_DIGITS]

"""Measurements of one process, added up until they are exported."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from airflow_multicloud.api.metrics.exports import export_metrics_to_cloud
from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.metrics.report import ExportReport
from airflow_multicloud.ports.accounting import is_final
from airflow_multicloud.ports.metrics import AttributeValue

Attributes = Mapping[str, AttributeValue]
Document = dict[str, Any]
_NONE: Attributes = MappingProxyType({})


class CloudMetricsAggregator:
    """Collect measurements, and export what they come to; safe for many threads.

    ::

        metrics = CloudMetricsAggregator(namespace="shop")
        metrics.count("shop.orders", 3, attributes={"country": "de"})
        metrics.record("shop.order.value", 12.5, unit="EUR")
        metrics.gauge("shop.queue", 3)
        metrics.export(["aws_default", "google_cloud_default"]).raise_if_failed()

    Counters and histograms are deltas: each export has what was counted since the one before.

    :param namespace: what the metrics are kept under at each cloud.
    :param bounds: of the histograms' buckets, ascending; without any, histograms are exported as
        count, sum, minimum and maximum.
    """

    def __init__(self, namespace: str, *, bounds: Sequence[float] = ()) -> None:
        self.namespace = namespace
        self._bounds = tuple(bounds)
        self._lock = threading.Lock()
        self._since = datetime.now(UTC)
        self._series: dict[Hashable, Document] = {}

    def gauge(
        self, name: str, value: float, *, unit: str = "", attributes: Attributes = _NONE
    ) -> None:
        """Say what something is now; the last value counts."""
        self._add("gauge", name, unit, attributes, {"value": value})

    def count(
        self, name: str, value: float = 1, *, unit: str = "", attributes: Attributes = _NONE
    ) -> None:
        """Add to a counter; a negative value makes it one that goes down, too."""
        self._add("counter", name, unit, attributes, {"value": value, "monotonic": value >= 0})

    def record(
        self, name: str, value: float, *, unit: str = "", attributes: Attributes = _NONE
    ) -> None:
        """Add a value to a histogram."""
        figures: Document = {"count": 1, "sum": value, "min": value, "max": value}
        if self._bounds:
            counts = [0] * (len(self._bounds) + 1)
            counts[bisect_left(self._bounds, value)] = 1
            figures |= {"bounds": list(self._bounds), "counts": counts}
        self._add("histogram", name, unit, attributes, figures)

    def documents(self) -> list[Document]:
        """What an export would send now, as ``metrics`` of an operator; nothing is taken out."""
        with self._lock:
            return _documents(self._series, self._since, datetime.now(UTC))

    def export(self, destinations: Sequence[str] | str, **options: Any) -> ExportReport:
        """Export what was collected since the last export.

        It is taken out, whatever becomes of it at each destination, unless nothing was sent
        anywhere and another export can help: then it stays for the next one.

        :param options: of :func:`~airflow_multicloud.api.metrics.exports.export_metrics_to_cloud`.
        :raises CloudError: as that function.
        """
        with self._lock:
            now = datetime.now(UTC)
            taken, since = self._series, self._since
            self._series, self._since = {}, now
        try:
            report = export_metrics_to_cloud(
                destinations,
                namespace=self.namespace,
                metrics=_documents(taken, since, now),
                **options,
            )
        except WorkCancelledError:  # Some of it may have been sent.
            raise
        except Exception:
            self._put_back(taken, since)
            raise
        if _stays(report):
            self._put_back(taken, since)
        return report

    def _add(
        self, kind: str, name: str, unit: str, attributes: Attributes, figures: Document
    ) -> None:
        # By type, too: to Python True, 1 and 1.0 are equal, and to a cloud they are three series.
        apart = ((of, type(value), value) for of, value in attributes.items())
        key = (kind, name, unit, frozenset(apart))
        with self._lock:
            if key in self._series:
                _merge(self._series[key], figures)
                return
            about = {"type": kind, "name": name, "unit": unit, "attributes": dict(attributes)}
            self._series[key] = about | figures

    def _put_back(self, taken: dict[Hashable, Document], since: datetime) -> None:
        with self._lock:
            newer, self._series, self._since = self._series, taken, since
            for key, document in newer.items():
                if key in taken:
                    _merge(taken[key], document)
                else:
                    taken[key] = document


def _stays(report: ExportReport) -> bool:
    """Whether nothing was sent, though not because all of it is wrong in itself."""
    refusals = [one for to in report.destinations for one in to.refusals]
    nothing_sent = all(to.dropped == to.points_in for to in report.destinations)
    return nothing_sent and any(not is_final(one.outcome, one.kind) for one in refusals)


def _merge(document: Document, newer: Document) -> None:
    """Add what was measured later to what was measured before."""
    kind = document["type"]
    if kind == "gauge":
        document["value"] = newer["value"]
    elif kind == "counter":
        document["value"] += newer["value"]
        document["monotonic"] = document["monotonic"] and newer["monotonic"]
    else:
        document["count"] += newer["count"]
        document["sum"] += newer["sum"]
        document["min"] = min(document["min"], newer["min"])
        document["max"] = max(document["max"], newer["max"])
        if "counts" in document:
            pairs = zip(document["counts"], newer["counts"], strict=True)
            document["counts"] = [before + after for before, after in pairs]


def _documents(
    series: Mapping[Hashable, Document], since: datetime, now: datetime
) -> list[Document]:
    starts = {"start": since}
    return [
        {**one, "time": now, **(starts if one["type"] != "gauge" else {})}
        for one in series.values()
    ]

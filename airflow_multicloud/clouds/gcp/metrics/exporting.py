"""Points are written, and each is accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from google.api_core import exceptions as api
from google.cloud.monitoring_v3 import CreateTimeSeriesRequest

from airflow_multicloud.adapters.batches import (
    Prepare,
    Prepared,
    check_items,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.gcp.metrics.client import REQUEST_S
from airflow_multicloud.clouds.gcp.metrics.confirming import DOING, Kept
from airflow_multicloud.clouds.gcp.metrics.converting import kept_as, prepared
from airflow_multicloud.clouds.gcp.metrics.errors import (
    Partial,
    is_about_order,
    partial_of,
    translated,
)
from airflow_multicloud.clouds.gcp.metrics.limits import BATCH, LIMITS
from airflow_multicloud.clouds.gcp.metrics.naming import check_namespace
from airflow_multicloud.clouds.gcp.metrics.reading import GCPReading
from airflow_multicloud.clouds.gcp.tries import Tries
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint

_DOING = "writing metrics"
#: What can be written, with a margin for how long it takes.
_OLDEST = timedelta(hours=26)
_NEWEST = timedelta(minutes=6)


class GCPExporting(GCPReading):
    """Exporting."""

    def describe_metric_limits(self) -> MetricLimits:
        """What it takes."""
        return LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported; see the port."""
        check_namespace(namespace)
        return check_items(_in_order(points), _preparing(namespace), name=name_of)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Write points, and account for each; see the port.

        :raises CredentialsError: when the connection is of no use, or no token is to be had (kind
            ``unavailable`` for an outage of who gives them). Nothing was sent then.
        """
        check_namespace(namespace)
        if points:
            # Before there is anything of which it could be unknown what became.
            _ = self._client, self._project
            with translated("asking for a token for Cloud Monitoring"):
                self._session.bearer.headers()
        return send_items(
            _in_order(points),
            _preparing(namespace),
            partial(self._write, kept=self._kept(points)),
            name=name_of,
            limits=BATCH,
            all_or_nothing=True,
        )

    def _kept(self, points: Sequence[MetricPoint]) -> Kept:
        """What is there in the time of these points, as far as it can be written."""
        now = datetime.now(UTC)
        earliest, latest = now - _OLDEST, now + _NEWEST
        times = [min(max(point.time, earliest), latest) for point in points]
        first, last = min(times, default=earliest), max(times, default=latest)
        return Kept(lambda metric_type: self._series(metric_type, first, last, doing=DOING))

    def _write(self, batch: Sequence[Prepared[Any]], kept: Kept) -> Sequence[Reason | None]:
        series = [record for item in batch for record in item.records]
        request = CreateTimeSeriesRequest.wrap(
            CreateTimeSeriesRequest.pb()(name=self._project, time_series=series)
        )
        write = partial(self._client.create_time_series, request, retry=None, timeout=REQUEST_S)
        tries = Tries(self._retry, lambda err: partial_of(err, len(series)) is not None)
        found = None
        with translated(_DOING):
            try:
                tries.send(write)
            except api.GoogleAPICallError as err:
                if (found := partial_of(err, len(series))) is None:
                    raise
        if tries.one_is_unknown:
            kept.ask_again()
        reasons = _reasons(series, found, kept, lost=tries.one_is_unknown)
        for one, reason in zip(series, reasons, strict=True):
            if reason is None:
                kept.note(one)
        return reasons


def _in_order(points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
    return sorted(points, key=lambda point: point.time)


def _preparing(namespace: str) -> Prepare[MetricPoint, Any]:
    """How the points of one call are prepared."""
    return each_series_apart(
        partial(prepared, namespace=namespace), partial(kept_as, namespace=namespace)
    )


def _reasons(
    series: Sequence[Any], found: Partial | None, kept: Kept, *, lost: bool
) -> list[Reason | None]:
    """Why each was not written, ``None`` where it was or is there already.

    :param found: ``None`` when all were written.
    :param lost: whether a try before may have been carried out.
    """
    reasons: list[Reason | None] = [None] * len(series)
    if found is None:
        return reasons
    for place, one in enumerate(series):
        text = found.reasons.get(place)
        if text is None and found.reasons:
            continue
        reason = rejected(found.kind, text or found.text, code=found.code)
        if text is not None and not is_about_order(text):
            reasons[place] = reason
            continue
        there = kept.has(one)
        if there is None and (lost or not found.reasons):
            reason = replace(reason, outcome=Outcome.UNKNOWN, kind=ErrorKind.UNAVAILABLE)
        reasons[place] = None if there else reason
    return reasons

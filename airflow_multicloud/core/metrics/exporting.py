"""Points exported to every destination at the same time, each point accounted for at each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from airflow_multicloud.adapters.series import SeriesSeen, shared_by_calls
from airflow_multicloud.adapters.tallies import Tally
from airflow_multicloud.core.deliveries import (
    Delivery,
    Destination,
    OnInvalid,
    Portion,
    Settled,
)
from airflow_multicloud.core.delivering import deliver_each, tell_of
from airflow_multicloud.core.metrics.checking import sound_destinations
from airflow_multicloud.core.metrics.collecting import Collected
from airflow_multicloud.core.metrics.destinations import Exporter, Transport
from airflow_multicloud.core.metrics.digests import digest_of
from airflow_multicloud.core.metrics.report import DestinationExport, ExportReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.metrics import MetricPoint, Repeats

#: Points of one batch where a repeat changes nothing: between two, a task can be stopped.
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How to export.

    :param ratios: connection → which share of the points must be accepted.
    """

    namespace: str
    transport: Transport = Transport.NATIVE
    on_invalid: OnInvalid = OnInvalid.FAIL
    ratios: Mapping[str, float]


def export(
    collected: Collected,
    destinations: Sequence[Destination[Exporter]],
    options: ExportOptions,
    settled: Settled | None = None,
) -> ExportReport:
    """Export to every destination; what one can't do costs no other.

    :param settled: what an earlier try of the task has settled and is not sent again; what this
        one settles is added at once.
    :raises MetricsError: ``invalid_argument`` when a point can't be exported and none must be left
        out; nothing was sent then.
    """
    if options.on_invalid is OnInvalid.FAIL:
        destinations = sound_destinations(collected, destinations, options.namespace)
    started = time.monotonic()
    points = tuple(sorted(collected.points, key=_order))
    apart = {one.conn_id: _Apart(points, options) for one in destinations}

    def portions_of(one: Destination[Exporter]) -> Iterator[Portion[MetricPoint]]:
        yield Portion((), collected.refusals)
        place = (one.conn_id, options.transport.value, options.namespace)
        for batch in _batches(points, one.hook):
            digest = "" if settled is None else digest_of(place, batch)
            yield Portion(batch, digest=digest)

    def send(to: Destination[Exporter], hook: Exporter, batch: Sequence[MetricPoint]) -> Accounting:
        with operation(
            "metrics.export.batch", cloud__provider=to.cloud, multicloud__conn_id=to.conn_id
        ) as span:
            account = apart[to.conn_id].export(hook, batch)
            tell_of(account, span, to.cloud)
            return account

    delivered = deliver_each(
        destinations,
        portions_of,
        send,
        ratios=options.ratios,
        settled=settled,
    )
    return ExportReport(
        namespace=options.namespace,
        transport=options.transport,
        points_in=collected.given,
        seconds=time.monotonic() - started,
        destinations=tuple(_told(one, collected) for one in delivered),
    )


@dataclass(slots=True)
class _Apart:
    """At one destination, the batches of an export: none has a series that is another's there.

    Each call of a hook knows of its own points only. So it is asked of all of them first, also of
    those that an earlier try has settled. Where a bad point fails the export, that was done.
    """

    points: Sequence[MetricPoint]
    options: ExportOptions
    seen: SeriesSeen | None = field(default=None, init=False)

    def export(self, hook: Exporter, batch: Sequence[MetricPoint]) -> Accounting:
        namespace = self.options.namespace
        if self.options.on_invalid is OnInvalid.FAIL or len(batch) == len(self.points):
            return hook.export_points(batch, namespace=namespace)
        if self.seen is None:
            seen = SeriesSeen()
            with shared_by_calls(seen):
                hook.check_points(self.points, namespace=namespace)
            self.seen = seen
        with shared_by_calls(self.seen):
            return hook.export_points(batch, namespace=namespace)


def _order(point: MetricPoint) -> tuple[datetime, str, str]:
    """By time, as clouds want it; and the same points in the same batches, however given."""
    return point.time, point.name, repr(sorted(point.series[1]))


def _batches(
    points: Sequence[MetricPoint], exporter: Exporter | None
) -> Iterator[Sequence[MetricPoint]]:
    """Where repeats count twice, a batch is no more than a request may have.

    A hook that makes several of it tells what is left (``Accounting.left``).
    """
    size = _BATCH
    if exporter is not None:
        limits = exporter.describe_metric_limits()
        size = limits.points_per_request if limits.repeats is Repeats.ADDED else _BATCH
    for begin in range(0, len(points), size):
        yield points[begin : begin + size]


def _told(one: Delivery, collected: Collected) -> DestinationExport:
    """The account, with what the points had lost when they were read."""
    tally = Tally()
    tally.add(one.accounting)
    tally.add(Accounting(given=0, accepted=0, conversions=collected.conversions))
    known = {about.name: getattr(one, about.name) for about in fields(one)}
    return DestinationExport(**{**known, "accounting": tally.accounting(one.given)})

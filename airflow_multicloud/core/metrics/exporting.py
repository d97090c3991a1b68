"""Points exported to every destination at the same time, each point accounted for at each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from airflow_multicloud.adapters.batches import dropped
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.tallies import Reason, Tally
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.metrics.checking import sound_destinations
from airflow_multicloud.core.metrics.collecting import Collected
from airflow_multicloud.core.metrics.destinations import (
    Destination,
    Exporter,
    OnInvalid,
    Transport,
)
from airflow_multicloud.core.metrics.report import DestinationExport, ExportReport
from airflow_multicloud.core.metrics.settled import Settled, digest_of
from airflow_multicloud.core.telemetry import failed, operation, submit_in_context
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint, Repeats

#: Points of one batch where a repeat changes nothing: between two, a task can be stopped.
_BATCH = 1000
#: What would be answered to every other batch, too.
_CONCERNS_ALL = frozenset(
    {ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How to export.

    :param ratios: connection → which share of the points must be accepted; all by default.
    """

    namespace: str
    transport: Transport = Transport.NATIVE
    on_invalid: OnInvalid = OnInvalid.FAIL
    ratios: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def export(
    collected: Collected,
    destinations: Sequence[Destination],
    options: ExportOptions,
    settled: Settled | None = None,
) -> ExportReport:
    """Export to every destination; what one can't do costs no other.

    :param settled: what need not be sent again; what is accepted now is added to it.
    :raises MetricsError: ``invalid_argument`` when a point can't be exported and none must be left
        out; nothing was sent then.
    """
    if options.on_invalid is OnInvalid.FAIL:
        destinations = sound_destinations(collected, destinations, options.namespace)
    started = time.monotonic()
    points = tuple(sorted(collected.points, key=lambda point: point.time))
    with cancellation.pool(len(destinations), "multicloud-metrics") as pool:
        futures = [
            submit_in_context(
                pool, _export_to, one, collected, points, options, settled or Settled()
            )
            for one in destinations
        ]
        cancellation.wait_for(futures)
        cancellation.check()
        found = tuple(future.result() for future in futures)
    return ExportReport(
        namespace=options.namespace,
        transport=options.transport,
        points_in=collected.given,
        seconds=time.monotonic() - started,
        destinations=found,
    )


def _export_to(
    destination: Destination,
    collected: Collected,
    points: Sequence[MetricPoint],
    options: ExportOptions,
    settled: Settled,
) -> DestinationExport:
    started = time.monotonic()
    sending = _Sending(destination, options, settled)
    with operation(
        "metrics.export.destination",
        cloud__provider=destination.cloud or "",
        multicloud__destination=destination.conn_id,
    ) as span:
        sending.all_of(collected, points)
        found = DestinationExport(
            conn_id=destination.conn_id,
            cloud=destination.cloud,
            account=sending.account,
            accepted_before=sending.accepted_before,
            min_success_ratio=options.ratios.get(destination.conn_id, 1.0),
            seconds=time.monotonic() - started,
            error_kind=None if sending.error is None else sending.error.kind,
            error=None if sending.error is None else str(sending.error),
        )
        for name in ("points_in", "accepted", "rejected", "unknown", "dropped"):
            span.set_attribute(f"multicloud.points.{name}", getattr(found, name))
        if sending.error is not None:
            failed(sending.error)
    return found


class _Sending:
    """The batches of one destination."""

    def __init__(self, destination: Destination, options: ExportOptions, settled: Settled) -> None:
        self._to = destination
        self._namespace = options.namespace
        self._place = (destination.conn_id, options.transport.value, options.namespace)
        self._settled = settled
        self._tally = Tally()
        self._given = 0
        self._outages = 0
        self.error = destination.error
        self.accepted_before = 0

    @property
    def account(self) -> Accounting:
        return self._tally.accounting(self._given)

    def all_of(self, collected: Collected, points: Sequence[MetricPoint]) -> None:
        self._given = collected.given
        self._tally.add(_account_of_reading(collected))
        ended: Reason | None = None
        exporter = self._to.exporter
        if self.error is not None or exporter is None:
            self._drop(points, self._unusable())
            return
        for batch in _batches(points, exporter.describe_metric_limits()):
            cancellation.check()
            if ended is None:
                ended = self._send(exporter, batch)
            else:
                self._drop(batch, ended)

    def _send(self, exporter: Exporter, batch: Sequence[MetricPoint]) -> Reason | None:
        """Send a batch that no earlier try has settled; returns why no other is to be sent."""
        digest = digest_of(self._place, batch)
        if (before := self._settled.found(digest)) is not None:
            self._tally.add(before)
            self.accepted_before += before.accepted
            return None
        try:
            account = exporter.export_points(batch, namespace=self._namespace)
        except CloudError as err:  # Before anything of the batch was sent.
            self.error = err
            self._drop(batch, self._unusable())
            return self._unusable()
        self._tally.add(account)
        self._settled.add(digest, account)
        return self._why_ended(account)

    def _why_ended(self, account: Accounting) -> Reason | None:
        out = False
        for one in account.refusals:
            given_up = one.outcome is Outcome.DROPPED and one.kind.is_outage
            out = out or (one.kind.is_outage and not account.accepted)
            if given_up or one.kind in _CONCERNS_ALL or (out and self._outages):
                why = f"not sent, because what was sent before failed: {one.reason}"
                return dropped(one.kind, why)
        self._outages = self._outages + 1 if out else 0
        return None

    def _unusable(self) -> Reason:
        kind = ErrorKind.INVALID_ARGUMENT if self.error is None else self.error.kind
        return dropped(kind, f"not sent, because the destination can't be used: {self.error}")

    def _drop(self, points: Sequence[MetricPoint], why: Reason) -> None:
        for point in points:
            self._tally.refuse(name_of(point), why)


def _account_of_reading(collected: Collected) -> Accounting:
    return Accounting(
        given=sum(one.count for one in collected.refusals),
        accepted=0,
        refusals=collected.refusals,
        conversions=collected.conversions,
    )


def _batches(
    points: Sequence[MetricPoint], limits: MetricLimits
) -> Iterator[Sequence[MetricPoint]]:
    """Where repeats count twice, a batch is a request: it is accepted as a whole, or not."""
    size = limits.points_per_request if limits.repeats is Repeats.ADDED else _BATCH
    for begin in range(0, len(points), size):
        yield points[begin : begin + size]

"""Points for CloudWatch (``PutMetricData``)."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepared,
    check_items,
    send_items,
)
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.aws.metrics.client import MetricsBase
from airflow_multicloud.clouds.aws.metrics.converting import Record, kept_as, prepared
from airflow_multicloud.clouds.aws.metrics.errors import translated
from airflow_multicloud.clouds.aws.metrics.limits import LIMITS
from airflow_multicloud.clouds.aws.metrics.naming import check_namespace
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint

# What a request is beside its records: the namespace (255 at most) and the members' names.
_REQUEST_BYTES = 400


class PointExport(MetricsBase):
    """The writing half of the port."""

    def describe_metric_limits(self) -> MetricLimits:
        """What CloudWatch takes."""
        return LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported; see the port."""
        check_namespace(namespace)
        return check_items(_in_order(points), each_series_apart(prepared, kept_as), name=name_of)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Send points, each of which costs itself; see the port.

        CloudWatch adds up what it is sent, so nothing whose answer was lost is sent again: it is
        accounted for as unknown.

        :raises MetricsError: kind ``invalid_argument`` for what is no namespace.
        """
        check_namespace(namespace)
        client = self._writer()

        def send(batch: Sequence[Prepared[Record]]) -> Sequence[Reason | None]:
            with translated("putting metric data"):
                client.put_metric_data(
                    Namespace=namespace,
                    MetricData=[record for one in batch for record in one.records],
                )
            return [None] * len(batch)

        return send_items(
            _in_order(points),
            # It would add the two up.
            each_series_apart(prepared, kept_as),
            send,
            name=name_of,
            limits=BatchLimits(
                records=LIMITS.points_per_request,
                size=(LIMITS.bytes_per_request or 0) - _REQUEST_BYTES,
            ),
            # For one bad record the whole request is refused (InvalidParameterValue).
            all_or_nothing=True,
        )


def _in_order(points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
    return sorted(points, key=lambda point: point.time)

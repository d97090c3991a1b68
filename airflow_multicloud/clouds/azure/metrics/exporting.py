"""Sending points to Azure Monitor, and accounting for each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepare,
    Prepared,
    Send,
    check_items,
    send_items,
)
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.azure.metrics import custom, limits
from airflow_multicloud.clouds.azure.metrics.answers import kept_nothing, outcomes
from airflow_multicloud.clouds.azure.metrics.client import MetricsBase, sending_client
from airflow_multicloud.clouds.azure.metrics.converting import Envelopes, kept_as
from airflow_multicloud.clouds.azure.metrics.errors import translated
from airflow_multicloud.clouds.azure.metrics.naming import check_namespace
from airflow_multicloud.clouds.azure.monitor import ResourceMetrics
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint

_TRACK = "/v2.1/track"
_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Destination:
    """Where points go.

    :param scope: of its tokens; ``None`` where none are sent.
    :param order: sorts points, so that few requests are made and a series keeps its order.
    :param prepare: for a namespace.
    :param kept_as: what tells a point's series from others there.
    """

    limits: MetricLimits
    batches: BatchLimits
    scope: str | None
    order: Callable[[MetricPoint], Any]
    prepare: Callable[[str], Prepare[MetricPoint, Any]]
    kept_as: Callable[[MetricPoint], Hashable]
    send: Send[Any]

    def preparing(self, namespace: str) -> Prepare[MetricPoint, Any]:
        """How the points of one call are prepared."""
        return each_series_apart(self.prepare(namespace), self.kept_as)


class MetricExport(MetricsBase):
    """The port's ``describe_metric_limits``, ``check_points`` and ``export_points``."""

    def describe_metric_limits(self) -> MetricLimits:
        """What Application Insights takes, or the resource that the connection names."""
        return limits.LIMITS if self._monitor.resource is None else custom.LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported; see the port.

        :raises MetricsError: kind ``invalid_argument`` for a namespace that can't be one.
        :raises CredentialsError: when the connection names no place for metrics.
        """
        check_namespace(namespace)
        destination = self._destination()
        return check_items(
            sorted(points, key=destination.order), destination.preparing(namespace), name=name_of
        )

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Send points, and account for each; see the port.

        Every point that arrives is added, so none is sent again of which that is not known to have
        failed: where an answer is lost, what became of a request's points is unknown.

        :raises CredentialsError: when the connection names no place for metrics, its credentials
            are refused, or no token could be asked for; nothing was sent then.
        :raises MetricsError: kind ``invalid_argument`` for a namespace that can't be one.
        """
        check_namespace(namespace)
        destination = self._destination()
        if points and destination.scope is not None:
            # Before there is anything of which it could be unknown what became.
            self._monitor.get_token(destination.scope)
        return send_items(
            sorted(points, key=destination.order),
            destination.preparing(namespace),
            destination.send,
            name=name_of,
            limits=destination.batches,
            # It is not told what a service did with the rest of a request that it refused.
            all_or_nothing=False,
        )

    def _destination(self) -> _Destination:
        resource = self._monitor.resource
        return self._insights() if resource is None else self._custom(resource)

    def _insights(self) -> _Destination:
        """Application Insights.

        Where the connection does not say who it is, the key in each envelope must do; a resource
        with local authentication switched off then refuses it.
        """
        monitor, insights = self._monitor, self._monitor.require_insights()
        scope = monitor.scope if monitor.signs else None

        def send(batch: Sequence[Prepared[bytes]]) -> Sequence[Reason | None]:
            client = self._azure.client(
                "application insights",
                lambda: sending_client(
                    monitor, insights.endpoint, scope=scope, is_refusal=kept_nothing
                ),
            )
            body = b"[%s]" % b",".join(record for item in batch for record in item.records)
            with translated("sending metrics to Application Insights"):
                request = HttpRequest("POST", client.format_url(_TRACK), content=body)
                return outcomes(client.send_request(request), len(batch))

        return _Destination(
            limits=limits.LIMITS,
            batches=limits.BATCHES,
            scope=scope,
            order=lambda point: point.time,
            prepare=lambda namespace: Envelopes(key=insights.key, namespace=namespace).prepared,
            kept_as=kept_as,
            send=send,
        )

    def _custom(self, resource: ResourceMetrics) -> _Destination:
        """The custom metrics of a resource, which takes all points of a request or none."""

        def send(batch: Sequence[Prepared[custom.Value]]) -> Sequence[Reason | None]:
            client = self._azure.client(
                "custom metrics",
                lambda: sending_client(self._monitor, resource.endpoint, scope=resource.scope),
            )
            body = custom.body_of([value for item in batch for value in item.records])
            doing = f"sending metrics of {resource.resource_id}"
            with translated(doing):
                url = client.format_url(f"{resource.resource_id}/metrics")
                answer = client.send_request(HttpRequest("POST", url, content=body))
                if answer.status_code not in _TAKEN:
                    raise HttpResponseError(response=answer)
            custom.check_answer(answer.content, doing)
            return [None] * len(batch)

        return _Destination(
            limits=custom.LIMITS,
            batches=custom.BATCHES,
            scope=resource.scope,
            order=custom.order,
            prepare=lambda namespace: lambda point: custom.prepared(point, namespace),
            kept_as=custom.kept_as,
            send=send,
        )

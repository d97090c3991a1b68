"""Sending points to Application Insights, and accounting for each."""

from __future__ import annotations

from collections.abc import Sequence

from azure.core.rest import HttpRequest

from airflow_multicloud.adapters.batches import Prepared, check_items, send_items
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.azure.metrics.answers import outcomes
from airflow_multicloud.clouds.azure.metrics.client import MetricsBase
from airflow_multicloud.clouds.azure.metrics.converting import Envelopes
from airflow_multicloud.clouds.azure.metrics.errors import translated
from airflow_multicloud.clouds.azure.metrics.limits import BATCHES, LIMITS
from airflow_multicloud.clouds.azure.metrics.naming import check_namespace
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import MetricLimits, MetricPoint

_TRACK = "/v2.1/track"


class MetricExport(MetricsBase):
    """The port's ``describe_metric_limits``, ``check_points`` and ``export_points``."""

    def describe_metric_limits(self) -> MetricLimits:
        """What Application Insights takes; nothing is asked of it."""
        return LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported; see the port.

        :raises MetricsError: kind ``invalid_argument`` for a namespace that can't be one.
        """
        check_namespace(namespace)
        return check_items(points, self._envelopes(namespace).prepared, name=name_of)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Send points, and account for each; see the port.

        Every item that arrives is added, so none is sent again of which that is not known to have
        failed: where an answer is lost, what became of a request's points is unknown.

        :raises CredentialsError: when the connection names no Application Insights, or its
            credentials are refused; nothing was sent then.
        :raises MetricsError: kind ``invalid_argument`` for a namespace that can't be one; another
            when no token could be asked for, and so nothing was sent.
        """
        check_namespace(namespace)
        if points:
            self._sign_in()
        return send_items(
            sorted(points, key=lambda point: point.time),
            self._envelopes(namespace).prepared,
            self._send,
            name=name_of,
            limits=BATCHES,
            all_or_nothing=False,
        )

    def _envelopes(self, namespace: str) -> Envelopes:
        return Envelopes(key=self._monitor.require_insights().key, namespace=namespace)

    def _sign_in(self) -> None:
        """Get the first token before there is anything of which it could be unknown what became."""
        if self._monitor.signs:
            with translated("asking for a token for Azure Monitor"):
                self._monitor.require_credential().get_token(self._monitor.scope)

    def _send(self, batch: Sequence[Prepared[bytes]]) -> Sequence[Reason | None]:
        body = b"[%s]" % b",".join(record for item in batch for record in item.records)
        with translated("sending metrics to Application Insights"):
            client = self._ingestion()
            request = HttpRequest("POST", client.format_url(_TRACK), content=body)
            answer = client.send_request(request)
            return outcomes(answer, len(batch))

"""Export metrics to the clouds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.metrics.collecting import RESOURCE_ATTRIBUTES
from airflow_multicloud.core.metrics.origin import origin_of
from airflow_multicloud.core.metrics.report import ExportReport
from airflow_multicloud.labels import current_work
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.opening.metrics import ExportRequest, MetricsInput, export_metrics
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.operators.run_ids import started_at
from airflow_multicloud.operators.settled import remember_settled, settled_before

if TYPE_CHECKING:
    from airflow.sdk import Context

_SETTLED = "multicloud metrics settled"


class ExportMetricsOperator(CloudOperator):
    """Export metrics to one or more clouds, and account for each point at each of them.

    Give one of ``metrics``, ``metrics_data``, ``otlp_json`` and ``prometheus_text``. Every point
    gets the attributes ``airflow.dag_id``, ``airflow.task_id`` and, in a mapped task,
    ``airflow.map_index``, unless it has one of that name: so series of other tasks never merge.
    A point without a time is of the start of the DAG run, in every try. XCom has the account as
    ``metrics_report`` also when the task fails.

    A retry sends only batches of which an earlier try knew too little or had too little accepted
    (with Airflow 3.3 or later; before, it sends everything again).

    :param destinations: connection ids.
    :param namespace: what the metrics are kept under at each cloud.
    :param metrics: documents with ``name``, ``value``, ``type``, ``unit``, ``attributes``,
        ``time`` …; see :func:`~airflow_multicloud.core.metrics.given.read_given`.
    :param metrics_data: a function without parameters that returns ``MetricsData`` of
        OpenTelemetry's SDK (or that itself).
    :param otlp_json: path or URI of a file of OTLP's JSON.
    :param prometheus_text: path or URI of a file of Prometheus' text format, or of OpenMetrics.
    :param resource_attributes: which attributes of OpenTelemetry's resources each point keeps.
    :param on_invalid: what is done when a point can't be exported to a destination: ``fail``,
        before anything is sent anywhere, or ``drop`` it there, and count it.
    :param min_success_ratio: the share of the points that each destination must accept, from 0 to
        1; or connection id → share.
    :param transport: ``native``, by the cloud's own API, or ``otlp``.
    """

    template_fields: Sequence[str] = (
        "destinations",
        "namespace",
        "metrics",
        "otlp_json",
        "prometheus_text",
        "on_invalid",
        "min_success_ratio",
        "transport",
    )
    report_key: ClassVar[str | None] = "metrics_report"
    operator_extra_links = REPORT_LINKS

    def __init__(
        self,
        *,
        destinations: Sequence[str] | str,
        namespace: str,
        metrics: Sequence[Mapping[str, Any]] | str | None = None,
        metrics_data: Callable[[], Any] | Any = None,
        otlp_json: str | None = None,
        prometheus_text: str | None = None,
        resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES,
        on_invalid: str = "fail",
        min_success_ratio: float | Mapping[str, float] | str = 1.0,
        transport: str = "native",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.destinations = destinations
        self.namespace = namespace
        self.metrics = metrics
        self.metrics_data = metrics_data
        self.otlp_json = otlp_json
        self.prometheus_text = prometheus_text
        self.resource_attributes = resource_attributes
        self.on_invalid = on_invalid
        self.min_success_ratio = min_success_ratio
        self.transport = transport

    def perform(self, context: Context) -> Outcome:
        """Export, and tell what became of every point."""
        given = MetricsInput(
            metrics=self.metrics,
            metrics_data=self.metrics_data,
            otlp_json=self.otlp_json,
            prometheus_text=self.prometheus_text,
            resource_attributes=self.resource_attributes,
        )
        request = ExportRequest(
            destinations=self.destinations,
            namespace=self.namespace,
            on_invalid=self.on_invalid,
            min_success_ratio=self.min_success_ratio,
            transport=self.transport,
        )
        origin = origin_of(current_work(), started_at(context))
        settled = settled_before(self, context, _SETTLED)
        try:
            report = export_metrics(given, request, origin, settled=settled)
        finally:
            remember_settled(context, _SETTLED, settled)
        self._tell(report)
        return Outcome(report.as_dict(), failure_of(report.raise_if_failed))

    def _tell(self, report: ExportReport) -> None:
        if not report.points_in:
            self.log.warning("there were no points to export")
        for one in report.destinations:
            self.log.info("%s", one)
            for refusal in one.refusals:
                self.log.warning(
                    "%s: %s %s (%s): %s: %s",
                    *(one.conn_id, refusal.count, refusal.outcome, refusal.kind, refusal.reason),
                    ", ".join(refusal.samples),
                )
            for change in one.conversions:
                self.log.info(
                    "%s: %s points: %s: %s", one.conn_id, change.count, change.what, change.detail
                )

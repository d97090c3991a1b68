"""Destinations of metrics, opened from connections, and points, read from wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_multicloud import registry
from airflow_multicloud.choices import choice
from airflow_multicloud.core.deliveries import Destination, OnInvalid, Settled
from airflow_multicloud.core.metrics.checking import CheckReport, check
from airflow_multicloud.core.metrics.collecting import (
    RESOURCE_ATTRIBUTES,
    Collected,
    Collector,
    refused,
)
from airflow_multicloud.core.metrics.destinations import Exporter, Transport
from airflow_multicloud.core.metrics.exporting import ExportOptions, export
from airflow_multicloud.core.metrics.given import read_given
from airflow_multicloud.core.metrics.origin import Origin
from airflow_multicloud.core.metrics.otlp import OtlpExporter
from airflow_multicloud.core.metrics.otlp_json import read_otlp_json
from airflow_multicloud.core.metrics.prometheus import read_prometheus
from airflow_multicloud.core.metrics.report import ExportReport
from airflow_multicloud.core.metrics.sdk_data import read_sdk_data
from airflow_multicloud.core.success import check_ratios
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import (
    CloudError,
    ErrorKind,
    MetricsError,
    ProviderNotAvailableError,
)
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.deliveries import check_conn_ids, open_destination
from airflow_multicloud.opening.places import read_place
from airflow_multicloud.ports.metrics import MetricQuery, MetricReading, Metrics, OtlpMetrics

#: Reading a file takes twenty to thirty times its size of memory.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsInput:
    """What is to be exported, in one of four forms.

    :param metrics: documents, as :func:`~airflow_multicloud.core.metrics.given.read_given` has
        them.
    :param metrics_data: ``MetricsData`` of OpenTelemetry's SDK, or a function that returns it.
    :param otlp_json: path or URI of a file of OTLP's JSON: one document, or one on each line.
    :param prometheus_text: path or URI of a file of Prometheus' text format, or of OpenMetrics.
    :param resource_attributes: which attributes of OpenTelemetry's resources points keep.
    """

    metrics: object = None
    metrics_data: object = None
    otlp_json: str | Path | None = None
    prometheus_text: str | Path | None = None
    resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES

    def __post_init__(self) -> None:
        names = ("metrics", "metrics_data", "otlp_json", "prometheus_text")
        given = [name for name in names if getattr(self, name) not in (None, "")]
        if len(given) != 1:
            raise refused(
                f"{', '.join(names)}: {' and '.join(given) or 'none'} given, expected one of them"
            )


def collect(given: MetricsInput, origin: Origin) -> Collected:
    """Read the points.

    :param origin: whose they are.
    :raises CloudError: when the input as a whole can't be read.
    """
    collector = Collector(origin.time, origin.attributes)
    keep = texts(given.resource_attributes, "resource_attributes", what="names", error=MetricsError)
    if given.otlp_json not in (None, ""):
        content = read_input("otlp_json", given.otlp_json)
        return read_otlp_json(
            content, collector, name=str(given.otlp_json), resource_attributes=keep
        )
    if given.prometheus_text not in (None, ""):
        content = read_input("prometheus_text", given.prometheus_text)
        return read_prometheus(content, collector, name=str(given.prometheus_text))
    if given.metrics_data is not None:
        return read_sdk_data(given.metrics_data, collector, resource_attributes=keep)
    return read_given(given.metrics, collector)


def read_input(parameter: str, where: str | Path | None) -> bytes:
    """The content of a file, or of an object in any cloud's store.

    :param parameter: what ``where`` was given for, for errors.
    :raises CloudError: when it can't be read, or has more than 64 MiB.
    """
    with operation("metrics.read_input"):
        return read_place(parameter, where or "", _MAX_BYTES, error=MetricsError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Where points go, and how: as people give it.

    :param destinations: connection ids.
    :param min_success_ratio: which share of the points a destination must accept, for all of them
        or for each by its connection id; 1 by default.
    """

    destinations: object
    namespace: str
    on_invalid: str = OnInvalid.FAIL
    min_success_ratio: object = 1.0
    transport: str = Transport.NATIVE

    def options(self) -> ExportOptions:
        """What was given, checked; the ratios are by destination.

        :raises MetricsError: ``invalid_argument``.
        """
        if not isinstance(self.namespace, str) or not self.namespace.strip():
            raise refused("namespace: nothing given, expected a name")
        return ExportOptions(
            namespace=self.namespace,
            on_invalid=choice("on_invalid", self.on_invalid, OnInvalid, error=MetricsError),
            transport=choice("transport", self.transport, Transport, error=MetricsError),
            ratios=check_ratios(
                self.min_success_ratio,
                check_conn_ids(self.destinations, "destinations", error=MetricsError),
                error=MetricsError,
            ),
        )


def open_destinations(
    conn_ids: Sequence[str], transport: Transport
) -> tuple[Destination[Exporter], ...]:
    """Open them; one that can't be used costs no other."""
    return tuple(_opened(conn_id, transport) for conn_id in conn_ids)


def _opened(conn_id: str, transport: Transport) -> Destination[Exporter]:
    found = open_destination(Metrics, conn_id)
    hook: Exporter | None = found.hook
    error = found.error
    if found.hook is not None and transport is Transport.OTLP:
        try:
            hook = _otlp(conn_id, found.cloud, found.hook)
        except CloudError as err:
            hook, error = None, err
    return Destination(conn_id=conn_id, cloud=found.cloud, hook=hook, error=error)


def _otlp(conn_id: str, cloud: str, hook: Metrics) -> Exporter:
    if not isinstance(hook, OtlpMetrics):
        raise ProviderNotAvailableError(
            f"transport: connection {conn_id!r}: {cloud} takes no metrics by OTLP; expected native",
            kind=ErrorKind.UNSUPPORTED,
            cloud=cloud,
        )
    return OtlpExporter(cloud, hook.otlp_metrics_target())


@registry.session()
def export_metrics(
    given: MetricsInput,
    request: ExportRequest,
    origin: Origin,
    *,
    settled: Settled | None = None,
) -> ExportReport:
    """Read points and export them to every destination.

    :param settled: as for :func:`~airflow_multicloud.core.metrics.exporting.export`.
    :raises CloudError: when the input can't be read, or a parameter is wrong.
    """
    options = request.options()
    conn_ids = tuple(options.ratios)
    with operation("metrics.export", multicloud__destinations=len(conn_ids)):
        collected = collect(given, origin)
        destinations = open_destinations(conn_ids, options.transport)
        return export(collected, destinations, options, settled)


@registry.session()
def check_metrics(given: MetricsInput, request: ExportRequest, origin: Origin) -> CheckReport:
    """Read points and say which of them can be exported where; nothing is sent.

    :raises CloudError: as :func:`export_metrics`.
    """
    options = request.options()
    conn_ids = tuple(options.ratios)
    with operation("metrics.check", multicloud__destinations=len(conn_ids)):
        collected = collect(given, origin)
        destinations = open_destinations(conn_ids, options.transport)
        return CheckReport(
            namespace=options.namespace,
            transport=options.transport,
            points_in=collected.given,
            destinations=check(collected, destinations, options.namespace),
        )


@registry.session()
def read_metric(conn_id: str, query: MetricQuery) -> MetricReading:
    """A metric's points, as its cloud has them.

    :raises CloudError: when it can't be asked.
    """
    with operation("metrics.read", cloud__provider=registry.cloud_of(conn_id).name):
        return registry.resolve(Metrics, conn_id).read_points(query)

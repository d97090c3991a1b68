"""Points sent by OTLP: OpenTelemetry's own exporter, with the connection's credentials.

That exporter says "success" of whatever was answered with success: which points were refused is in
the answer (``partial_success``), which it does not read. So the answers are read here.
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepared,
    check_items,
    dropped,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.core.metrics.otlp_encoding import sdk_data
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.extras import require_extra
from airflow_multicloud.ports.accounting import Accounting, ConversionKind, Outcome, Refusal
from airflow_multicloud.ports.metrics import (
    ExponentialHistogram,
    Gauge,
    MetricLimits,
    MetricPoint,
    OtlpTarget,
    Repeats,
    attribute_text,
)
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: What an endpoint does with points is not asked here: only what no endpoint can hold is refused.
#: The figures bound a request; the specification has no limits.
_LIMITS = MetricLimits(
    points_per_request=1000,
    bytes_per_request=1 << 20,
    most_attributes=100,
    longest_name=1000,
    longest_attribute_name=1000,
    longest_attribute_value=1 << 15,
    repeats=Repeats.ADDED,
)
#: Bytes of a point beside its texts and counts, at most.
_FIXED = 200
_BYTES_OF_COUNT = 9
_TIMEOUT_SECONDS = 30
_SERVICE = "airflow-multicloud"

_KINDS = {
    400: ErrorKind.INVALID_ARGUMENT,
    401: ErrorKind.UNAUTHENTICATED,
    403: ErrorKind.PERMISSION_DENIED,
    404: ErrorKind.NOT_FOUND,
    413: ErrorKind.INVALID_ARGUMENT,
    429: ErrorKind.THROTTLED,
}
_SERVER_ERROR = 500
#: By the specification nothing was carried out, and the exporter tries again.
_NOT_CARRIED_OUT = (429, 503)
_ACCEPTED = range(200, 300)


class OtlpExporter:
    """What a destination is when its OTLP endpoint is used.

    :param cloud: whose it is.
    :param target: the endpoint.
    :raises ProviderNotAvailableError: when OpenTelemetry's exporter is not installed.
    """

    def __init__(self, cloud: str, target: OtlpTarget) -> None:
        require_extra("opentelemetry.exporter.otlp.proto.http", "metrics")
        self._cloud = cloud
        self._target = target

    def describe_metric_limits(self) -> MetricLimits:
        """What is sent in one request."""
        return _LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be sent."""
        self._check_namespace(namespace)
        return check_items(points, _prepare, name=name_of)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Send points, and account for each.

        :param namespace: that of the resource (``service.namespace``), which is part of what tells
            its series from others.
        """
        self._check_namespace(namespace)
        from airflow_multicloud.core.metrics.otlp_session import Answers, EndedError, exporter_of

        answers = Answers()
        exporter = exporter_of(self._target, answers, timeout=_TIMEOUT_SECONDS)
        resource = {
            "service.namespace": namespace,
            "service.name": _SERVICE,
            **self._target.resource,
        }

        def send(batch: Sequence[Prepared[MetricPoint]]) -> Sequence[Reason | None]:
            answers.begin()
            data = sdk_data([one for item in batch for one in item.records], resource)
            with suppress(EndedError):  # Older exporters let it through.
                exporter.export(data)
            return self._reasons(answers, len(batch))

        try:
            return send_items(
                sorted(points, key=lambda point: point.time),
                _prepare,
                send,
                name=name_of,
                limits=BatchLimits(
                    records=_LIMITS.points_per_request, size=_LIMITS.bytes_per_request
                ),
                all_or_nothing=True,
            )
        finally:
            exporter.shutdown()

    def _reasons(self, answers: Any, count: int) -> Sequence[Reason | None]:
        """What an answer means for each point of its request.

        :raises MetricsError: for what concerns the whole request.
        """
        if not answers.tried:
            why = "it can't be written as OTLP"
            if count > 1:  # It is sent again in halves, until the bad one is alone.
                raise self._error(why, ErrorKind.INVALID_ARGUMENT)
            return [dropped(ErrorKind.INVALID_ARGUMENT, why)]
        if answers.not_sent:
            why = f"not sent: the OTLP endpoint can't be reached: {answers.not_sent}"
            return [dropped(ErrorKind.UNAVAILABLE, why)] * count
        if answers.status is None:
            raise self._error(f"no answer came ({answers.lost})", ErrorKind.UNAVAILABLE)
        status, code = answers.status, f"HTTP {answers.status}"
        if status in _ACCEPTED:
            return self._partial(answers.body, count)
        said = f"the OTLP endpoint answered {code}"
        if status in _NOT_CARRIED_OUT:
            kind = _KINDS.get(status, ErrorKind.UNAVAILABLE)
            return [rejected(kind, said, code=code)] * count
        if status >= _SERVER_ERROR:
            raise self._error(said, ErrorKind.UNAVAILABLE, code)
        raise self._error(said, _KINDS.get(status, ErrorKind.UNSUPPORTED), code)

    def _partial(self, body: bytes, count: int) -> Sequence[Reason | None]:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceResponse,
        )

        answer = ExportMetricsServiceResponse()
        try:
            answer.ParseFromString(body)
        except Exception as err:  # protobuf's, which is not imported in core
            raise self._error(
                "the OTLP endpoint answered with success, and what can't be read",
                ErrorKind.INTEGRITY,
            ) from err
        refused = min(max(answer.partial_success.rejected_data_points, 0), count)
        said = answer.partial_success.error_message
        if said and not refused:
            _log.warning("OTLP endpoint of %s: %s", self._cloud, printable(said))
        reason = Reason(
            outcome=Outcome.REJECTED,
            kind=ErrorKind.INVALID_ARGUMENT,
            reason=f"refused by the OTLP endpoint, which does not say which: {said or 'no reason'}",
            named=False,
        )
        return [*[reason] * refused, *[None] * (count - refused)]

    def _error(self, message: str, kind: ErrorKind, code: str | None = None) -> MetricsError:
        return MetricsError(message, kind=kind, cloud=self._cloud, code=code)

    def _check_namespace(self, namespace: str) -> None:
        if not namespace.strip():
            raise self._error(
                "namespace: an empty one given, expected a name", ErrorKind.INVALID_ARGUMENT
            )


def _prepare(point: MetricPoint) -> Prepared[MetricPoint] | Reason:
    if (reason := why_not_exportable(point, _LIMITS)) is not None:
        return reason
    texts = [point.name, point.description, *point.attributes]
    texts += map(attribute_text, point.attributes.values())
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError:
        return dropped(ErrorKind.INVALID_ARGUMENT, "a text is not sound Unicode")
    if size > _LIMITS.longest_attribute_value:
        return dropped(
            ErrorKind.INVALID_ARGUMENT, f"its texts have more than {1 << 15} bytes in all"
        )
    return Prepared(
        name=name_of(point),
        records=(point,),
        size=size + _FIXED + len(texts) * _BYTES_OF_COUNT + _size_of_counts(point),
        changes=_changes(point),
    )


def _size_of_counts(point: MetricPoint) -> int:
    data = point.data
    if isinstance(data, ExponentialHistogram):
        counts = len(data.positive.counts) + len(data.negative.counts)
    else:
        counts = 2 * len(getattr(data, "counts", ()))
    return counts * (_BYTES_OF_COUNT + 1)


def _changes(point: MetricPoint) -> tuple[Change, ...]:
    data = point.data
    if isinstance(data, ExponentialHistogram) and data.zero_threshold:
        return (
            Change(
                ConversionKind.VALUES_APPROXIMATED,
                "the zero threshold of an exponential histogram is not sent",
            ),
        )
    if not isinstance(data, Gauge) and point.start is None:
        return (Change(ConversionKind.START_LOST, "it has no start, so none is sent"),)
    return ()

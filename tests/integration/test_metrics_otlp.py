"""Points by OTLP, to a server that answers what a test says."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socketserver import StreamRequestHandler, TCPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud.core.metrics import otlp
from airflow_multicloud.core.metrics.otlp import OtlpExporter
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, ConversionKind, Outcome
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    MetricPoint,
    OtlpTarget,
    Temporality,
)

from .answering import Answer, Answering, Asked, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

NOW = datetime.now(UTC)
#: Waiting is not what is tested.
AT_ONCE = {"Retry-After": "0"}
LOST = Answer(b"", length=1000)


@dataclass
class Sink:
    """Answers one after the other; success when there are no more."""

    answers: list[Answer] = field(default_factory=list)
    at: Answering | None = None

    def answer(self, _: Asked) -> Answer:
        return self.answers.pop(0) if self.answers else Answer()

    @property
    def asked(self) -> list[Asked]:
        assert self.at is not None
        return self.at.asked

    @property
    def requests(self) -> list[ExportMetricsServiceRequest]:
        return [ExportMetricsServiceRequest.FromString(one.body) for one in self.asked]

    def target(self, headers: Callable[[bytes], Mapping[str, str]] | None = None) -> OtlpTarget:
        assert self.at is not None
        return OtlpTarget(
            url=f"{self.at.url}/v1/metrics",
            headers_for=headers or (lambda body: {"Authorization": f"signed {len(body)}"}),
            resource={"cloud.region": "here"},
        )


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    with answering(made.answer) as made.at:
        yield made


def gauges(count: int, **about: Any) -> list[MetricPoint]:
    return [
        MetricPoint(name="m", data=Gauge(n), time=NOW, attributes={"n": n}, **about)
        for n in range(count)
    ]


def send(sink: Sink, *points: MetricPoint, target: OtlpTarget | None = None) -> Accounting:
    exporter = OtlpExporter("memory", target or sink.target())
    return exporter.export_points(points, namespace="shop")


def partial(rejected: int, message: str = "") -> Answer:
    told = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    answer = ExportMetricsServiceResponse(partial_success=told)
    return Answer(answer.SerializeToString())


def test_points_are_sent_with_the_connections_credentials_only(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set for a collector goes to no cloud."""
    for name, value in {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x-token=secret",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such/file",
    }.items():
        monkeypatch.setenv(name, value)
    account = send(sink, *gauges(3))
    assert (account.accepted, account.requests) == (3, 1)
    (asked,) = sink.asked
    assert (asked.method, asked.path) == ("POST", "/v1/metrics")
    assert asked.headers["authorization"] == f"signed {len(asked.body)}"
    assert asked.headers["content-type"] == "application/x-protobuf"
    assert "secret" not in str(asked.headers)
    assert "content-encoding" not in asked.headers
    (resource,) = sink.requests[0].resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes == {
        "service.namespace": "shop",
        "service.name": "airflow-multicloud",
        "cloud.region": "here",
    }
    (metric,) = resource.scope_metrics[0].metrics
    assert [point.as_int for point in metric.gauge.data_points] == [0, 1, 2]


def test_points_of_many_requests(sink: Sink) -> None:
    account = send(sink, *gauges(2500))
    assert (account.accepted, account.requests) == (2500, 3)


def test_large_points_share_no_request(sink: Sink) -> None:
    account = send(sink, *gauges(100, description="x" * 30_000))
    assert account.accepted == 100
    assert account.requests > 2
    assert max(len(one.body) for one in sink.asked) <= 1 << 20


def test_what_the_answer_says_was_refused(sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    """The exporter alone would say that all were accepted."""
    sink.answers = [partial(2, "too\nold"), partial(0, "careful\x1b"), partial(9**9)]
    account = send(sink, *gauges(2300))
    assert (account.accepted, account.rejected) == (1998, 302)
    told = {one.reason: one for one in account.refusals}
    why = "refused by the OTLP endpoint, which does not say which: "
    assert told.keys() == {f"{why}too\\nold", f"{why}no reason"}
    assert told[f"{why}too\\nold"].count == 2
    assert all(one.samples == () for one in account.refusals)
    assert "careful\\x1b" in caplog.text


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_that_carried_nothing_out_is_tried_again(sink: Sink, status: int) -> None:
    sink.answers = [Answer(b"", status, AT_ONCE)]
    account = send(sink, *gauges(2))
    assert account.accepted == 2
    assert len(sink.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(429, ErrorKind.THROTTLED), (503, ErrorKind.UNAVAILABLE)]
)
def test_one_that_goes_on_is_a_refusal(sink: Sink, status: int, kind: ErrorKind) -> None:
    sink.answers = [Answer(b"", status, AT_ONCE)] * 10
    account = send(sink, *gauges(2))
    assert account.rejected == 2
    assert account.refusals[0].kind is kind
    assert account.refusals[0].code == f"HTTP {status}"


@pytest.mark.parametrize("answer", [LOST, Answer(b"", 502), Answer(b"", 504), Answer(b"", 500)])
def test_what_may_have_been_carried_out_is_never_sent_again(sink: Sink, answer: Answer) -> None:
    sink.answers = [answer]
    account = send(sink, *gauges(2))
    assert account.unknown == 2
    assert len(sink.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.UNAUTHENTICATED),
        (403, ErrorKind.PERMISSION_DENIED),
        (404, ErrorKind.NOT_FOUND),
        (302, ErrorKind.UNSUPPORTED),
    ],
)
def test_what_is_refused_as_a_whole(sink: Sink, status: int, kind: ErrorKind) -> None:
    sink.answers = [Answer(b"", status, {"Location": "http://127.0.0.1:1/"})] * 2
    account = send(sink, *gauges(1500))
    assert account.accepted == 0 if kind is not ErrorKind.UNSUPPORTED else 500
    assert {one.kind for one in account.refusals} == {kind}


def test_a_request_that_is_refused_for_one_bad_point(sink: Sink) -> None:
    def answer(asked: Asked) -> Answer:
        request = ExportMetricsServiceRequest.FromString(asked.body)
        points = request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
        return Answer(b"", 400 if any(one.as_int == 5 for one in points) else 200)

    with answering(answer) as sink.at:
        account = send(sink, *gauges(8))
    assert (account.accepted, account.rejected) == (7, 1)
    assert account.refusals[0].samples == ("m{n=5}",)


def test_an_answer_that_can_not_be_read(sink: Sink) -> None:
    sink.answers = [Answer(b"<html>")]
    account = send(sink, *gauges(2))
    assert account.unknown == 2
    assert account.refusals[0].kind is ErrorKind.INTEGRITY


@contextmanager
def raw(parts: Iterable[bytes]) -> Iterator[OtlpTarget]:
    """A server that sends these bytes after each request's, for as long as somebody listens."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while (line := self.rfile.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.rfile.read(length)
            with suppress(OSError):
                for part in parts:
                    self.wfile.write(part)

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}/v1/metrics"
            yield OtlpTarget(url=url, headers_for=lambda _: {}, resource={})
        finally:
            server.shutdown()
            thread.join()


def dripping() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    for _ in range(500):
        time.sleep(0.02)
        yield b"x"


BOMB = gzip.compress(b"\0" * (8 << 20))
LONG = b"\0" * ((1 << 20) + 1)


@pytest.mark.parametrize(("headers", "body"), [(b"Content-Encoding: gzip\r\n", BOMB), (b"", LONG)])
def test_an_answer_that_is_too_long_is_not_read(headers: bytes, body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (headers, len(body))
    with raw([answer, body]) as target:
        account = OtlpExporter("memory", target).export_points(gauges(2), namespace="shop")
    assert account.unknown == 2
    assert "the answer is too long" in account.refusals[0].reason


def test_an_answer_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "_TIMEOUT_SECONDS", 0.3)
    started = time.monotonic()
    with raw(dripping()) as target:
        account = OtlpExporter("memory", target).export_points(gauges(2), namespace="shop")
    assert account.unknown == 2
    assert "did not end in time" in account.refusals[0].reason
    assert time.monotonic() - started < 5


def test_nothing_of_an_answer_is_logged_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """OpenTelemetry's exporter logs the reason of a status."""
    answer = b"HTTP/1.1 401 \x1b[2J\x1b]0;x\x07\r\nContent-Length: 0\r\n\r\n"
    with raw([answer]) as target:
        account = OtlpExporter("memory", target).export_points(gauges(2), namespace="shop")
    assert account.rejected == 2
    assert "\\x1b[2J" in caplog.text
    assert "\x1b" not in caplog.text


def test_nobody_listens(sink: Sink) -> None:
    target = OtlpTarget(url="http://127.0.0.1:1/v1/metrics", headers_for=lambda _: {}, resource={})
    account = send(sink, *gauges(2), target=target)
    assert account.dropped == 2
    assert account.refusals[0].kind is ErrorKind.UNAVAILABLE
    assert "ConnectionError" in account.refusals[0].reason


def test_credentials_that_are_not_to_be_had(sink: Sink) -> None:
    def none(_body: bytes) -> Mapping[str, str]:
        raise CredentialsError("the token has expired", kind=ErrorKind.UNAUTHENTICATED)

    account = send(sink, *gauges(2), target=sink.target(none))
    assert account.dropped == 2
    assert "the token has expired" in account.refusals[0].reason
    assert sink.asked == []


def test_a_server_whose_certificate_nobody_knows(sink: Sink, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for trusted, accepted in ((authority, 2), (stranger, 0)):
        pem = tmp_path / f"{accepted}.pem"
        trusted.cert_pem.write_to_path(str(pem))
        with answering(lambda _: Answer(), tls=context) as at:
            target = OtlpTarget(
                url=f"{at.url}/v1/metrics",
                headers_for=lambda _: {},
                resource={},
                verify=str(pem),
            )
            account = send(sink, *gauges(2), target=target)
            assert (account.accepted, account.dropped) == (accepted, 2 - accepted)


def test_what_is_lost_is_told(sink: Sink) -> None:
    exponential = ExponentialHistogram(
        count=2,
        temporality=Temporality.DELTA,
        scale=0,
        zero_count=1,
        zero_threshold=0.5,
        positive=ExponentialBuckets(0, (1,)),
    )
    account = send(
        sink,
        MetricPoint(name="e", data=exponential, time=NOW, start=NOW),
        MetricPoint(name="c", data=Counter(1, Temporality.DELTA), time=NOW),
    )
    assert account.accepted == 2
    assert {one.what for one in account.conversions} == {
        ConversionKind.VALUES_APPROXIMATED,
        ConversionKind.START_LOST,
    }


def test_a_point_that_otlp_can_not_hold_costs_itself(sink: Sink) -> None:
    account = send(
        sink,
        *gauges(3),
        MetricPoint(name="bad", data=Gauge(1), time=NOW, attributes={"a": "\ud800"}),
        MetricPoint(name="", data=Gauge(1), time=NOW),
        MetricPoint(
            name="wide",
            data=ExponentialHistogram(count=0, temporality=Temporality.DELTA, scale=2**40),
            time=NOW,
        ),
    )
    assert (account.accepted, account.dropped) == (3, 3)
    assert {one.outcome for one in account.refusals} == {Outcome.DROPPED}
    assert len(sink.asked) >= 1


def test_a_namespace_is_needed(sink: Sink) -> None:
    exporter = OtlpExporter("memory", sink.target())
    with pytest.raises(Exception, match="namespace: an empty one given"):
        exporter.check_points(gauges(1), namespace=" ")

"""What is counted and recorded of an operation, and what that costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import get_contextvars

from airflow_multicloud.adapters.pools import map_in_context
from airflow_multicloud.core import telemetry
from airflow_multicloud.core.delivering import tell_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = "c2VjcmV0+signature/of=a=SAS"
SIGNED = f"https://account.blob.core.windows.net/c/key?sv=2024&sig={SIGNATURE}"


class _Counting(NoOpMeter):
    made = 0

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        type(self).made += 1
        return super().create_counter(name, unit, description)


class _Provider(NoOpMeterProvider):
    def __init__(self) -> None:
        self.meters = 0

    def get_meter(self, name: str, *_: object, **__: object) -> metrics.Meter:
        self.meters += 1
        return _Counting(name)


def test_instruments_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the memory of a fetch of many objects, and of a worker, grows with each of them."""
    provider = _Provider()
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setattr(_Counting, "made", 0)
    for _ in range(3):
        telemetry.count_bytes("read", "aws", 1)
        telemetry.count_objects("aws", "copied", 1)
        with telemetry.operation("replicate"):
            pass
    assert (provider.meters, _Counting.made) == (1, 5)


def test_a_provider_that_is_set_later_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _Provider(), _Provider()
    for provider in (first, second):
        monkeypatch.setattr(metrics, "get_meter_provider", lambda now=provider: now)
        telemetry.count_objects("aws", "copied", 1)
    assert (first.meters, second.meters) == (1, 1)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr("opentelemetry.metrics._internal._METER_PROVIDER", provider)
    yield reader
    provider.shutdown()


def counted(reader: InMemoryMetricReader, name: str) -> dict[tuple[Any, ...], Any]:
    """The figures of a metric, by the values of their attributes in the order of their names."""
    data = reader.get_metrics_data()
    return {
        tuple(value for _, value in sorted((point.attributes or {}).items())): point
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == f"multicloud.{name}"
        for point in metric.data.data_points
    }


def failing(err: BaseException, cause: BaseException | None = None) -> None:
    with telemetry.operation("upload", cloud__provider="azure"):
        raise err from cause


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def test_an_error_is_told(spans: InMemorySpanExporter, figures: InMemoryMetricReader) -> None:
    err = StorageError("bucket is gone", kind=ErrorKind.NOT_FOUND, cloud="gcp")
    with pytest.raises(StorageError):
        failing(err)
    span = only(spans)
    attributes = dict(span.attributes or {})
    assert attributes == {
        "cloud.provider": "azure",
        "error.type": "not_found",
        "multicloud.outcome": "not_found",
    }
    assert (span.status.is_ok, span.status.description) == (False, "bucket is gone")
    (event,) = span.events
    told = dict(event.attributes or {})
    assert event.name == "exception"
    assert told.keys() == {"exception.type", "exception.message", "exception.stacktrace"}
    assert told["exception.type"] == "airflow_multicloud.errors.StorageError"
    assert told["exception.message"] == "bucket is gone"
    assert "in failing" in str(told["exception.stacktrace"])
    # By cloud (the error's own), kind and operation.
    assert counted(figures, "errors")["gcp", "not_found", "upload"].value == 1
    assert counted(figures, "operations")["upload", "not_found"].value == 1
    assert counted(figures, "duration")["not_found", "upload", "not_found"].count == 1


def test_what_goes_well_has_no_error(
    spans: InMemorySpanExporter, figures: InMemoryMetricReader
) -> None:
    with telemetry.operation("upload"):
        pass
    span = only(spans)
    assert dict(span.attributes or {}) == {"multicloud.outcome": "ok"}
    assert span.events == ()
    assert span.status.status_code.name == "UNSET"
    assert counted(figures, "errors") == {}
    assert counted(figures, "duration")["upload", "ok"].count == 1


@pytest.mark.parametrize("where", ["message", "cause"])
def test_errors_of_others_are_recorded_without_secrets(
    spans: InMemorySpanExporter, where: str
) -> None:
    secret = OSError(f"can't connect to {SIGNED}")
    err, cause = (secret, None) if where == "message" else (RuntimeError("failed"), secret)
    with pytest.raises(type(err)):
        failing(err, cause)
    text = only(spans).to_json()
    assert "account.blob.core.windows.net" in text
    assert SIGNATURE not in text


@pytest.mark.parametrize("cause", [False, True])
def test_what_was_to_be_signed_is_recorded_without_the_token(
    spans: InMemorySpanExporter, cause: bool
) -> None:
    """A service's answer to a wrong signature, which in this package's errors is one line."""
    secret = "The Canonical String was\n'POST\nx-amz-security-token:s3cr3t/abc\n\nhost'"
    err = StorageError(secret, kind=ErrorKind.UNAUTHENTICATED)
    with pytest.raises(StorageError):
        failing(err, OSError("kept Authorization: Basic s3cr3t") if cause else None)
    text = only(spans).to_json()
    assert "The Canonical String was" in text
    assert "s3cr3t" not in text


class _UnreadableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_error_without_a_text_comes_through(spans: InMemorySpanExporter) -> None:
    with pytest.raises(_UnreadableError):
        failing(_UnreadableError())
    span = only(spans)
    assert (span.status.is_ok, span.status.description) == (False, "a text that can't be read")
    assert "in failing" in str(dict(span.events[0].attributes or {})["exception.stacktrace"])


def test_a_long_message_leaves_the_stack(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError):
        failing(RuntimeError("a-" * 50_000))
    told = dict(only(spans).events[0].attributes or {})
    assert "in failing" in str(told["exception.stacktrace"])


def test_a_token_that_no_header_can_hold(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="header"):
        failing(ValueError("Invalid header value b'topsecret\\n'"))
    text = only(spans).to_json()
    assert "Invalid header value" in text
    assert "topsecret" not in text.replace("Invalid header value b'topsecret\\\\n'\")", "")


def test_hostile_messages_stay_small_and_plain(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError):
        failing(RuntimeError("\x1b[2J" + "x" * 200_000))
    span = only(spans)
    text = span.to_json()
    assert "\\u001b" not in text
    assert "\x1b" not in text
    assert len(text) < 50_000
    assert len(str(span.status.description)) <= 4_000


@pytest.mark.parametrize("err", [KeyboardInterrupt(), SystemExit(1)])
def test_what_ends_the_process_is_told(spans: InMemorySpanExporter, err: BaseException) -> None:
    with pytest.raises(type(err)):
        failing(err)
    assert dict(only(spans).attributes or {})["error.type"] == type(err).__name__
    assert not only(spans).status.is_ok


def test_an_operation_within_the_same_is_the_same(
    spans: InMemorySpanExporter, figures: InMemoryMetricReader
) -> None:
    @telemetry.operation("replicate")
    def offered() -> None:
        with telemetry.operation("replicate", cloud__provider="aws") as span:
            span.set_attribute("multicloud.objects", 2)
            with (
                telemetry.operation("replicate.object"),
                telemetry.operation("replicate"),  # of another operation: one of its own
            ):
                pass

    offered()
    inner, between, outer = spans.get_finished_spans()
    assert [s.name.removeprefix("multicloud.") for s in (inner, between, outer)] == [
        "replicate",
        "replicate.object",
        "replicate",
    ]
    assert dict(outer.attributes or {}) == {
        "cloud.provider": "aws",
        "multicloud.objects": 2,
        "multicloud.outcome": "ok",
    }
    assert counted(figures, "operations")["replicate", "ok"].value == 2


def test_a_result_may_say_that_it_failed(
    spans: InMemorySpanExporter, figures: InMemoryMetricReader
) -> None:
    err = StorageError("away", kind=ErrorKind.UNAVAILABLE)
    with telemetry.operation("look"):
        telemetry.failed(err)
        telemetry.count_retry(err)
    assert dict(only(spans).attributes or {})["error.type"] == "unavailable"
    assert counted(figures, "errors")["unavailable", "look"].value == 1
    assert counted(figures, "retries")["unavailable", "look"].value == 1


def test_structured_lines_lead_to_the_span(spans: InMemorySpanExporter) -> None:
    seen: list[dict[str, Any]] = []

    def work(_number: int) -> None:
        seen.append(get_contextvars())

    with (
        telemetry.operation("replicate"),
        ThreadPoolExecutor(2) as pool,
    ):
        work(0)
        telemetry.submit_in_context(pool, work, 1).result()
        map_in_context(pool, work, [2, 3])
        with telemetry.operation("upload"):
            work(4)
    inner, outer = spans.get_finished_spans()
    expected = [outer, outer, outer, outer, inner]
    assert seen == [
        {
            "trace_id": f"{span.get_span_context().trace_id:032x}",
            "span_id": f"{span.get_span_context().span_id:016x}",
        }
        for span in expected
    ]
    assert get_contextvars() == {}


def test_without_tracing_lines_are_as_they_were() -> None:
    with telemetry.operation("upload"):
        assert get_contextvars() == {}


def test_a_map_raises_what_its_work_raises() -> None:
    def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        return number

    with ThreadPoolExecutor(1) as pool:
        assert map_in_context(pool, work, [0, 2]) == [0, 2]
        with pytest.raises(ValueError, match="one"):
            map_in_context(pool, work, [0, 1, 2])


def test_a_batch_that_was_not_accepted_has_failed(
    spans: InMemorySpanExporter, figures: InMemoryMetricReader
) -> None:
    few = Refusal(outcome=Outcome.DROPPED, kind=ErrorKind.INVALID_ARGUMENT, reason="few", count=1)
    many = Refusal(outcome=Outcome.UNKNOWN, kind=ErrorKind.UNAVAILABLE, reason="no answer", count=2)
    account = Accounting(given=4, accepted=1, refusals=(few, many))
    with telemetry.operation("metrics.export.batch") as span:
        tell_of(account, span, "aws")
    attributes = dict(only(spans).attributes or {})
    assert attributes["error.type"] == "unavailable"
    assert (attributes["multicloud.given"], attributes["multicloud.accepted"]) == (4, 1)
    assert only(spans).status.description == "2 of 4 unknown: no answer"
    assert counted(figures, "errors")["aws", "unavailable", "metrics.export.batch"].value == 1
    with telemetry.operation("metrics.export.batch") as span:
        tell_of(Accounting(given=1, accepted=1), span, "aws")
    assert spans.get_finished_spans()[-1].status.status_code.name == "UNSET"

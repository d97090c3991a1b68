"""What becomes of points whose writing Cloud Monitoring refuses in one of its ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.cloud.monitoring_v3 import CreateTimeSeriesSummary
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.protobuf.empty_pb2 import Empty
from google.rpc.error_details_pb2 import ErrorInfo

from airflow_multicloud.clouds.gcp.metrics import GCPMetricsHook
from airflow_multicloud.clouds.gcp.metrics.naming import type_of
from airflow_multicloud.errors import CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    Gauge,
    Histogram,
    MetricPoint,
    MetricQuery,
    PointData,
    Temporality,
)
from airflow_multicloud.testing.delivery_faults import DeliveryCall
from airflow_multicloud.testing.local_clouds.gcp.grpc.server import GrpcServer
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import (
    Method,
    Refused,
    Service,
    invalid,
)
from airflow_multicloud.testing.local_clouds.gcp.metrics.reading import Reading
from airflow_multicloud.testing.local_clouds.gcp.metrics.store import Store
from airflow_multicloud.testing.local_clouds.gcp.metrics.writing import Writing
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from airflow_multicloud.testing.local_clouds.kit.state import State
from tests.integration.answering import service_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
ORDER = (
    "Points must be written in order. One or more of the points specified had an older end time "
    "than the most recent point."
)


class Monitoring:
    """The local Cloud Monitoring, whose next writes and readings may go otherwise."""

    def __init__(self) -> None:
        state = State()
        faults = SeededDeliveryFaults(state, "metrics")
        self.store = Store()
        self.writes: list[int] = []
        self.reads: list[str] = []
        self.before: list[Callable[[Any], None]] = []
        self.after: list[Callable[[], None]] = []
        self.reading: Callable[[], None] | None = None
        self._writing, self._reading = Writing(self.store, faults), Reading(self.store)
        methods = {
            "create_time_series": Method(self._write, DeliveryCall.WRITE),
            "list_time_series": Method(self._read, DeliveryCall.READ),
        }
        service = Service(transport=MetricServiceGrpcTransport, methods=methods, faults=faults)
        self.port = free_port()
        self.server = GrpcServer(
            [service], port=self.port, check=lambda _metadata: None, state=state
        )

    def _write(self, request: Any) -> Empty:
        self.writes.append(len(request.time_series))
        if self.before:
            self.before.pop(0)(request)
        found = self._writing.create_time_series(request)
        if self.after:
            self.after.pop(0)()
        return found

    def _read(self, request: Any) -> Any:
        self.reads.append(request.filter)
        if self.reading is not None:
            self.reading()
        return self._reading.list_time_series(request)


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    found = Monitoring()
    with found.server:
        yield found


@pytest.fixture
def hook(monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch) -> GCPMetricsHook:
    return opened(monkeypatch, monitoring.port)


def opened(patch: pytest.MonkeyPatch, port: int, **extra: object) -> GCPMetricsHook:
    told = {
        "is_anonymous": True,
        "project": "local",
        "monitoring.endpoint": f"http://127.0.0.1:{port}",
        **extra,
    }
    connection = {"conn_type": "google_cloud_platform", "extra": told}
    patch.setenv("AIRFLOW_CONN_GCP_EXPORTS", json.dumps(connection))
    return GCPMetricsHook("gcp_exports")


def point(
    number: int = 0, data: PointData = Gauge(1.0), *, minute: int = 0, **given: Any
) -> MetricPoint:
    attributes: dict[str, AttributeValue] = {"n": str(number)}
    return MetricPoint(
        name="tested",
        data=data,
        time=NOW + timedelta(minutes=minute),
        attributes=attributes,
        **given,
    )


def refuse(code: grpc.StatusCode, text: str, *details: Any) -> Callable[..., None]:
    def refused(*_: object) -> None:
        raise Refused(code, text, *details)

    return refused


def partial(text: str, *, total: int, written: int) -> Callable[..., None]:
    summary = CreateTimeSeriesSummary.pb()(total_point_count=total, success_point_count=written)
    summary.errors.add(point_count=total - written).status.code = 3
    return refuse(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"One or more TimeSeries could not be written: {text}",
        summary,
    )


def test_a_request_that_is_refused_as_a_whole(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    """It is sent in halves until what is bad stands alone."""

    def check(request: Any) -> None:
        if any(one.metric.labels["n"] == "3" for one in request.time_series):
            raise invalid("Field timeSeries[3].metric had an invalid value.")

    monitoring.before = [check] * 100
    told = hook.export_points([point(number) for number in range(8)], namespace="x")
    assert (told.accepted, told.rejected) == (7, 1)
    assert told.refusals[0].samples == ("tested{n=3}",)
    assert monitoring.writes == [8, 4, 2, 2, 1, 1, 4]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (
            "timeSeries[0-1]: write for resource=global{project_id:local} failed with: It is bad.; "
            "timeSeries[3]: write for resource=global{} failed with: It is worse.",
            {"It is bad.": 2, "It is worse.": 1},
        ),
        (
            "It is bad.: global{} timeSeries[1]: custom.googleapis.com/x/tested{n:1}; "
            "It is bad.: timeSeries[0]; Field timeSeries[3] had an invalid value: It is worse."
            ": timeSeries[3]",
            {"It is bad.": 2, "Field the series had an invalid value: It is worse.": 1},
        ),
    ],
)
def test_the_text_says_which_were_not_written(
    hook: GCPMetricsHook, monitoring: Monitoring, text: str, reasons: dict[str, int]
) -> None:
    monitoring.before = [partial(text, total=4, written=1)]
    told = hook.export_points([point(number) for number in range(4)], namespace="x")
    assert (told.accepted, told.rejected) == (1, 3)
    assert {refusal.reason: refusal.count for refusal in told.refusals} == reasons
    assert {refusal.code for refusal in told.refusals} == {"INVALID_ARGUMENT"}
    assert monitoring.reads == []


@pytest.mark.parametrize(
    "text", ["", "timeSeries[0-999999999999]: x", "timeSeries[0]: x", "é" * 99]
)
def test_a_text_that_does_not_say_which(
    hook: GCPMetricsHook, monitoring: Monitoring, text: str
) -> None:
    """What is there is accepted, of the rest nobody knows: it may be shown later."""
    hook.export_points([point(0)], namespace="x")
    monitoring.before = [partial(text, total=3, written=1)]
    told = hook.export_points([point(number) for number in range(3)], namespace="x")
    assert (told.accepted, told.unknown) == (1, 2)


def test_places_that_are_no_numbers(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    """Python reads no integer of more than 4,300 digits."""
    monitoring.before = [partial(f"timeSeries[{'9' * 5000}]: x", total=2, written=1)]
    told = hook.export_points([point(number) for number in range(2)], namespace="x")
    assert (told.accepted, told.unknown, told.requests) == (0, 2, 1)


@pytest.mark.parametrize("total", [0, 1, 3])
def test_a_summary_of_other_points_than_were_sent(
    hook: GCPMetricsHook, monitoring: Monitoring, total: int
) -> None:
    """It is believed in nothing, and nothing is sent again because of it."""
    monitoring.before = [partial("timeSeries[1]: It is bad.", total=total, written=total)]
    told = hook.export_points([point(number) for number in range(2)], namespace="x")
    assert (told.accepted, told.rejected, told.unknown) == (0, 0, 2)
    assert monitoring.writes == [2]


@pytest.mark.parametrize(
    "given",
    [
        [{"cloud.region": "x"}, {"cloud_region": "x"}, {"cloud-region": "x"}],
        [{"k": "true"}, {"k": True}],
        [{"k": 1}, {"k": "1"}],
        [{}, {"a": ""}],
    ],
)
def test_series_that_would_be_one(
    hook: GCPMetricsHook, monitoring: Monitoring, given: list[dict[str, AttributeValue]]
) -> None:
    """The first is written, at all of its times; the others are not."""
    points = [
        MetricPoint(name="one", data=Gauge(1.0), time=NOW + minute, attributes=attributes)
        for minute in (timedelta(0), timedelta(minutes=1))
        for attributes in given
    ]
    (refusal,) = hook.check_points(points, namespace="x")
    told = hook.export_points(points, namespace="x")
    assert (told.accepted, told.dropped) == (2, 2 * (len(given) - 1))
    assert told.refusals == (refusal,)
    assert sum(len(one.points) for one in monitoring.store.series.values()) == 2


def test_a_name_that_is_written_like_another(hook: GCPMetricsHook) -> None:
    names = ("a b", type_of("x", "a b")[0].rpartition("/")[2])
    points = [MetricPoint(name=name, data=Gauge(1.0), time=NOW) for name in names]
    told = hook.export_points(points, namespace="x")
    assert (told.accepted, told.dropped) == (1, 1)


def test_the_same_again(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    """Is as good as accepted; another value of the same time is not."""
    start = NOW - timedelta(minutes=1)
    points = [point(0), point(1, Counter(2.0, Temporality.DELTA), start=start)]
    assert hook.export_points(points[:1], namespace="x").accepted == 1
    told = hook.export_points([points[0], point(0, Gauge(2.0))], namespace="x")
    assert (told.accepted, told.rejected) == (1, 1)
    assert "in order" in told.refusals[0].reason
    assert monitoring.reads == [
        'metric.type = "custom.googleapis.com/x/tested" AND resource.type = "global"'
    ]


def test_what_this_export_has_written_is_known(
    hook: GCPMetricsHook, monitoring: Monitoring
) -> None:
    """A point that is given twice counts once, and nothing is asked twice."""
    given = [point(number) for number in range(3)]
    told = hook.export_points([*given, *given, *given], namespace="x")
    assert (told.given, told.accepted) == (9, 9)
    assert len(monitoring.reads) == 1
    assert sum(len(one.points) for one in monitoring.store.series.values()) == 3


def test_older_than_what_is_there(hook: GCPMetricsHook) -> None:
    """Rejected: nothing of that time is there."""
    hook.export_points([point(minute=1)], namespace="x")
    told = hook.export_points([point(minute=0)], namespace="x")
    assert (told.accepted, told.rejected) == (0, 1)
    assert told.refusals[0].kind is ErrorKind.INVALID_ARGUMENT


def test_who_may_only_write(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    """What can't be made sure of is told as it was told."""
    hook.export_points([point()], namespace="x")
    monitoring.reading = refuse(grpc.StatusCode.PERMISSION_DENIED, "no")
    told = hook.export_points([point(), point(1)], namespace="x")
    assert (told.accepted, told.rejected) == (1, 1)


def test_another_type_of_metric(hook: GCPMetricsHook) -> None:
    """Both words are in the reason."""
    hook.export_points([point()], namespace="x")
    start = NOW - timedelta(minutes=1)
    told = hook.export_points(
        [point(1, Counter(1.0, Temporality.CUMULATIVE), start=start)], namespace="x"
    )
    assert told.rejected == 1
    assert "must be GAUGE, but is CUMULATIVE" in told.refusals[0].reason


class TestLostAnswers:
    def test_it_is_sent_again_and_found(self, hook: GCPMetricsHook, monitoring: Monitoring) -> None:
        monitoring.after = [refuse(grpc.StatusCode.UNAVAILABLE, "for a moment")]
        told = hook.export_points([point(0), point(1)], namespace="x")
        assert (told.accepted, told.refusals, told.requests) == (2, (), 1)
        assert monitoring.writes == [2, 2]

    def test_and_what_was_written_is_not_shown_yet(
        self, hook: GCPMetricsHook, monitoring: Monitoring
    ) -> None:
        """Nobody knows."""
        monitoring.after = [refuse(grpc.StatusCode.UNAVAILABLE, "for a moment")]
        monitoring.reading = refuse(grpc.StatusCode.NOT_FOUND, "Cannot find metric(s)")
        told = hook.export_points([point()], namespace="x")
        assert (told.accepted, told.unknown) == (0, 1)

    def test_and_the_second_try_is_refused_otherwise(
        self, hook: GCPMetricsHook, monitoring: Monitoring
    ) -> None:
        """The first may have been carried out all the same."""
        monitoring.after = [refuse(grpc.StatusCode.UNAVAILABLE, "for a moment")]
        monitoring.before = [
            lambda _: None,
            refuse(grpc.StatusCode.PERMISSION_DENIED, "not any more"),
        ]
        told = hook.export_points([point()], namespace="x")
        assert (told.accepted, told.unknown) == (0, 1)
        assert len(monitoring.store.series) == 1

    def test_without_repeating(
        self, monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hook = opened(monkeypatch, monitoring.port, num_retries=0)
        monitoring.after = [refuse(grpc.StatusCode.UNAVAILABLE, "for a moment")]
        told = hook.export_points([point()], namespace="x")
        assert (told.accepted, told.unknown) == (0, 1)
        assert monitoring.writes == [1]


def test_a_quota_is_not_asked_again(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    info = ErrorInfo(reason="RESOURCE_QUOTA_EXCEEDED", domain="googleapis.com")
    monitoring.before = [refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more", info)]
    told = hook.export_points([point()], namespace="x")
    assert (told.rejected, told.refusals[0].kind) == (1, ErrorKind.QUOTA)
    assert monitoring.writes == [1]


def test_texts_and_numbers_that_no_message_holds(hook: GCPMetricsHook) -> None:
    """They are dropped before anything is sent."""
    bad = [
        MetricPoint(name="tested", data=Gauge(1.0), time=NOW, attributes={"a": "\ud800"}),
        MetricPoint(name="tested", data=Gauge(10**400), time=NOW),
        point(data=Histogram(count=1.5, total=1.0, temporality=Temporality.DELTA)),  # type: ignore[arg-type]
        point(data=Histogram(count=10**400, total=1.0, temporality=Temporality.DELTA)),
        point(data=Histogram(count=2**63, total=1.0, temporality=Temporality.DELTA)),
    ]
    assert hook.export_points(bad, namespace="x").dropped == 5


def test_large_integers(hook: GCPMetricsHook) -> None:
    told = hook.export_points([point(data=Gauge(2**53 + 1)), point(1, Gauge(2**53))], namespace="x")
    assert [one.count for one in told.conversions] == [1]


@pytest.mark.parametrize("namespace", ["", " ", "a\nb"])
def test_namespaces_that_are_none(hook: GCPMetricsHook, namespace: str) -> None:
    with pytest.raises(MetricsError, match="namespace: "):
        hook.export_points([], namespace=namespace)


def test_a_page_after_another(
    hook: GCPMetricsHook, monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a token that comes again ends it."""
    from airflow_multicloud.testing.local_clouds.gcp.metrics import reading

    monkeypatch.setattr(reading, "_MOST", 2)
    hook.export_points([point(number) for number in range(5)], namespace="x")
    query = MetricQuery(
        name="tested", namespace="x", since=NOW, until=NOW + timedelta(microseconds=1)
    )
    assert len(hook.read_points(query).points) == 5
    assert len(monitoring.reads) == 3


def test_a_connection_without_a_project(
    monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = opened(monkeypatch, monitoring.port, project="")
    with pytest.raises(CredentialsError, match="project"):
        hook.export_points([point()], namespace="x")
    assert monitoring.writes == []


def test_nobody_gives_a_token(monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told before anything is sent, and not of each point that it is unknown."""
    key = json.dumps(service_account(f"http://127.0.0.1:{free_port()}/token"))
    hook = opened(monkeypatch, monitoring.port, is_anonymous=False, keyfile_dict=key)
    with pytest.raises(CredentialsError, match="token") as caught:
        hook.export_points([point()], namespace="x")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert caught.value.retryable
    assert monitoring.writes == []


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = opened(monkeypatch, free_port(), num_retries=0)
    told = hook.export_points([point()], namespace="x")
    assert (told.unknown, told.refusals[0].kind) == (1, ErrorKind.UNAVAILABLE)


def test_an_error_that_does_not_count(hook: GCPMetricsHook, monitoring: Monitoring) -> None:
    """What is refused without a summary is sent one by one, and made sure of."""
    hook.export_points([point(0)], namespace="x")
    text = f"One or more TimeSeries could not be written: {ORDER}: timeSeries[0]"
    monitoring.before = [refuse(grpc.StatusCode.INVALID_ARGUMENT, text)] * 2
    told = hook.export_points([point(0), point(1)], namespace="x")
    assert (told.accepted, told.refusals) == (2, ())


def test_questions_of_any_kind(hook: GCPMetricsHook) -> None:
    """Nothing is found by what was never exported, and nothing breaks."""
    hook.export_points([point()], namespace="x")
    far = {"since": datetime(1970, 1, 2, tzinfo=UTC), "until": datetime(9000, 1, 1, tzinfo=UTC)}
    for name, attributes in (
        ("\ud800", {}),
        ('tested" OR metric.type = "x', {}),
        ("", {}),
        ("tested", {"": "x"}),
        ("tested", {"n": '0" OR "1" = "1'}),
        ("tested", {"n": "\ud800" * 2000}),
    ):
        query = MetricQuery(name=name, namespace="x", attributes=attributes, **far)
        assert hook.read_points(query).points == ()
    assert len(hook.read_points(MetricQuery(name="tested", namespace="x", **far)).points) == 1
    with pytest.raises(MetricsError, match="namespace: "):
        hook.read_points(MetricQuery(name="tested", namespace=" ", **far))


@pytest.mark.parametrize(
    "value",
    [
        {"string_value": "x"},
        {"distribution_value": {"count": 1, "bucket_options": {"exponential_buckets": {
            "num_finite_buckets": 2**31 - 1, "growth_factor": 2.0, "scale": 1.0}}}},
        {},
    ],
)  # fmt: skip
def test_answers_that_no_service_gives(
    hook: GCPMetricsHook, monitoring: Monitoring, value: dict[str, Any]
) -> None:
    from google.cloud.monitoring_v3 import TypedValue

    hook.export_points([point()], namespace="x")
    (series,) = monitoring.store.series.values()
    series.points[0].value.CopyFrom(TypedValue.pb(TypedValue(value)))
    query = MetricQuery(name="tested", namespace="x", since=NOW, until=NOW + timedelta(seconds=1))
    with pytest.raises(MetricsError) as caught:
        hook.read_points(query)
    assert caught.value.kind is ErrorKind.INTEGRITY

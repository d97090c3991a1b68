"""The local Cloud Monitoring, asked by Google's own client: what it refuses, and what it shows."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions as api
from google.auth.transport.requests import Request
from google.cloud.monitoring_v3 import (
    CreateTimeSeriesRequest,
    CreateTimeSeriesSummary,
    ListTimeSeriesRequest,
    TimeSeries,
)
from google.cloud.monitoring_v3.services.metric_service import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.oauth2.credentials import Credentials
from google.oauth2.service_account import Credentials as ServiceAccount

from airflow_multicloud.clouds.gcp.bearer import Bearer
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.metrics.filters import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.testing.local_clouds import LocalServer

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
PROJECT = "projects/local"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class _Session:
    def __init__(self, server: LocalServer, credentials: Any) -> None:
        extra: Any = server.spec.connections["gcp_telemetry_local"]["extra"]
        self._endpoint = extra["monitoring.endpoint"]
        self.bearer = Bearer(
            credentials
            or ServiceAccount.from_service_account_info(
                json.loads(extra["keyfile_dict"]), scopes=[SCOPE]
            )
        )

    def endpoint_of(self, _service: str) -> str:
        return str(self._endpoint)


def opened(server: LocalServer, credentials: Any = None) -> MetricServiceClient:
    session: Any = _Session(server, credentials)
    channel = open_channel(session, "monitoring", "monitoring.googleapis.com")
    return MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))


@pytest.fixture(scope="module")
def client(local_gcp_telemetry: LocalServer) -> MetricServiceClient:
    return opened(local_gcp_telemetry)


@pytest.fixture
def metric() -> str:
    return f"custom.googleapis.com/server/{uuid.uuid4().hex}"


def series(metric: str, change: dict[str, Any] | None = None) -> TimeSeries:
    """One gauge, with some fields otherwise."""
    end = {"seconds": int(NOW.timestamp())}
    whole: dict[str, Any] = {
        "metric": {"type": metric, "labels": {"a": "1"}},
        "resource": {"type": "global"},
        "points": [{"interval": {"end_time": end}, "value": {"double_value": 1.0}}],
    }
    return TimeSeries({**whole, **(change or {})})


def at(seconds: float, *, start: float | None = None, value: Any = None) -> dict[str, Any]:
    """Other points: one, so many seconds after NOW."""
    interval = {"end_time": NOW + timedelta(seconds=seconds)}
    if start is not None:
        interval["start_time"] = NOW + timedelta(seconds=start)
    return {"points": [{"interval": interval, "value": value or {"double_value": 1.0}}]}


def labelled(metric: str, **labels: str) -> dict[str, Any]:
    """Other labels."""
    return {"metric": {"type": metric, "labels": labels}}


def write(client: MetricServiceClient, *given: TimeSeries) -> None:
    client.create_time_series(CreateTimeSeriesRequest(name=PROJECT, time_series=given))


def refused(client: MetricServiceClient, *given: TimeSeries) -> tuple[str, int, int]:
    """What is said, and how many of how many were written."""
    with pytest.raises(api.InvalidArgument) as caught:
        write(client, *given)
    (detail,) = caught.value.details
    summary = CreateTimeSeriesSummary.pb()()
    assert detail.Unpack(summary)
    return str(caught.value.message), summary.success_point_count, summary.total_point_count


def read(client: MetricServiceClient, text: str, **given: Any) -> list[TimeSeries]:
    interval = {"start_time": NOW - timedelta(hours=1), "end_time": NOW + timedelta(hours=1)}
    request = ListTimeSeriesRequest(name=PROJECT, filter=text, interval=interval, **given)
    return list(client.list_time_series(request))


BAD: dict[str, Callable[[str], TimeSeries]] = {
    "no custom metric": lambda _: series("compute.googleapis.com/x"),
    "odd characters": lambda metric: series(f"{metric}/a b"),
    "a long type": lambda metric: series(metric + "x" * 200),
    "an odd label": lambda metric: series(
        metric, {"metric": {"type": metric, "labels": {"a.b": ""}}}
    ),
    "a long label": lambda metric: series(
        metric, {"metric": {"type": metric, "labels": {"a": "v" * 1025}}}
    ),
    "31 labels": lambda metric: series(
        metric, {"metric": {"type": metric, "labels": {f"l{n}": "x" for n in range(31)}}}
    ),
    "an unknown resource": lambda metric: series(metric, {"resource": {"type": "gce_instance"}}),
    "a resource without labels": lambda metric: series(
        metric, {"resource": {"type": "generic_task"}}
    ),
    "another project": lambda metric: series(
        metric, {"resource": {"type": "global", "labels": {"project_id": "other"}}}
    ),
    "no point": lambda metric: series(metric, {"points": []}),
    "two points": lambda metric: series(metric, {"points": at(0)["points"] * 2}),
    "a delta": lambda metric: series(metric, {"metric_kind": "DELTA", **at(0, start=-60)}),
    "a text": lambda metric: series(metric, at(0, value={"string_value": "x"})),
    "not a number": lambda metric: series(metric, at(0, value={"double_value": float("nan")})),
    "another value type": lambda metric: series(metric, {"value_type": "INT64"}),
    "too old": lambda metric: series(metric, at(-26 * 3600)),
    "too new": lambda metric: series(metric, at(6 * 3600)),
    "a gauge with a start": lambda metric: series(metric, at(0, start=-60)),
    "a cumulative one without": lambda metric: series(metric, {"metric_kind": "CUMULATIVE"}),
    "a unit": lambda metric: series(metric, {"unit": "furlongs"}),
    "no buckets": lambda metric: series(
        metric, at(0, value={"distribution_value": {"count": 1, "mean": 1.0}})
    ),
    "counts that do not add up": lambda metric: series(
        metric,
        at(
            0,
            value={
                "distribution_value": {
                    "count": 1,
                    "bucket_options": {"explicit_buckets": {"bounds": [1.0]}},
                    "bucket_counts": [1, 1],
                }
            },
        ),
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_costs_that_series(
    client: MetricServiceClient, metric: str, what: str
) -> None:
    good = f"{metric}/good"
    told, written, total = refused(client, series(good), BAD[what](metric))
    assert (written, total) == (1, 2)
    assert "timeSeries[1]: " in told
    assert len(read(client, f'metric.type = "{good}"')) == 1


def test_one_point_of_a_series_per_request(client: MetricServiceClient, metric: str) -> None:
    told, written, _ = refused(client, series(metric), series(metric, at(60)))
    assert "Duplicate TimeSeries encountered" in told
    assert written == 1


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (at(0), "older end time"),
        (at(-60), "older end time"),
        (at(4), "more frequently"),
        (at(5), None),
    ],
)
def test_points_come_in_order(
    client: MetricServiceClient, metric: str, then: dict[str, Any], reason: str | None
) -> None:
    write(client, series(metric))
    if reason is None:
        write(client, series(metric, then))
    else:
        assert reason in refused(client, series(metric, then))[0]


@pytest.mark.parametrize(
    ("then", "good"),
    [
        (at(60, start=-60), True),
        (at(60, start=0.001), True),
        (at(60, start=0), False),
        (at(60, start=-120), False),
    ],
)
def test_cumulative_ones_keep_their_start_or_begin_anew(
    client: MetricServiceClient, metric: str, then: dict[str, Any], good: bool
) -> None:
    cumulative = {"metric_kind": "CUMULATIVE"}
    write(client, series(metric, {**cumulative, **at(0, start=-60)}))
    if good:
        write(client, series(metric, {**cumulative, **then}))
    else:
        told, *_ = refused(client, series(metric, {**cumulative, **then}))
        assert "older start time" in told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric_kind": "CUMULATIVE", **at(60, start=0)}, "must be GAUGE, but is CUMULATIVE"),
        (at(60, value={"int64_value": 1}), "must be DOUBLE, but is INT64"),
        ({"unit": "s", **at(60)}, "must be By, but is s"),
    ],
)
def test_the_first_write_makes_the_descriptor(
    client: MetricServiceClient, metric: str, change: dict[str, Any], reason: str
) -> None:
    write(client, series(metric, {"unit": "By", "description": "of bytes"}))
    name = f"{PROJECT}/metricDescriptors/{metric}"
    found = client.get_metric_descriptor(name=name)
    assert (found.unit, found.description, [one.key for one in found.labels]) == (
        "By",
        "of bytes",
        ["a"],
    )
    assert reason in refused(client, series(metric, change))[0]
    listed = client.list_metric_descriptors(
        {"name": PROJECT, "filter": f'metric.type = starts_with("{metric}")'}
    )
    assert [one.type for one in listed] == [metric]
    client.delete_metric_descriptor(name=name)
    with pytest.raises(api.NotFound):
        client.get_metric_descriptor(name=name)


def test_requests_that_are_refused_as_a_whole(client: MetricServiceClient, metric: str) -> None:
    for given in ([], [series(f"{metric}/{number}") for number in range(201)]):
        with pytest.raises(api.InvalidArgument, match="expected 1 to 200"):
            write(client, *given)
    with pytest.raises(api.PermissionDenied):
        client.create_time_series(name="projects/other", time_series=[series(metric)])


def test_series_are_shown_newest_first_and_in_pages(
    client: MetricServiceClient, metric: str
) -> None:
    for number in range(3):
        labels = [labelled(metric, a=name) for name in "xy"]
        write(client, *(series(metric, {**label, **at(number * 60)}) for label in labels))
    text = f'metric.type = "{metric}"'
    (first, second) = read(client, text)
    seconds = [int(point.interval.end_time.timestamp()) for point in first.points]
    assert seconds == sorted(seconds, reverse=True)
    assert first.resource.labels == {"project_id": "local"}
    assert len(second.points) == 3
    assert len(read(client, f'{text} AND metric.labels.a = "y"')) == 1
    assert [len(one.points) for one in read(client, text, page_size=4)] == [3, 1, 2]
    assert [len(one.points) for one in read(client, text, view="HEADERS")] == [0, 0]


def test_the_interval_ends_with_its_last_moment(client: MetricServiceClient, metric: str) -> None:
    write(client, series(metric))

    def there(start: datetime, end: datetime) -> bool:
        interval = {"start_time": start, "end_time": end}
        asked = {"name": PROJECT, "filter": f'metric.type = "{metric}"', "interval": interval}
        return bool(list(client.list_time_series(asked)))

    minute = timedelta(minutes=1)
    assert there(NOW - minute, NOW)
    assert not there(NOW, NOW + minute)
    with pytest.raises(api.InvalidArgument):
        there(NOW, NOW)


def test_questions_that_are_refused(client: MetricServiceClient, metric: str) -> None:
    text = f'metric.type = "{metric}"'
    with pytest.raises(api.NotFound, match="Cannot find metric"):
        read(client, text)
    write(client, series(metric))
    with pytest.raises(api.InvalidArgument, match=r"interval\.endTime"):
        client.list_time_series({"name": PROJECT, "filter": text})
    with pytest.raises(api.InvalidArgument, match="must specify a metric type"):
        read(client, 'resource.type = "global"')
    with pytest.raises(api.InvalidArgument, match="aggregation"):
        read(client, text, aggregation={"per_series_aligner": "ALIGN_MEAN"})
    with pytest.raises(api.InvalidArgument, match="pageToken"):
        read(client, text, page_token="1.x")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('metric.type = "t"', True),
        ('metric.type="t" AND resource.type="global"', True),
        ('metric.type = "t" AND metric.labels.a = "say \\"1\\"\\n"', True),
        ('metric.type = "t" AND metric.label.a != "2"', True),
        ('metric.type = "t" AND metric.labels.b = one_of("x", "y")', True),
        ('metric.type = "t" AND metric.labels.b = one_of("x")', False),
        ('metric.type = "t" AND metric.labels.b = monitoring.regex.full_match("[xyz]")', True),
        ('metric.type = "t" AND resource.labels.project_id = starts_with("lo")', True),
    ],
)
def test_filters(text: str, found: bool) -> None:
    header = series("t", labelled("t", a='say "1"\n', b="y"))
    header.resource.labels["project_id"] = "local"
    metric_type, test = parsed(text)
    assert metric_type == "t"
    assert test(TimeSeries.pb(header)) is found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        'metric.type = "t" OR resource.type = "global"',
        'NOT metric.type = "t"',
        'metric.type = "t" AND',
        'metric.type = "t" metric.labels.a = "1"',
        'metric.type = "t" AND metric.type = "u"',
        'metric.type = "t" AND (resource.type = "global")',
        "metric.type = t",
        'metric.type = "t" AND metric.labels.a = no_such("x")',
        'metric.type = "t" AND metric.labels.a > "x"',
        'metric.type = "t',
    ],
)
def test_filters_that_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="Field filter"):
        parsed(text)


def test_selectors_that_are_none(client: MetricServiceClient, metric: str) -> None:
    write(client, series(metric))
    with pytest.raises(api.InvalidArgument, match="Field filter"):
        read(client, f'metric.type = "{metric}" AND user.labels.x = "y"')


def test_tokens_that_nobody_gave(local_gcp_telemetry: LocalServer, metric: str) -> None:
    with pytest.raises(api.Unauthenticated) as caught:
        write(opened(local_gcp_telemetry, Credentials("forged")), series(metric))
    assert caught.value.reason == "ACCESS_TOKEN_EXPIRED"


def test_a_signature_that_is_another_accounts(local_gcp_telemetry: LocalServer) -> None:
    from google.auth.exceptions import RefreshError

    from airflow_multicloud.testing.local_clouds.gcp.service_account import new_key

    extra: Any = local_gcp_telemetry.spec.connections["gcp_telemetry_local"]["extra"]
    account = json.loads(extra["keyfile_dict"]) | {"private_key": new_key()}
    forged = ServiceAccount.from_service_account_info(account, scopes=[SCOPE])
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        forged.refresh(Request())

"""The local CloudWatch: what it refuses, and what the hook makes of it beyond the contract."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud import registry
from airflow_multicloud.errors import ErrorKind, LogsError, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, Logs
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    MetricQuery,
    Metrics,
    OtlpMetrics,
    Temporality,
)
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, REGION, SECRET_KEY
from airflow_multicloud.testing.local_clouds.kit import otlp
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def admin(local_cloudwatch: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_cloudwatch.endpoint)
    admin.reset()
    yield admin
    admin.reset()


@pytest.fixture
def hook(admin: Admin) -> Any:
    return registry.resolve(Metrics, "aws_telemetry_local")


@pytest.fixture
def endpoint(local_cloudwatch: LocalServer) -> str:
    extra: Any = local_cloudwatch.spec.connections["aws_telemetry_local"]["extra"]
    return str(extra["endpoint_url"])


@pytest.fixture
def client(endpoint: str, admin: Admin) -> Any:
    return client_at(endpoint)


@pytest.fixture
def namespace() -> str:
    return f"test{uuid.uuid4().hex[:10]}"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - 5 * MINUTE


def client_at(
    endpoint: str, *, secret: str = SECRET_KEY, key: str = ACCESS_KEY, **given: Any
) -> Any:
    return boto3.client(
        "cloudwatch",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, **given),
    )


def query(namespace: str, now: datetime, name: str = "m", **given: Any) -> MetricQuery:
    span = {"since": now - 30 * MINUTE, "until": now + 30 * MINUTE}
    return MetricQuery(name=name, namespace=namespace, **{**span, **given})


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"Value": math.nan}, "InvalidParameterValue"),
            ({"Value": math.inf}, "InvalidParameterValue"),
            ({"Value": 2.0**361}, "InvalidParameterValue"),
            ({"Value": None}, "InvalidParameterCombination"),
            ({"Values": [1.0]}, "InvalidParameterCombination"),
            ({"Counts": [1.0]}, "InvalidParameterCombination"),
            ({"Value": None, "Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
            ({"Value": None, "Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue"),
            ({"Value": None, "Values": [float(n) for n in range(151)]}, "InvalidParameterValue"),
            ({"Value": None, "StatisticValues": {"Sum": 1.0}}, "MissingParameter"),
            ({"MetricName": ""}, "InvalidParameterValue"),
            ({"MetricName": None}, "MissingParameter"),
            ({"MetricName": "x" * 256}, "InvalidParameterValue"),
            ({"MetricName": "größe"}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a", "Value": ""}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a", "Value": " "}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a", "Value": "ü"}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a", "Value": "\x1b"}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": ":a", "Value": "b"}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a", "Value": "x" * 1025}]}, "InvalidParameterValue"),
            ({"Dimensions": [{"Name": "a"}]}, "MissingParameter"),
            ({"Dimensions": [{"Name": "a", "Value": "1"}] * 2}, "InvalidParameterValue"),
            (
                {"Dimensions": [{"Name": f"a{n}", "Value": "1"} for n in range(31)]},
                "InvalidParameterValue",
            ),
            ({"Unit": "Furlongs"}, "InvalidParameterValue"),
            ({"StorageResolution": 30}, "InvalidParameterValue"),
            (
                {"Timestamp": datetime.now(UTC) - timedelta(days=14, minutes=1)},
                "InvalidParameterValue",
            ),
            (
                # Hours too far, as the tests before it may take an hour.
                {"Timestamp": datetime.now(UTC) + timedelta(hours=12)},
                "InvalidParameterValue",
            ),
        ],
    )
    def test_a_datum(
        self,
        client: Any,
        hook: Any,
        namespace: str,
        now: datetime,
        changed: dict[str, Any],
        code: str,
    ) -> None:
        """The whole request is; the good one is not there either."""
        good = {"MetricName": "m", "Value": 1.0, "Timestamp": now}
        bad = {name: value for name, value in {**good, **changed}.items() if value is not None}
        with pytest.raises(ClientError) as caught:
            client.put_metric_data(Namespace=namespace, MetricData=[good, bad])
        assert caught.value.response["Error"]["Code"] == code
        assert hook.read_points(query(namespace, now)).points == ()

    @pytest.mark.parametrize("namespace", ["AWS/EC2", "", ":x", "x" * 256, "größe"])
    def test_a_namespace(self, client: Any, hook: Any, namespace: str, now: datetime) -> None:
        with pytest.raises(ClientError) as caught:
            client.put_metric_data(
                Namespace=namespace, MetricData=[{"MetricName": "m", "Value": 1.0}]
            )
        assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
        with pytest.raises(MetricsError, match="namespace: ") as refused:
            hook.export_points([], namespace=namespace)
        assert refused.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_too_many_and_too_much(self, endpoint: str, admin: Admin, namespace: str) -> None:
        client = client_at(endpoint, disable_request_compression=True)
        datum = {"MetricName": "m", "Value": 1.0}
        client.put_metric_data(Namespace=namespace, MetricData=[datum] * 1000)
        for data, code in (
            ([datum] * 1001, "InvalidParameterValue"),
            ([], "MissingParameter"),
            (
                [{**datum, "Dimensions": [{"Name": "a", "Value": "x" * 1024}]}] * 999,
                "RequestEntityTooLarge",
            ),
        ):
            with pytest.raises(ClientError) as caught:
                client.put_metric_data(Namespace=namespace, MetricData=data)
            assert caught.value.response["Error"]["Code"] == code

    def test_members_that_are_not_known(self, client: Any, hook: Any) -> None:
        """botocore would not send one."""
        target = "GraniteServiceVersion20100801.ListMetrics"
        found = signed_post(client, b'{"Name": "x"}', {"X-Amz-Target": target})
        assert found.status_code == 400
        assert found.json()["__type"] == "InvalidParameterValue"

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"secret": "another"}, "SignatureDoesNotMatch"),
            ({"key": "another"}, "InvalidClientTokenId"),
        ],
    )
    def test_strangers(self, endpoint: str, given: dict[str, str], code: str) -> None:
        with pytest.raises(ClientError) as caught:
            client_at(endpoint, **given).list_metrics()
        assert caught.value.response["Error"]["Code"] == code

    def test_questions(self, client: Any, namespace: str, now: datetime) -> None:
        asked = {"Namespace": namespace, "MetricName": "m", "StartTime": now, "Statistics": ["Sum"]}
        day = timedelta(days=1)
        for given, code in (
            ({"EndTime": now + 2 * day, "Period": 60}, "InvalidParameterCombination"),
            ({"EndTime": now + day, "Period": 61}, "InvalidParameterValue"),
            ({"EndTime": now - day, "Period": 60}, "InvalidParameterValue"),
            (
                {"EndTime": now + day, "Period": 60, "Statistics": ["Median"]},
                "InvalidParameterValue",
            ),
        ):
            with pytest.raises(ClientError) as caught:
                client.get_metric_statistics(**{**asked, **given})
            assert caught.value.response["Error"]["Code"] == code


class TestStatistics:
    def test_percentiles_need_values(self, client: Any, namespace: str, now: datetime) -> None:
        client.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": "values",
                    "Timestamp": now,
                    "Values": [1.0, 2.0, 10.0],
                    "Counts": [50.0, 45.0, 5.0],
                },
                {
                    "MetricName": "set",
                    "Timestamp": now,
                    "StatisticValues": {"SampleCount": 3, "Sum": 6, "Minimum": 1, "Maximum": 3},
                },
            ],
        )

        def asked(name: str) -> Any:
            return client.get_metric_statistics(
                Namespace=namespace,
                MetricName=name,
                StartTime=now,
                EndTime=now + MINUTE,
                Period=60,
                Statistics=["Average", "SampleCount", "Minimum", "Maximum", "Sum"],
                ExtendedStatistics=["p50", "p95", "p99.9"],
            )["Datapoints"][0]

        values, told = asked("values"), asked("set")
        assert values["ExtendedStatistics"] == {"p50": 1.0, "p95": 2.0, "p99.9": 10.0}
        assert (values["SampleCount"], values["Sum"], values["Average"]) == (100.0, 190.0, 1.9)
        assert (told["SampleCount"], told["Sum"], told["Minimum"], told["Maximum"]) == (3, 6, 1, 3)
        assert "ExtendedStatistics" not in told

    def test_by_cbor(self, client: Any, namespace: str, now: datetime) -> None:
        """The other protocol of its model, which some versions of botocore prefer."""
        model = client.meta.service_model.operation_model("PutMetricData")
        from botocore.parsers import RpcV2CBORParser
        from botocore.serialize import RpcV2CBORSerializer

        given = {
            "Namespace": namespace,
            "MetricData": [{"MetricName": "m", "Value": 2.5, "Timestamp": now}],
        }
        sent = RpcV2CBORSerializer().serialize_to_request(given, model)
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        assert signed_post(client, sent["body"], headers, sent["url_path"]).status_code == 200
        model = client.meta.service_model.operation_model("ListMetrics")
        sent = RpcV2CBORSerializer().serialize_to_request({"Namespace": namespace}, model)
        found = signed_post(client, sent["body"], headers, sent["url_path"])
        parsed = RpcV2CBORParser().parse(
            {"status_code": 200, "headers": found.headers, "body": found.content},
            model.output_shape,
        )
        assert [one["MetricName"] for one in parsed["Metrics"]] == ["m"]


def signed_post(client: Any, body: bytes, headers: dict[str, str], path: str = "/") -> Any:
    """A request that botocore would not make."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = client.meta.endpoint_url + path
    headers = {"Content-Type": "application/x-amz-json-1.0", **headers}
    request = AWSRequest(method="POST", url=url, data=body, headers=headers)
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "monitoring", REGION).add_auth(request)
    return requests.post(url, data=body, headers=dict(request.headers.items()), timeout=10)


class TestReading:
    def test_a_new_series_is_found_by_all_of_its_attributes(
        self, hook: Any, admin: Admin, namespace: str, now: datetime
    ) -> None:
        """CloudWatch lists it later."""
        admin.seed("metrics_listing", [{"lag_s": 900}])
        attributes = {"airflow.dag_id": "release", "ü": "", "n": 1}
        hook.export_points(
            [MetricPoint(name="m", data=Gauge(2.0), time=now, attributes=attributes)],
            namespace=namespace,
        )
        assert hook.read_points(query(namespace, now)).points == ()
        (found,) = hook.read_points(query(namespace, now, attributes=attributes)).points
        assert found.total == 2.0
        assert found.attributes == {"airflow.dag_id": "release", "ü": "", "n": "1"}

    def test_pages(self, hook: Any, admin: Admin, namespace: str, now: datetime) -> None:
        """Whose borders are anywhere, also between the statistics of a point."""
        admin.seed("metrics_pages", [{"points": 7}])
        points = [
            MetricPoint(
                name="m",
                data=Gauge(float(number)),
                time=now + timedelta(seconds=number),
                attributes={"n": number % 3},
            )
            for number in range(40)
        ]
        hook.export_points(points, namespace=namespace)
        found = hook.read_points(query(namespace, now)).points
        assert [one.total for one in found] == [float(number) for number in range(40)]

    def test_more_series_than_a_page_lists(self, hook: Any, namespace: str, now: datetime) -> None:
        points = [
            MetricPoint(name="m", data=Gauge(1.0), time=now, attributes={"n": number})
            for number in range(620)
        ]
        hook.export_points(points, namespace=namespace)
        found = hook.read_points(query(namespace, now)).points
        assert {one.attributes["n"] for one in found} == {str(number) for number in range(620)}

    def test_older_points_are_there_by_minutes(
        self, hook: Any, namespace: str, now: datetime
    ) -> None:
        """Two of one minute are one point then; those of the last three hours are not."""
        old = now - timedelta(hours=5)
        points = [
            MetricPoint(name="m", data=Gauge(1.0), time=time + timedelta(seconds=seconds))
            for time in (old, now)
            for seconds in (10, 20)
        ]
        told = hook.export_points(points, namespace=namespace)
        assert ConversionKind.TIME_ROUNDED in {one.what for one in told.conversions}
        asked = query(namespace, now, since=old)
        found = [(one.time, one.count) for one in hook.read_points(asked).points]
        assert found == [
            (old, 2),
            (now + timedelta(seconds=10), 1),
            (now + timedelta(seconds=20), 1),
        ]
        # What began in the minute that is asked for is there.
        asked = replace(asked, since=old + timedelta(seconds=15), until=old + MINUTE)
        assert [one.count for one in hook.read_points(asked).points] == [2]

    def test_long_ago(self, hook: Any, namespace: str, now: datetime) -> None:
        """It says what may not be there, and asks for no period that would have no answer."""
        hook.export_points([MetricPoint(name="m", data=Gauge(1.0), time=now)], namespace=namespace)
        reading = hook.read_points(query(namespace, now, since=now - timedelta(days=100)))
        assert [one.time for one in reading.points] == [now]
        assert len(reading.notes) == 1


class TestConverting:
    def test_a_histogram_of_many_buckets(
        self, hook: Any, client: Any, namespace: str, now: datetime
    ) -> None:
        """None is lost: its values go into several records of one request."""
        counts = tuple(number % 7 for number in range(700))
        total = sum(count * 2 ** ((place - 349.5) / 16) for place, count in enumerate(counts))
        data = ExponentialHistogram(
            count=sum(counts),
            scale=4,
            positive=ExponentialBuckets(-350, counts),
            total=total,
            temporality=Temporality.DELTA,
        )
        told = hook.export_points(
            [MetricPoint(name="m", data=data, time=now, start=now - MINUTE)], namespace=namespace
        )
        assert (told.accepted, told.requests) == (1, 1)
        (found,) = hook.read_points(query(namespace, now)).points
        assert (found.count, found.total) == (data.count, pytest.approx(total))
        assert found.minimum
        assert 2 ** (-349 / 16) < found.minimum < 2 ** (-348 / 16)
        stored = client.get_metric_statistics(
            Namespace=namespace,
            MetricName="m",
            StartTime=now,
            EndTime=now + MINUTE,
            Period=60,
            ExtendedStatistics=["p50"],
        )["Datapoints"][0]["ExtendedStatistics"]["p50"]
        # Half of all values: in the middle of the buckets.
        assert 0.5 < stored < 2

    def test_figures_that_contradict_each_other(
        self, hook: Any, namespace: str, now: datetime
    ) -> None:
        """Count, sum, minimum and maximum are kept as they are, and the account says so."""
        data = Histogram(
            count=2,
            bounds=(1.0,),
            counts=(2, 0),
            total=50.0,
            minimum=0.0,
            maximum=0.5,
            temporality=Temporality.DELTA,
        )
        told = hook.export_points([MetricPoint(name="m", data=data, time=now)], namespace=namespace)
        assert told.accepted == 1
        assert ConversionKind.BUCKETS_LOST in {one.what for one in told.conversions}
        (found,) = hook.read_points(query(namespace, now)).points
        assert (found.count, found.total, found.minimum, found.maximum) == (2, 50.0, 0.0, 0.5)

    @pytest.mark.parametrize("value", [2.0**361, -(2.0**361), 2.0**-361])
    def test_values_that_cloudwatch_refuses(
        self, hook: Any, namespace: str, now: datetime, value: float
    ) -> None:
        told = hook.export_points(
            [MetricPoint(name="m", data=Gauge(value), time=now)], namespace=namespace
        )
        assert (told.dropped, told.requests) == (1, 0)

    @pytest.mark.parametrize(
        "data",
        [
            Histogram(count=10**400, temporality=Temporality.DELTA, total=1.0),
            Histogram(
                count=10**400,
                temporality=Temporality.DELTA,
                bounds=(1.0,),
                counts=(10**400, 0),
                total=1.0,
            ),
            Histogram(
                count=10**400, temporality=Temporality.DELTA, total=1.0, minimum=0.0, maximum=1.0
            ),
        ],
        ids=["mean", "buckets", "statistics"],
    )
    def test_a_count_that_is_no_float(
        self, hook: Any, namespace: str, now: datetime, data: Histogram
    ) -> None:
        """It costs its own point alone."""
        points = [
            MetricPoint(name=name, data=one, time=now)
            for name, one in (("bad", data), ("good", Gauge(1.0)))
        ]
        told = hook.export_points(points, namespace=namespace)
        assert (told.accepted, told.dropped) == (1, 1)

    @pytest.mark.parametrize(
        ("unit", "kept", "says_all"),
        [
            ("By", "Bytes", True),
            ("ms", "Milliseconds", True),
            ("%", "Percent", True),
            ("1", "", True),
            ("", "", True),
            ("{object}", "Count", False),
            ("Cel", "", False),
        ],
    )
    def test_units(
        self, hook: Any, namespace: str, now: datetime, unit: str, kept: str, says_all: bool
    ) -> None:
        told = hook.export_points(
            [MetricPoint(name="m", data=Gauge(1.0), time=now, unit=unit)], namespace=namespace
        )
        (found,) = hook.read_points(query(namespace, now)).points
        assert found.unit == kept
        assert (ConversionKind.UNIT_LOST in {one.what for one in told.conversions}) != says_all

    def test_long_texts_are_told_apart(self, hook: Any, namespace: str, now: datetime) -> None:
        """Also those that differ only in what is cut."""
        values = {"x" * 5000 + end: float(number) for number, end in enumerate("ab")}
        points = [
            MetricPoint(name="m" * 300, data=Gauge(value), time=now, attributes={"long": text})
            for text, value in values.items()
        ]
        told = hook.export_points(points, namespace=namespace)
        kinds = {one.what for one in told.conversions}
        assert kinds == {ConversionKind.NAME_CHANGED, ConversionKind.ATTRIBUTE_CUT}
        for text, value in values.items():
            asked = query(namespace, now, "m" * 300, attributes={"long": text})
            assert [one.total for one in hook.read_points(asked).points] == [value]

    @pytest.mark.parametrize("filler", ["x", '"', "\\", "ü", "\x01", "🚀"])
    def test_requests_are_no_larger_than_allowed(
        self, hook: Any, admin: Admin, namespace: str, now: datetime, filler: str
    ) -> None:
        """Whatever the texts become on the wire: none is refused, so none is sent in halves."""
        points = [
            MetricPoint(
                name="m",
                data=Counter(float(number), Temporality.DELTA),
                time=now,
                attributes={str(key): filler * 300 for key in range(3)} | {"n": number},
            )
            for number in range(500)
        ]
        told = hook.export_points(points, namespace=namespace)
        assert (told.accepted, told.refusals) == (500, ())
        puts = [one for one in admin.requests() if one["action"].endswith("PutMetricData")]
        assert {one["status"] for one in puts} == {200}


class TestOtlp:
    def request(self, *names: str) -> bytes:
        request = ExportMetricsServiceRequest()
        scope = request.resource_metrics.add().scope_metrics.add()
        for name in names:
            point = scope.metrics.add(name=name).gauge.data_points.add()
            point.as_double = 1.0
        return request.SerializeToString()

    def post(self, target: Any, body: bytes, **headers: str) -> Any:
        return requests.post(
            target.url,
            data=body,
            headers={
                **target.headers_for(body),
                "Content-Type": "application/x-protobuf",
                **headers,
            },
            timeout=10,
            verify=target.verify,
        )

    def test_it_is_taken(self, hook: Any, local_cloudwatch: LocalServer) -> None:
        assert isinstance(hook, OtlpMetrics)
        target = hook.otlp_metrics_target()
        assert target.url.endswith("/v1/metrics")
        name = uuid.uuid4().hex
        answer = self.post(target, self.request(name))
        assert answer.status_code == 200
        assert name in str(otlp.requests_at(local_cloudwatch.endpoint)[-1])

    def test_a_signature_is_of_one_body(self, hook: Any) -> None:
        target = hook.otlp_metrics_target()
        other = target.headers_for(b"another body")
        answer = self.post(target, self.request("m"), **other)
        assert answer.status_code == 403

    def test_some_are_rejected(self, hook: Any, local_cloudwatch: LocalServer) -> None:
        fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")
        plant(local_cloudwatch.endpoint, "metrics", [fault])
        answer = self.post(hook.otlp_metrics_target(), self.request("good", "bad"))
        told = ExportMetricsServiceResponse.FromString(answer.content)
        assert told.partial_success.rejected_data_points == 1

    def test_another_place(self, hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = '{"region_name": "eu-central-1", "service_config": {"monitoring_otlp": '
        extra += '{"endpoint_url": "https://user:pw@otlp.example/"}}}'
        for conn_id, given in (("otlp_own", "{}"), ("otlp_there", extra)):
            monkeypatch.setenv(
                f"AIRFLOW_CONN_{conn_id.upper()}",
                '{"conn_type": "aws", "login": "a", "password": "b", "extra": '
                + (given if given != "{}" else '{"region_name": "eu-central-1"}')
                + "}",
            )
        own: Any = registry.resolve(Metrics, "otlp_own")
        there: Any = registry.resolve(Metrics, "otlp_there")
        assert own.otlp_metrics_target().url == (
            "https://monitoring.eu-central-1.amazonaws.com/v1/metrics"
        )
        assert there.otlp_metrics_target().url == "https://otlp.example/v1/metrics"


def test_what_is_not_here_is_motos(client: Any) -> None:
    """Alarms, say."""
    assert client.describe_alarms()["MetricAlarms"] == []


def test_credentials_that_can_not_be_fetched(
    local_cloudwatch: LocalServer,
    endpoint: str,
    namespace: str,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are asked for before anything is sent, so that nobody doubts what became of it."""
    (tmp_path / "token").write_text("token")
    for name, value in {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/exporter",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_MAX_ATTEMPTS": "1",
        "AIRFLOW_CONN_ROLE": json.dumps(
            {"conn_type": "aws", "extra": {"region_name": REGION, "endpoint_url": endpoint}}
        ),
    }.items():
        monkeypatch.setenv(name, value)
    metrics: Any = registry.resolve(Metrics, "role")
    logs: Any = registry.resolve(Logs, "role")
    with pytest.raises(MetricsError) as caught:
        metrics.export_points(
            [MetricPoint(name="m", data=Gauge(1.0), time=now)], namespace=namespace
        )
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    with pytest.raises(LogsError) as refused:
        logs.write_entries([LogEntry(time=now, message="m")], log=namespace)
    assert refused.value.kind is ErrorKind.UNAVAILABLE


class TestOddAnswers:
    """What is no answer of CloudWatch's is told as that, and never read as "there is nothing"."""

    @pytest.mark.parametrize(
        "answer",
        [
            {"body": {}, "headers": {"content-type": "text/html"}},
            {"headers": {"content-type": "text/html"}},
            {"status": 204},
            {"status": 400, "body": {"__type": ["x"]}},
            {"status": 302, "body": {"__type": ["x"]}},
        ],
        ids=["page", "empty page", "nothing", "code", "redirection"],
    )
    def test_a_page_in_the_answers_place(
        self, hook: Any, admin: Admin, namespace: str, now: datetime, answer: dict[str, Any]
    ) -> None:
        """Nothing was accepted, as far as is known."""
        admin.script("/", [answer])
        told = hook.export_points(
            [MetricPoint(name="m", data=Gauge(1.0), time=now)], namespace=namespace
        )
        assert (told.accepted, told.unknown) == (0, 1)
        assert told.refusals[0].kind is ErrorKind.INTEGRITY
        admin.script("/", [answer])
        with pytest.raises(MetricsError) as caught:
            hook.read_points(query(namespace, now))
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        "body",
        [
            {"Metrics": None},
            {"Metrics": [{"Dimensions": [{"Name": "a"}]}]},
            {"Metrics": [], "NextToken": "same"},
        ],
    )
    def test_a_listing(
        self, hook: Any, admin: Admin, namespace: str, now: datetime, body: dict[str, Any]
    ) -> None:
        admin.script("/", [{"body": body}] * 2)
        with pytest.raises(MetricsError) as caught:
            hook.read_points(query(namespace, now))
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        "result",
        [
            {"Id": "other", "Timestamps": [1e9], "Values": [1.0]},
            {"Id": "m7_0", "Timestamps": [1e9], "Values": [1.0]},
            {"Id": "m0_0", "Timestamps": [1e9], "Values": []},
            {"Id": "m0_1", "Timestamps": [1e9], "Values": [1.0]},
            {"Timestamps": []},
        ],
    )
    def test_figures(
        self, hook: Any, admin: Admin, namespace: str, now: datetime, result: dict[str, Any]
    ) -> None:
        admin.script("/", [{"body": {"Metrics": []}}, {"body": {"MetricDataResults": [result]}}])
        with pytest.raises(MetricsError) as caught:
            hook.read_points(query(namespace, now))
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_what_could_not_be_read(
        self, hook: Any, admin: Admin, namespace: str, now: datetime
    ) -> None:
        hostile = [{"Code": "x\n", "Value": "\x1b[31m"}]
        result = {"Id": "m0_0", "Timestamps": [], "Values": [], "StatusCode": "InternalError"}
        figures = {"MetricDataResults": [result] * 2, "Messages": hostile}
        admin.script("/", [{"body": {"Metrics": []}}, {"body": figures}])
        reading = hook.read_points(query(namespace, now))
        assert len(reading.notes) == 2
        assert all(note.isprintable() for note in reading.notes)

"""What is reached in botocore and in Airflow's AWS hook without being documented is still there.

A test that fails here after an upgrade says which function of ``clouds/aws/seams.py`` to mend.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import botocore.session
import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError
from botocore.loaders import create_loader
from botocore.parsers import create_parser

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.clouds.aws import seams
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        endpoint_url="http://127.0.0.1:9",
    )


def answer_by(client: Any, body: bytes) -> None:
    """Have every request answered with this, and none sent."""

    def answer(request: Any, **_: object) -> AWSResponse:
        answered = AWSResponse(request.url, 200, {}, None)
        answered._content = body
        return answered

    client.meta.events.register("before-send.s3", answer)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> str:
    given = {"conn_type": "aws", "login": "a", "password": "b", "extra": {"region_name": "a-b-1"}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_SEAMS", json.dumps(given))
    return "aws_seams"


def test_airflows_user_agent(connection: str) -> None:
    config = seams.config_of(AwsBaseHook(connection, client_type="s3"))
    assert "Airflow/" in config.user_agent_extra, "AwsGenericHook._get_config gives no user agent"


def test_airflow_asks_our_hook_who_called(connection: str) -> None:
    class Operator:
        def execute(self) -> Any:
            return seams.config_of(S3ObjectStoreHook(connection))

    caller = Operator().execute().user_agent_extra
    assert "Caller/Operator" in caller, "AwsGenericHook no longer calls _get_caller"


@pytest.mark.parametrize("given", [True, False])
def test_requester_pays(connection: str, given: bool) -> None:
    assert seams.requester_pays_of(S3Hook(connection, requester_pays=given)) is given


def test_what_the_parser_raises_is_told_from_our_own() -> None:
    shape = boto3.client("s3", region_name="a-b-1").meta.service_model.operation_model("HeadObject")
    answer = {"status_code": 200, "headers": {"Content-Length": "many"}, "body": b""}
    with pytest.raises(ValueError, match="many") as caught:
        create_parser("rest-xml").parse(answer, shape.output_shape)
    assert seams.raised_by_answer(caught.value), "botocore parses elsewhere than in its parsers"
    with pytest.raises(ValueError, match="many") as ours:
        int("many")
    assert not seams.raised_by_answer(ours.value)


@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [(200, b"null", False), (400, b'{"__type": ["x"]}', False), (200, b"{}", True)],
)
def test_an_answer_is_looked_at_outside_of_the_parser_too(
    status: int, body: bytes, ours: bool
) -> None:
    """What keeps a request from being signed is no matter of an answer."""
    given = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client: Any = boto3.client("logs", region_name="eu-central-1", **given)

    def answer(request: Any, **_: object) -> AWSResponse:
        answered = AWSResponse(request.url, status, {}, None)
        answered._content = body
        return answered

    def unsignable(**_: object) -> None:
        raise TypeError

    client.meta.events.register("before-send.cloudwatch-logs", answer)
    if ours:
        client.meta.events.register("before-sign.cloudwatch-logs", unsignable)
    with pytest.raises(MALFORMED) as caught:
        client.describe_log_groups()
    assert seams.raised_by_answer(caught.value) is not ours


def test_bucket_names_are_checked_by_one_handler(client: Any) -> None:
    answer_by(client, b"")
    with pytest.raises(ParamValidationError, match="Invalid bucket name"):
        client.head_bucket(Bucket="tenant:bucket")
    seams.accept_any_bucket_name(client)
    client.head_bucket(Bucket="tenant:bucket")


def test_answers_are_parsed_by_us_first(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[bytes] = []

    def look(_status: int, body: bytes) -> bool:
        looked_at.append(body)
        return False

    def parse(
        response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
    ) -> None:
        assert response_dict["status_code"] == 200
        assert response_dict["body"] == b"<ListBucketResult><Name>theirs</Name></ListBucketResult>"
        response_dict["body"] = b"<ListBucketResult/>"
        customized_response_dict["Page"] = "ours"

    monkeypatch.setattr("botocore.handlers._looks_like_special_case_error", look)
    answer_by(client, b"<ListBucketResult><Name>theirs</Name></ListBucketResult>")
    seams.parse_first(client, "ListObjectsV2", parse)
    found = client.list_objects_v2(Bucket="bucket")
    assert found.get("Page") == "ours", "botocore no longer emits before-parse"
    assert "Name" not in found, "botocore parses the body that it had before before-parse"
    assert looked_at == [b"<ListBucketResult/>"], "botocore looks for errors before us"


def test_a_request_shows_its_url_and_region_before_it_is_signed(client: Any) -> None:
    shown: list[tuple[str, str | None]] = []

    def look(request: Any, **_: object) -> None:
        shown.append((request.url, seams.signing_region_of(request)))

    answer_by(client, b"")
    seams.before_signing(client, "HeadBucket", look)
    client.head_bucket(Bucket="bucket")
    client.head_object(Bucket="bucket", Key="another operation")
    assert shown == [("http://127.0.0.1:9/bucket", "eu-central-1")]


@pytest.mark.parametrize(
    ("service", "operation", "given", "code", "status", "tries"),
    [
        (*one, *answer)
        for one in (
            ("cloudwatch", "PutMetricData", {"Namespace": "n"}),
            ("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s"}),
        )
        for answer in (
            ("ThrottlingException", 400, 5),
            ("SlowDown", 503, 5),
            ("InternalServiceError", 500, 1),
            ("ServiceUnavailable", 503, 1),
            ("LimitExceededException", 400, 1),
        )
    ],
)
def test_only_what_was_throttled_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    operation: str,
    given: dict[str, Any],
    code: str,
    status: int,
    tries: int,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    client = boto3.client(
        service,
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=seams.SEND_ONCE,
    )
    seams.resend_throttled(client, operation, BASE)
    sent = []

    def answer(request: Any, **_: object) -> AWSResponse:
        sent.append(request)
        answered = AWSResponse(request.url, status, {}, None)
        answered._content = json.dumps({"__type": code}).encode()
        return answered

    client.meta.events.register(f"before-send.*.{operation}", answer)
    with pytest.raises(ClientError, match=code):
        getattr(client, xform_name(operation))(**given)
    assert len(sent) == tries, "the event needs-retry is another"
    assert len(waits) == tries - 1
    assert all(0 <= wait <= 2**place for place, wait in enumerate(waits))


def test_a_lost_answer_is_not_asked_for_again() -> None:
    client = boto3.client(
        "logs",
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=seams.SEND_ONCE,
    )
    seams.resend_throttled(client, "PutLogEvents", BASE)
    sent = []

    def answer(request: Any, **_: object) -> None:
        sent.append(request)
        raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.*.PutLogEvents", answer)
    with pytest.raises(ConnectionClosedError):
        client.put_log_events(logGroupName="g", logStreamName="s", logEvents=[])
    assert len(sent) == 1


def test_models_read_fast_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each session has a loader of its own, which all tests else share.
    monkeypatch.setattr(botocore.session, "create_loader", create_loader)
    slow, fast = boto3.Session(), boto3.Session()
    seams.load_models_fast(fast)
    for name in ("endpoints", "partitions", "s3/2006-03-01/service-2", "nothing"):
        loaders = [one._session.get_component("data_loader") for one in (slow, fast)]
        said, read = (loader.file_loader.load_file(f"{path}/{name}") for loader in loaders
                      for path in [loader.BUILTIN_DATA_PATH])  # fmt: skip
        assert read == said
    assert read is None
    assert type(loaders[1].file_loader) is not type(loaders[0].file_loader)
    made: Any = fast.client("s3", region_name="eu-central-1")
    assert made.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"

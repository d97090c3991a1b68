"""What the SDKs log keeps its sense and loses its secrets."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import parse_qs, quote, urlsplit

import botocore.parsers
import pytest
from botocore.session import Session

import airflow_multicloud.clouds  # noqa: F401 - what puts the filter on
from airflow_multicloud.adapters.sdk_logs import LOGGERS, without_secrets
from airflow_multicloud.adapters.secret_text import without_header_values, without_user

S = "s3cr3t/+=tok%2Fen"


@pytest.mark.parametrize(
    "text",
    [
        f"{{'X-Amz-Security-Token': b'{S}', 'host': b'kept'}}",
        f"{{'Authorization': b'AWS4-HMAC-SHA256 Credential={S}/x, Signature={S}', 'h': 'kept'}}",
        f'{{"access_token": "{S}", "expires_in": "kept"}}',
        f'b\'{{"SecretAccessKey": "{S}", "kept": 1}}\'',
        f'{{\\"client_secret\\": \\"{S}\\", \\"kept\\": 1}}',
        f"<SessionToken>{S}</SessionToken><a>kept</a>",
        f"b'<SecretAccessKey>{S}</SecretAccessKey>\\n<kept/>'",
        f"GET\n/kept\nx-amz-security-token:{S}\nhost:a",
        f"X-Amz-Security-Token: {S}\r\nkept: a",
        f"Signature:\n{S}\nkept",
        f'"GET /kept?sp=r&sig={S}&sv=1 HTTP/1.1" 200',
        f"http://kept/?X-Amz-Signature={S}&X-Amz-Credential={S}",
        f"http://kept/?X-Goog-Signature={S}",
        f"grant_type=kept&client_secret={S}&assertion={S}",
        f"AccountName=kept;AccountKey={S};EndpointSuffix=x",
        f"url='https://kept/?sig={S}'",
        f"X-Amz-S3session-Token: {S}\r\nkept: a",
        f"{{'x-amz-s3session-token': '{S}', 'h': 'kept'}}",
        f"<sts:SecretAccessKey>{S}</sts:SecretAccessKey><a>kept</a>",
        f"<SessionToken xmlns='x' a=\"b\">{S}</SessionToken ><a>kept</a>",
        f"<a>kept</a><SessionToken>{S}",
        f"[('Authorization', 'Bearer {S}'), ('h', 'kept')]",
        f'(b"Authorization", b"Bearer {S}"), kept',
        f"authorization=Bearer {S}, kept",
        f"Proxy-Authorization = Basic {S}\nkept",
        f"kept: Bearer {S}1",
        f"proxy http://user:{S.replace('/', '')}@kept:3128",
        f"Credentials(region='kept', secret_key='{S}', token='{S}')",
        f"https://kept/?to=https%3A%2F%2Fx%2F%3Fsv%3D1%26sig%3D{S}",
        f"{{'UserData': '{S}', 'ImageId': 'kept'}}",
        f"Action=kept&UserData={S}&ImageId=a",
        f'{{"customData": "{S}", "computerName": "kept"}}',
        f"<a>kept</a><userData>{S}</userData>",
        f"{{'SSECustomerKey': b'{S}', 'client_secret': ['{S}'], 'h': 'kept'}}",
        f"ValueError: kept Authorization: Basic {S}",
        f"kept: X-Amz-Server-Side-Encryption-Customer-Key: {S}",
        f"authorization had value {S}\nkept",
        "with the header Basic s3cr3tAbc1== as kept",
        "with the header SharedKey account:s3cr3t/+=Abc1 as kept",
        # As an error of this package has it, in one line
        f"to sign:\\n'GET\\nx-amz-security-token:{S}\\nhost:kept",
        f"said\\nSignature:\\n{S}\\nkept",
        f"said\\nsig={S}&kept=1",
        f"said\\nBearer {S}1 kept",
        f"InstrumentationKey={S};IngestionEndpoint=https://kept/",
        f'{{"iKey":"{S}", "kept": 1}}',
        f"{{'x-api-key': '{S}', 'h': 'kept'}}",
        f"https://kept/v3?key={S}",
        f"kept passwd={S}",
        f"kept;pwd={S};api_key={S}",
        f"-----BEGIN RSA PRIVATE KEY-----\nA-B: c\n\n{S}\n-----END RSA PRIVATE KEY----- kept",
        f"http://user:{S}@more@kept:3128",
        "http://user:p@s3cr3t@kept:3128",
        "kept ftp+-http://user:s3cr3t@kept",
    ],
)
def test_secrets_go_and_the_rest_stays(text: str) -> None:
    shown = without_secrets(text)
    assert "s3cr3t" not in shown
    assert "tok%2Fen" not in shown
    assert "kept" in shown


def test_a_script_in_base64_goes_wherever_it_stands() -> None:
    script = base64.b64encode(b"#!/bin/sh\ncurl 'https://host/?sig=s3cr3t'\n").decode()
    for text in (script, quote(script, safe="")):
        assert without_secrets(f"sent {text} as it is kept") == "sent *** as it is kept"


@pytest.mark.parametrize(
    "text",
    [
        "GET /bucket?list-type=2&prefix=design%2F&continuation-token=abc HTTP/1.1",
        "{'Content-MD5': 'abc', 'x-amz-checksum-crc32c': 'def'}",
        "Retry needed, retrying request after delay of: 0.3",
        "assign=1&password_policy=2",
        "s3://aws_default@bucket/key: and gs://bucket@x/y:z",
        "use Bearer authentication for ['token', 'x']",
        "<Token/><a>kept</a>",
        "http://host:8080/a@b",
        "Basic authentication, or Basic Standard_D2s_v3",
        "The header Authorization is missing",
        "https://host/?monkey=1&key-marker=2",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        *("a-", "a.", "a", " ", "://", "://a:", "://:", "(", "<token a", "'token':", "token ="),
        *("Bearer ", "Basic ", "-----BEGIN PRIVATE KEY-----", "-", "cookie:", "header "),
        *("\\", "\\n"),
    ],
)
def test_a_long_text_ends(unit: str) -> None:
    """Where a search began anew at each character this took minutes."""
    text = (unit * 100_000)[:100_000]
    assert len(without_secrets(text)) < len(text)
    without_header_values(text)
    assert without_user(f"{text[:20_000]} kept").endswith("kept")


def test_a_text_that_is_cut_shows_no_half_secret() -> None:
    text = f"{'x ' * 32_760}http://user:s3cr3t@host"
    shown = without_secrets(text)
    assert shown.endswith("x …")
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid header value b's3cr3t\\n'", "Invalid header value"),
        ("character(s) in header value: 'Basic s3cr3t\\n'", "character(s) in header value"),
        ("Header value must be str or bytes, not s3cr3t", "Header value"),
    ],
)
def test_a_header_value_that_is_refused_is_not_shown(text: str, shown: str) -> None:
    assert without_header_values(text) == f"{shown} (not shown: it may be a secret)"


def test_the_words_of_a_service_about_a_header_stay() -> None:
    text = "(InvalidHeaderValue) The value for one of the HTTP headers is not in the correct format"
    assert without_header_values(text) == text


@pytest.mark.parametrize("name", LOGGERS)
def test_no_record_is_dropped_and_no_secret_passes(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger=name):
        logger = logging.getLogger(name)
        logger.debug("%s of %s", {"Authorization": f"Bearer {S}"}, "kept")
        logger.debug("failed", exc_info=ValueError(f"https://host/?sig={S}"))
    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG"]
    assert "of kept" in caplog.text
    assert "ValueError" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(("text", "args"), [("%s of %d", (S, S)), ("of too many", (S,))])
def test_a_record_that_can_not_be_formatted_ends_no_call(
    caplog: pytest.LogCaptureFixture, text: str, args: tuple[str, ...]
) -> None:
    with caplog.at_level(logging.DEBUG, logger=LOGGERS[0]):
        logging.getLogger(LOGGERS[0]).debug(text, *args)
    assert caplog.messages == ["a message that can't be formatted"]
    assert "s3cr3t" not in caplog.text


def test_a_signed_url_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    session = Session()
    session.set_credentials("AKIAPLANTED", f"key-{S}", f"token-{S}")
    with caplog.at_level(logging.DEBUG):
        client = session.create_client("s3", region_name="eu-west-1")
        url = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    query = parse_qs(urlsplit(url).query)
    secret = query.get("X-Amz-Signature") or query["Signature"]
    assert caplog.records
    assert secret[0] not in caplog.text
    assert "token-s3cr3t" not in caplog.text


def test_new_keys_of_sts_are_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    body = (
        "<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult>"
        f"<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>{S}</SecretAccessKey>"
        f"<SessionToken>{S}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
    shape = Session().get_service_model("sts").operation_model("AssumeRole").output_shape
    with caplog.at_level(logging.DEBUG):
        parsed = botocore.parsers.QueryParser().parse(
            {"status_code": 200, "headers": {}, "body": body.encode()}, shape
        )
    assert parsed["Credentials"]["SessionToken"] == S
    assert "AssumeRoleResult" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("kind", ["request", "response"])
def test_a_secrets_value_is_not_beside_the_message(kind: str) -> None:
    """Google's gRPC clients put requests and answers there, as JSON with bytes in base64."""
    logger = logging.getLogger(
        "google.cloud.secretmanager_v1.services.secret_manager_service.transports.grpc"
    )
    value = base64.b64encode(b"canary" * 20_000).decode()
    payload = json.dumps({"name": "projects/p/secrets/s", "payload": {"data": value}}, indent=2)
    record = logger.makeRecord(
        logger.name, logging.DEBUG, "f", 1, "Sending", (), None, extra={kind: {"payload": payload}}
    )
    assert logger.filter(record)
    shown = str(vars(record))
    assert value[:16] not in shown
    assert value[-16:] not in shown
    assert "projects/p/secrets/s" in shown


@pytest.mark.parametrize("value", ["plain-canary", "a\"b'c}canary", '{"k": "canary"}', "\\canary"])
def test_values_of_secrets_are_hidden_to_their_end(value):
    """Wherever quotes stand in them: botocore logs JSON as the text of Python's bytes."""
    body = json.dumps({"Name": "app/db", "SecretString": value, "VersionId": "1"}).encode()
    for text in (
        f"Response body:\n{body!r}",
        f"Making request with params: {{'body': {body!r}, 'url': 'https://x'}}",
        f"params: {{'SecretString': {value!r}}}",
        body.decode(),
    ):
        shown = without_secrets(text)
        assert "canary" not in shown
        assert "***" in shown
    assert "app/db" in without_secrets(body.decode())

"""Canaries planted as credentials show up in nothing this package writes, returns or raises."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import get_contextvars

from airflow_multicloud import api
from airflow_multicloud.core import telemetry
from airflow_multicloud.errors import CloudError
from airflow_multicloud.operators.drill import (
    DrillReportOperator,
    FailoverDrillOperator,
    WriteCanaryOperator,
)
from airflow_multicloud.operators.object_store import (
    FailoverFetchOperator,
    PlanReplicationOperator,
    ReplicateOperator,
    UploadArtifactOperator,
    VerifyReplicaOperator,
)
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT, AZURITE_KEY

from . import strict_aws
from .airflow_runs import Bare
from .lab import Lab, at, fill, own_keys, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow.sdk import BaseOperator

    from airflow_multicloud.testing.local_clouds import LocalClouds, LocalServer

_NEW_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Watch:
    """Everything that came out, by where it came out; and what must not be in it."""

    capfd: pytest.CaptureFixture[str]
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    figures: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    canaries: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)

    def plant(self, name: str, secret: str) -> str:
        """Remember a secret, in every form in which it may come out again."""
        forms = {secret, quote(secret, safe=""), unquote(secret), json.dumps(secret)[1:-1]}
        self.canaries |= {f"{name} ({number})": form for number, form in enumerate(sorted(forms))}
        return secret

    def hear(self, where: str, text: object) -> None:
        self.heard.append((where, str(text)))

    def told(self, where: str) -> str:
        """What came out at one place."""
        self._collect()
        return "\n".join(text for place, text in self.heard if place == where)

    def leaks(self) -> list[str]:
        self._collect()
        return [
            f"{name} in {where}: {text}"
            for where, text in self.heard
            for name, secret in self.canaries.items()
            if secret in text
        ]

    def _collect(self) -> None:
        for span in self.spans.get_finished_spans():
            self.hear("span", span.to_json())
        self.spans.clear()
        if (figures := self.figures.get_metrics_data()) is not None:
            self.hear("metric", figures.to_json())
        output = self.capfd.readouterr()
        self.hear("output", output.out + output.err)

    def run(self, operator: BaseOperator) -> Any:
        """Execute, and hear what goes to XCom."""
        context = Bare()
        try:
            result = operator.execute(context)  # type: ignore[arg-type]
            self.hear("xcom", json.dumps(result))
        finally:
            self.hear("xcom", json.dumps(context.pushed))
        return result

    def fails(self, work: Callable[[], object]) -> None:
        """Whatever a run raises, in every form in which it may be shown."""
        with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever it is
            work()
        err: BaseException | None = caught.value
        self.hear("error", "".join(traceback.format_exception(caught.value)))
        while err is not None:
            self.hear("error", f"{err}\n{err!r}")
            if isinstance(err, CloudError):
                self.hear("error", vars(err))
            err = err.__cause__ or (None if err.__suppress_context__ else err.__context__)

    def hear_own_objects(self, lab: Lab) -> None:
        """Ledgers, evidence and whatever else this package keeps in the buckets."""
        for uri in (lab.s3, lab.gcs, lab.azure):
            end = at(uri)
            for key in own_keys(uri):
                content = bytes(end.store.get_object(end.ref(key)).read())
                self.hear("own object", f"{key} {end.store.stat_object(end.ref(key))} {content!r}")


class _Listener(logging.Handler):
    """Records as they are logged, before Airflow masks anything."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.hear("log", self.format(record))
        # What structured handlers write besides.
        self._watch.hear("log", f"{vars(record)} {get_contextvars()}")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Watch]:
    kept = Watch(capfd)
    listener = _Listener(kept)
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(kept.spans))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers)
    meters = MeterProvider([kept.figures])
    monkeypatch.setattr("opentelemetry.metrics._internal._METER_PROVIDER", meters)
    before = {}
    for name, level in {
        "": "DEBUG",
        "airflow_multicloud": "DEBUG",
        "airflow.task": "DEBUG",
    }.items():
        logger = logging.getLogger(name)
        before[logger] = logger.level
        logger.setLevel(level)
        logger.addHandler(listener)
    yield kept
    for logger, number in before.items():
        logger.setLevel(number)
        logger.removeHandler(listener)
    tracers.shutdown()
    meters.shutdown()


@pytest.fixture
def token_server() -> Iterator[tuple[str, Callable[[str | None], None]]]:
    """Google's token endpoint: gives the token it was told, or refuses."""
    tokens: list[str | None] = [None]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assertion = self.rfile.read(int(self.headers["content-length"])).decode()
            refusal = {"error": "invalid_grant", "error_description": f"refused: {assertion}"}
            token = tokens[-1]
            grant = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
            body = json.dumps(grant if token else refusal).encode()
            self.send_response(200 if token else 400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token", tokens.append
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with strict_aws.running(tmp_path_factory.mktemp("strict-aws")) as server:
        yield server


def connect(conn_id: str, connection: Mapping[str, object], patch: pytest.MonkeyPatch) -> str:
    patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    return conn_id


def local(conn_id: str) -> dict[str, Any]:
    connection: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
    return connection


def aws(watch: Watch, endpoint: str) -> dict[str, object]:
    return {
        "conn_type": "aws",
        "login": watch.plant("access key", f"AKIA{secrets.token_hex(8).upper()}"),
        "password": watch.plant("secret key", secrets.token_urlsafe(30)),
        "extra": {
            "aws_session_token": watch.plant("session token", secrets.token_urlsafe(60)),
            "endpoint_url": endpoint,
            "region_name": "us-east-1",
            "service_config": {"sts": {"endpoint_url": endpoint}},
            "config_kwargs": {"retries": {"total_max_attempts": 1}},
        },
    }


def gcp(watch: Watch, endpoint: str, token_uri: str) -> dict[str, object]:
    pem = _NEW_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    for number, line in enumerate(pem.splitlines()[1:-2]):
        watch.plant(f"line {number} of the private key", line)
    key = {
        "type": "service_account",
        "project_id": "local",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "somebody@local.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    extra = {"keyfile_dict": json.dumps(key), "num_retries": 0, "gcs.endpoint": endpoint}
    return {"conn_type": "google_cloud_platform", "extra": extra}


def azure_by_key(watch: Watch, endpoint: str, key: str) -> dict[str, object]:
    watch.plant("account key", key)
    text = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={key};"
        f"BlobEndpoint={endpoint}/{AZURITE_ACCOUNT};"
    )
    return {"conn_type": "wasb", "extra": {"connection_string": text, "retry_total": 0}}


def azure_by_sas(watch: Watch, endpoint: str, key: str) -> dict[str, object]:
    sas = generate_account_sas(
        AZURITE_ACCOUNT,
        key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, list=True, delete=True, create=True),
        datetime.now(UTC) + timedelta(hours=1),
        protocol="https,http",
    )
    watch.plant("SAS token", sas)
    signature = next(f for f in sas.split("&") if f.startswith("sig=")).removeprefix("sig=")
    watch.plant("SAS signature", signature)
    return {
        "conn_type": "wasb",
        "host": f"{endpoint}/{AZURITE_ACCOUNT}",
        "login": AZURITE_ACCOUNT,
        "extra": {"sas_token": sas, "retry_total": 0},
    }


def another_key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


class TestTheWatch:
    """A test that hears nothing would find nothing."""

    @pytest.mark.parametrize(
        "where", ["log", "output", "span", "metric", "error", "xcom", "own object"]
    )
    def test_it_hears(self, watch: Watch, lab: Lab, where: str) -> None:
        secret = watch.plant("secret", "a+secret/with=signs")

        def fail() -> None:
            try:
                {}[secret]
            except KeyError as err:
                raise ValueError("failed") from err

        match where:
            case "log":
                logging.getLogger("airflow_multicloud.core").debug("%s", secret)
            case "output":
                print(secret)  # noqa: T201
            case "span":
                with trace.get_tracer("test").start_as_current_span("test") as span:
                    span.set_attribute("uri", quote(secret, safe=""))
            case "metric":
                telemetry.count_objects("aws", secret, 1)
            case "error":
                watch.fails(fail)
            case "xcom":
                put(lab.s3 + secret, b"")
                watch.run(
                    ReplicateOperator(
                        task_id="x", source=lab.s3 + secret, destinations=[lab.gcs + "x"]
                    )
                )
            case "own object":
                put(f"s3://aws_local@{lab.bucket}/.airflow-multicloud/x", secret.encode())
                watch.hear_own_objects(lab)
        assert secret in unquote(watch.told(where))
        assert any(f" in {where}: " in leak for leak in watch.leaks())


@pytest.mark.parametrize("azure", [azure_by_key, azure_by_sas])
def test_what_succeeds(
    azure: Callable[[Watch, str, str], dict[str, object]],
    watch: Watch,
    lab: Lab,
    local_clouds: LocalClouds,
    token_server: tuple[str, Callable[[str], None]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    token_uri, give = token_server
    give(watch.plant("token", f"ya29.{secrets.token_urlsafe(60)}"))
    connect("planted_aws", aws(watch, local_clouds.aws.endpoint), monkeypatch)
    connect("planted_gcp", gcp(watch, local_clouds.gcp.endpoint, token_uri), monkeypatch)
    connect("planted_azure", azure(watch, local_clouds.azure.endpoint, AZURITE_KEY), monkeypatch)
    ends = [
        f"{scheme}://planted_{cloud}@{lab.bucket}/data/"
        for scheme, cloud in {"s3": "aws", "gs": "gcp", "abfs": "azure"}.items()
    ]
    source, *replicas = ends
    fill(lab.s3)
    put(lab.s3 + "large", b"12" * (5 << 20))
    canary = watch.run(WriteCanaryOperator(task_id="canary", primary=source))
    arguments = {"source": source, "destinations": replicas}
    watch.run(ReplicateOperator(task_id="plan", dry_run=True, **arguments))
    copied = watch.run(ReplicateOperator(task_id="replicate", **arguments))
    watch.run(PlanReplicationOperator(task_id="g.plan", shards=2, **arguments))
    proofs = [
        watch.run(VerifyReplicaOperator(task_id="verify", replica=uri, depth="read"))
        for uri in replicas
    ]
    for number, uri in enumerate(ends):
        target = str(tmp_path / str(number))
        watch.run(FailoverFetchOperator(task_id="fetch", candidates=[uri], target=target))
    measured = watch.run(FailoverDrillOperator(task_id="drill", candidates=ends, canary=canary))
    watch.run(
        DrillReportOperator(
            task_id="report",
            measurement=measured,
            canary=canary,
            verification=proofs,
            replication=[copied],
            places=replicas,
            rto_seconds=3600,
            rpo_seconds=3600,
        )
    )
    file = tmp_path / "artifact"
    file.write_bytes(b"artifact")
    for primary, *others in (ends, [*ends[1:], ends[0]], [ends[2], *ends[:2]]):
        to = [f"{uri}uploaded-from-{primary[:2]}/" for uri in others]
        watch.run(
            UploadArtifactOperator(
                task_id="u", file=str(file), destination=f"{primary}up/", replicate_to=to
            )
        )
    for conn_id in ("planted_aws", "planted_gcp", "planted_azure"):
        watch.hear("status", api.check_connection(conn_id))
    watch.hear("repr", api.replication(source, replicas))
    watch.hear_own_objects(lab)
    for where, expected in {
        "output": "ledger",
        "span": "multicloud.replicate",
        "metric": "multicloud.bytes",
        "own object": "evidence/",
        "xcom": "PASSED",
    }.items():
        assert expected in watch.told(where)
    assert watch.leaks() == []


@pytest.mark.parametrize("why", ["closed port", "wrong key"])
@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure by key", "azure by SAS"])
def test_what_fails(
    cloud: str,
    why: str,
    watch: Watch,
    lab: Lab,
    local_clouds: LocalClouds,
    strict: LocalServer,
    closed_port: int,
    token_server: tuple[str, Callable[[str], None]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    closed = f"http://127.0.0.1:{closed_port}" if why == "closed port" else None
    token_uri, give = token_server
    if closed:
        give(watch.plant("token", f"ya29.{secrets.token_urlsafe(60)}"))
    match cloud:
        case "aws":
            connection = aws(watch, closed or strict.endpoint)
        case "gcp":
            connection = gcp(watch, closed or local_clouds.gcp.endpoint, token_uri)
        case "azure by key":
            endpoint = closed or local_clouds.azure.endpoint
            connection = azure_by_key(watch, endpoint, another_key())
        case _:
            endpoint = closed or local_clouds.azure.endpoint
            connection = azure_by_sas(watch, endpoint, another_key())
    conn_id = connect("planted", connection, monkeypatch)
    scheme = {"aws": "s3", "gcp": "gs"}.get(cloud, "abfs")
    wrong = f"{scheme}://{conn_id}@{lab.bucket}/wrong/"
    fill(lab.s3)
    file = tmp_path / "artifact"
    file.write_bytes(b"artifact")
    fetched = str(tmp_path / "fetched")
    up = {"task_id": "upload", "file": str(file)}
    operators: list[BaseOperator] = [
        ReplicateOperator(task_id="from", source=wrong, destinations=lab.replicas),
        ReplicateOperator(task_id="to", source=lab.s3, destinations=[lab.gcs, wrong]),
        VerifyReplicaOperator(task_id="verify", replica=wrong),
        FailoverFetchOperator(task_id="fetch", candidates=[wrong], target=fetched),
        FailoverFetchOperator(task_id="fetch", candidates=[f"{wrong}a.txt"], target=fetched),
        UploadArtifactOperator(**up, destination=wrong),
        UploadArtifactOperator(**up, destination=lab.s3, replicate_to=[wrong]),
    ]
    for operator in operators:
        watch.fails(lambda operator=operator: watch.run(operator))
    end = at(wrong)
    watch.fails(lambda: end.store.put_object(end.ref("wrong/key"), b"content"))
    watch.fails(lambda: list(end.store.list_objects(end.bucket, "wrong/")))
    watch.fails(lambda: end.store.get_object(end.ref("wrong/ö//key")).read())
    watch.hear("status", status := api.check_connection(conn_id))
    # Google's identity comes from the token endpoint, which is there.
    assert status.available == (cloud == "gcp" and why == "closed port")
    watch.hear_own_objects(lab)
    assert "multicloud.replicate" in watch.told("span")
    assert watch.leaks() == []


NO_KEY = "this+is/no=key+but+it+is+secret"


def _azure(text: str) -> dict[str, object]:
    return {"conn_type": "wasb", "extra": {"connection_string": text}}


def _gcp(key: str) -> dict[str, object]:
    return {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": key}}


@pytest.mark.parametrize(
    "connection",
    {
        "key that is not base64": _azure(f"AccountName=a;AccountKey={NO_KEY}"),
        "key alone": _azure(f"AccountKey={NO_KEY}"),
        "no connection string": _azure(NO_KEY),
        "SAS in no URL": {"conn_type": "wasb", "extra": {"sas_token": f"https://?sig={NO_KEY}"}},
        "torn JSON": _gcp(f'{{"private_key": "{NO_KEY}'),
        "JSON of another shape": _gcp(json.dumps([NO_KEY])),
        "key alone in JSON": _gcp(json.dumps({"private_key": NO_KEY})),
        "key that is no PEM": _gcp(
            json.dumps(
                {
                    "type": "service_account",
                    "private_key": f"-----BEGIN PRIVATE KEY-----\n{NO_KEY}\n",
                    "client_email": "a@b.iam.gserviceaccount.com",
                    "token_uri": "http://127.0.0.1:1/",
                }
            )
        ),
        "no port": {
            "conn_type": "aws",
            "login": "AKIA",
            "password": NO_KEY,
            "extra": {"endpoint_url": "http://127.0.0.1:none", "aws_session_token": NO_KEY},
        },
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_malformed(
    connection: tuple[str, dict[str, object]],
    watch: Watch,
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch.plant("key", NO_KEY)
    conn_id = connect("malformed", connection[1], monkeypatch)
    scheme = {"aws": "s3", "wasb": "abfs"}.get(str(connection[1]["conn_type"]), "gs")
    wrong = f"{scheme}://{conn_id}@{lab.bucket}/wrong/"
    replicate = ReplicateOperator(task_id="from", source=wrong, destinations=[lab.s3])
    watch.fails(lambda: watch.run(replicate))
    assert watch.leaks() == []

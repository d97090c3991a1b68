"""Canaries planted as credentials show up in nothing this package writes, returns or raises."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from opentelemetry import trace

from airflow_multicloud import api
from airflow_multicloud.core import telemetry
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
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_KEY

from . import strict_aws
from .canaries import (
    Watch,
    another_key,
    aws,
    azure_by_key,
    azure_by_sas,
    connect,
    gcp,
)
from .lab import Lab, at, fill, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow.sdk import BaseOperator

    from airflow_multicloud.testing.local_clouds import LocalClouds, LocalServer


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
    arguments = {"source": source, "destinations": replicas}
    # So that there is a ledger from before the canary, which a drill offers as a rolled-back one.
    watch.run(ReplicateOperator(task_id="before", **arguments))
    canary = watch.run(WriteCanaryOperator(task_id="canary", primary=source))
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

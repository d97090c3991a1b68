"""Canaries: secrets that are planted, and everything in which they must not show up."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

from airflow_multicloud.errors import CloudError
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT, AZURITE_KEY

from .airflow_runs import Bare
from .lab import Lab, at, own_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import BaseOperator

#: Where a key that is not its own is refused.
_REFUSING = "gcp_identity_local"
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
        self.hear_error(caught.value)

    def hear_error(self, raised: BaseException) -> None:
        """See :meth:`fails`."""
        err: BaseException | None = raised
        self.hear("error", "".join(traceback.format_exception(raised)))
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


def spoil(conn_id: str, watch: Watch, patch: pytest.MonkeyPatch) -> str:
    """Give a local connection credentials that are canaries, so that its server refuses them."""
    connection = local(conn_id)
    extra = connection.setdefault("extra", {})
    if connection["conn_type"] == "aws":
        credentials = aws(watch, "")
        connection |= {name: credentials[name] for name in ("login", "password")}
        extra["aws_session_token"] = watch.plant("session token", secrets.token_urlsafe(60))
    elif connection["conn_type"] == "google_cloud_platform":
        # An anonymous connection gets a key as well, which another server refuses.
        account = extra.pop("keyfile_dict", None) or local(_REFUSING)["extra"]["keyfile_dict"]
        own = json.loads(account)
        planted: Any = gcp(watch, "", own["token_uri"])
        key = json.loads(planted["extra"]["keyfile_dict"])
        extra.pop("is_anonymous", None)
        extra["keyfile_dict"] = json.dumps({**key, **own, "private_key": key["private_key"]})
    elif connection["conn_type"] == "azure":
        connection["password"] = watch.plant("client secret", secrets.token_urlsafe(30))
    else:
        spoiled: Any = azure_by_key(watch, "", another_key())
        key = spoiled["extra"]["connection_string"].partition("AccountKey=")[2].partition(";")[0]
        text = extra["connection_string"].replace(AZURITE_KEY, key)
        extra["connection_string"] = text
    return connect(conn_id, connection, patch)


def plant_own(conn_id: str, watch: Watch) -> str:
    """Take the credentials of a local connection, which its server accepts, for canaries."""
    connection = local(conn_id)
    if password := connection.get("password"):
        watch.plant(f"password of {conn_id}", password)
    if key := connection.get("extra", {}).get("keyfile_dict"):
        for number, line in enumerate(json.loads(key)["private_key"].splitlines()[1:-2]):
            watch.plant(f"line {number} of the key of {conn_id}", line)
    return conn_id

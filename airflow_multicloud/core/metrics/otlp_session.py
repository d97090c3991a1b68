"""OpenTelemetry's OTLP exporter for metrics on requests of ours, whose answers are kept.

What the environment says of OTLP (``OTEL_EXPORTER_OTLP_HEADERS``, a certificate, compression) is
meant for a collector, and goes to no cloud.
"""

from __future__ import annotations

from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError

from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.metrics import OtlpTarget

_OURS = ("content-type", "user-agent")
#: Gateways' errors, after which nobody knows whether the request was carried out. The exporter
#: would send it again.
_AMBIGUOUS = (502, 504)


class Answers:
    """What became of the request under way, or of its last try.

    :ivar status: of the answer; ``None`` when none came.
    :ivar lost: why none came, when the request may have been carried out.
    :ivar not_sent: why none came, when it can't have been.
    :ivar tried: whether there was a try at all.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget the request before."""
        self.status: int | None = None
        self.body = b""
        self.lost = self.not_sent = ""
        self.tried = False


class EndedError(Exception):
    """A try that must not be repeated; no error of requests, which the exporter would repeat."""


class _Credentials(AuthBase):
    def __init__(self, target: OtlpTarget) -> None:
        self._target = target

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        request.headers.update(
            self._target.headers_for(body.encode() if isinstance(body, str) else body)
        )
        return request


class _Session(requests.Session):
    def __init__(self, target: OtlpTarget, answers: Answers) -> None:
        super().__init__()
        self._target = target
        self._answers = answers

    def request(self, method: Any, url: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        """Send one try of the exporter's, with these credentials and no others."""
        self._answers.begin()
        self._answers.tried = True
        headers = {
            name: value
            for name, value in {**self.headers, **(given.get("headers") or {})}.items()
            if name.lower() in _OURS
        }
        self.headers.clear()
        self.headers.update(headers)
        self.cert = None
        try:
            answer = super().request(
                method,
                url,
                data=given.get("data"),
                timeout=given.get("timeout"),
                auth=_Credentials(self._target),
                verify=self._target.verify,
                allow_redirects=False,
            )
        except CloudError as err:  # There are no credentials to send it with.
            self._answers.not_sent = f"{err.kind}: {err}"
            raise EndedError(str(err)) from err
        except RequestException as err:
            if _not_sent(err):
                self._answers.not_sent = type(err).__name__
            else:
                self._answers.lost = type(err).__name__
            raise EndedError(type(err).__name__) from err
        self._answers.status = answer.status_code
        self._answers.body = answer.content
        if answer.status_code in _AMBIGUOUS:
            raise EndedError(f"HTTP {answer.status_code}")
        return answer


def _not_sent(err: RequestException) -> bool:
    """Whether a connection was never made."""
    if isinstance(err, ConnectTimeout | ProxyError):
        return True
    if isinstance(err, SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(err)
    reason = getattr(err.args[0] if err.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def exporter_of(target: OtlpTarget, answers: Answers, *, timeout: float) -> OTLPMetricExporter:
    """The exporter, whose answers go to ``answers``.

    :param timeout: of one export with its tries, in seconds.
    """
    return OTLPMetricExporter(
        endpoint=target.url,
        session=_Session(target, answers),
        timeout=timeout,
        compression=Compression.NoCompression,
    )

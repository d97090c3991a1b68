"""OpenTelemetry's OTLP exporter for metrics on requests of ours, whose answers are kept.

What the environment says of OTLP (``OTEL_EXPORTER_OTLP_HEADERS``, a certificate, compression) is
meant for a collector, and goes to no cloud.
"""

from __future__ import annotations

import time
from contextlib import closing
from io import BytesIO
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError
from urllib3.exceptions import HTTPError

from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.metrics import OtlpTarget
from airflow_multicloud.text import printable

_OURS = ("content-type", "user-agent")
#: Gateways' errors, after which nobody knows whether the request was carried out. The exporter
#: would send it again.
_AMBIGUOUS = (502, 504)
#: Of an answer, in bytes: the whole of it, and one read.
_LONGEST_BODY = 1 << 20
_READ = 1 << 14
#: Seconds in which a body is read where the exporter gives no time.
_LONGEST_READ = 30.0


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


class _UnreadAnswerError(Exception):
    """An answer that is not read to its end."""


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
                stream=True,
            )
            # The exporter logs it.
            answer.reason = printable(answer.reason or "")
            ended = time.monotonic() + (given.get("timeout") or _LONGEST_READ)
            with closing(answer):
                body = _read(answer, ended) if answer.ok else b""
            # For the exporter; nobody needs more of a refusal than its status.
            answer.raw = BytesIO(body)
        except CloudError as err:  # There are no credentials to send it with.
            self._answers.not_sent = f"{err.kind}: {err}"
            raise EndedError(printable(str(err))) from err
        except RequestException as err:
            if _not_sent(err):
                self._answers.not_sent = type(err).__name__
            else:
                self._answers.lost = type(err).__name__
            raise EndedError(type(err).__name__) from err
        except _UnreadAnswerError as err:
            self._answers.lost = str(err)
            raise EndedError(str(err)) from err
        except HTTPError as err:
            self._answers.lost = type(err).__name__
            raise EndedError(type(err).__name__) from err
        self._answers.status = answer.status_code
        self._answers.body = body
        if answer.status_code in _AMBIGUOUS:
            raise EndedError(f"HTTP {answer.status_code}")
        return answer


def _read(answer: requests.Response, until: float) -> bytes:
    """The body, decompressed.

    The timeout of requests is of each read, which one that drips never meets.

    :param until: on the monotonic clock.
    :raises _UnreadAnswerError: when it has not ended by then, or is too long.
    """
    body = bytearray()
    while part := answer.raw.read1(_READ, decode_content=True):
        body += part
        if len(body) > _LONGEST_BODY:
            raise _UnreadAnswerError("the answer is too long")
        if time.monotonic() > until:
            raise _UnreadAnswerError("the answer did not end in time")
    return bytes(body)


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

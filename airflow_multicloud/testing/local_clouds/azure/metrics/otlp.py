"""Azure Monitor's OTLP endpoint for metrics, with tokens of Microsoft Entra.

https://learn.microsoft.com/azure/azure-monitor/containers/opentelemetry-protocol-ingestion. How it
words its refusals is not published: it is the gateway of a data collection rule, so they are those
of the Logs Ingestion API.
"""

from __future__ import annotations

import re

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal, Route
from airflow_multicloud.testing.local_clouds.azure.telemetry import MONITOR_AUDIENCE, OTLP_PATH
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink

_REFUSED = {
    ErrorKind.THROTTLED: (429, "TooManyRequests", "Too many requests; retry after a while."),
    ErrorKind.QUOTA: (429, "QuotaExceeded", "The quota of the data collection rule is used up."),
    ErrorKind.UNAVAILABLE: (503, "ServiceUnavailable", "The service is unavailable."),
    ErrorKind.PERMISSION_DENIED: (
        403,
        "OperationFailed",
        "The authentication token provided does not have access to ingest data for the data "
        "collection rule.",
    ),
    ErrorKind.UNAUTHENTICATED: (401, "AuthenticationFailed", "Authentication failed."),
}


def routes(sink: OtlpSink) -> list[Route]:
    """The one operation, of the one rule."""
    return [
        Route(
            method="POST",
            path=re.compile(re.escape(OTLP_PATH)),
            handler=lambda call: sink.answer(call.request, _refused),
            audience=MONITOR_AUDIENCE,
            binary=True,
        )
    ]


def _refused(kind: ErrorKind) -> Answer:
    return Refusal(*_REFUSED[kind]).answer

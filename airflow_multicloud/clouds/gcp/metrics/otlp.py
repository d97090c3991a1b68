"""Metrics by OTLP: Google's Telemetry API.

https://docs.cloud.google.com/stackdriver/docs/reference/telemetry/v1.metrics: points are kept as
Prometheus' are, and refused where the resource has no location or no instance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.metrics.client import MetricsBase
from airflow_multicloud.clouds.gcp.metrics.errors import translated
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.metrics import OtlpTarget

_ENDPOINT: Final = "https://telemetry.googleapis.com"
_PATH: Final = "/v1/metrics"
_LOCATION_EXTRA: Final = "telemetry.location"
_LOCATION = re.compile(r"[a-z][a-z0-9-]{1,62}")
#: The same on each worker: it is part of what tells a series from others.
_INSTANCE: Final = "airflow-multicloud"


class GCPOtlp(MetricsBase):
    """OTLP."""

    def otlp_metrics_target(self) -> OtlpTarget:
        """Where, and as whom; see the port.

        :raises CredentialsError: also when the extra ``telemetry.location`` names no region.
        """
        endpoint = (self._session.endpoint_of("telemetry") or _ENDPOINT).rstrip("/")
        doing = f"opening connection {self.gcp_conn_id!r}"
        with translated(doing), credentials_read(self.gcp_conn_id):
            bearer = self._session.bearer
        if not bearer.anonymous:
            check_plain_http(endpoint, "Google's access token", cloud=NAME)

        def headers_for(_body: bytes) -> Mapping[str, str]:
            with translated(doing):
                return bearer.headers()

        return OtlpTarget(
            url=f"{endpoint}{_PATH}",
            headers_for=headers_for,
            resource={
                "gcp.project_id": self._session.needed_project,
                "location": self._location(),
                "service.instance.id": _INSTANCE,
            },
        )

    def _location(self) -> str:
        given = self.extras.get(_LOCATION_EXTRA)
        if isinstance(given, str) and _LOCATION.fullmatch(given):
            return given
        raise CredentialsError(
            f"connection {self.gcp_conn_id!r}: extra {_LOCATION_EXTRA} names no region, expected "
            "one of Google Cloud's, such as europe-west1: the Telemetry API refuses points without",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )

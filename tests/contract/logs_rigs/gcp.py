"""Cloud Logging of the local Google Cloud."""

from __future__ import annotations

_CONN_ID = "gcp_telemetry_local"
_SERVER = "local_gcp_telemetry"

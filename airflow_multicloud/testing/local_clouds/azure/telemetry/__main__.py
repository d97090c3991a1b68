"""``python -m airflow_multicloud.testing.local_clouds.azure.telemetry``: serve until ended.

Only this process loads the SDKs that requests are checked against.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm import AUDIENCE
from airflow_multicloud.testing.local_clouds.azure.arm.server import azure
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.azure.logs import ingestion, querying
from airflow_multicloud.testing.local_clouds.azure.metrics import custom, otlp, track
from airflow_multicloud.testing.local_clouds.azure.telemetry import (
    CUSTOM_METRICS_AUDIENCE,
    METRICS_QUERY_AUDIENCE,
    MONITOR_AUDIENCE,
    QUERY_AUDIENCE,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry.workspace import Workspace
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink, kept_by
from airflow_multicloud.testing.local_clouds.kit.state import administration

_AUDIENCES = (
    *(AUDIENCE, MONITOR_AUDIENCE, QUERY_AUDIENCE),
    *(CUSTOM_METRICS_AUDIENCE, METRICS_QUERY_AUDIENCE),
)


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="azure.telemetry", description="Azure Monitor")
    parser.add_argument("--port", type=int, required=True, help="TLS: Azure")
    parser.add_argument("--admin-port", type=int, required=True, help="plain: seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for ca.pem and the rest")
    given = parser.parse_args()
    workspace = Workspace()
    tokens = Tokens(audiences=_AUDIENCES)
    sink = OtlpSink(workspace.metric_faults)
    routes = [
        *tokens.routes(),
        *(one for s in (track, ingestion, querying) for one in s.routes(workspace, tokens)),
        *custom.routes(workspace),
        *otlp.routes(sink),
    ]
    respond = azure(routes, tokens, workspace)
    with HttpServer(respond, port=given.port, certificates=issue(given.directory)):
        owner = kept_by(sink, administration(workspace))
        HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()

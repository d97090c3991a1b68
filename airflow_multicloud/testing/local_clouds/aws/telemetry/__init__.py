"""A local CloudWatch: metrics, logs and the OTLP endpoint, in memory and in one process.

In front of everything:

- each request is checked as AWS does: its signature (Signature Version 4, with the local key), its
  form by botocore's model of the service (unknown, missing and mistyped members, lengths, patterns,
  numbers of members), and the limits of the operation;
- faults can be planted, for ``metrics`` and for ``logs``
  (:mod:`airflow_multicloud.testing.local_clouds.kit.delivery_seeds`), and answers scripted.

Metrics (:mod:`..metrics`) are kept by this package: moto repeats a value as often as it counts,
passes over all points for each question, and has neither percentiles nor periods under a minute.
Log groups, streams and events (:mod:`..logs`) are moto's; filter patterns and the order and pages
of ``FilterLogEvents`` are here. What else is asked of any service is moto's to answer.

What this does not prove: permissions (whoever signs may do all), how late CloudWatch shows what it
took, its own throttling, what it checks beyond its documentation. It has been compared with that,
not with CloudWatch.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at


def cloudwatch(
    data_dir: Path,  # noqa: ARG001 - in memory only
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """Metrics and logs, in memory; connection ``aws_telemetry_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    endpoint = url_at(port)
    return ServerSpec(
        name="aws-telemetry",
        port=admin_port,
        command=python_command(
            __name__, *("--port", str(port)), *("--admin-port", str(admin_port))
        ),
        ready_path="/",
        connections={
            "aws_telemetry_local": connection(
                endpoint_url=endpoint,
                # Airflow's AWS hook ignores endpoint_url for STS.
                service_config={"sts": {"endpoint_url": endpoint}},
                local_admin=url_at(admin_port),
            )
        },
    )

"""What Airflow reads to know this provider: metadata only, nothing is imported."""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Multi-cloud"
# As in the project's URLs; asking the installed metadata here would slow every Airflow command.
_DOCUMENTATION = "https://github.com/airflow-multicloud/airflow-multicloud/blob/main/docs/index.md"


def get_provider_info() -> dict[str, Any]:
    """Airflow's runtime provider metadata (``airflow/provider_info.schema.json``)."""
    return {
        "package-name": "airflow-multicloud",
        "name": "Multi-cloud",
        "description": (
            "AWS, Google Cloud and Azure as one: replicate, prove, fail over, drill, compare costs."
        ),
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": _DOCUMENTATION,
                "tags": ["service"],
            }
        ],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_multicloud.operators.cost_budget",
                    "airflow_multicloud.operators.cost_compare",
                    "airflow_multicloud.operators.cost_ingest",
                    "airflow_multicloud.operators.cost_refresh",
                    "airflow_multicloud.operators.cost_report",
                    "airflow_multicloud.operators.cost_store",
                    "airflow_multicloud.operators.cost_transfer",
                    "airflow_multicloud.operators.drill",
                    "airflow_multicloud.operators.failover",
                    "airflow_multicloud.operators.params",
                    "airflow_multicloud.operators.replicate",
                    "airflow_multicloud.operators.upload",
                    "airflow_multicloud.operators.verify",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_multicloud.sensors.cost_export",
                    "airflow_multicloud.sensors.replica_fresh",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_multicloud.triggers.poll"],
            }
        ],
        "cli": ["airflow_multicloud.cli.definition.get_cli_commands"],
    }

"""What Airflow reads to know this provider: metadata only, nothing is imported."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Airflow's runtime provider metadata (``airflow/provider_info.schema.json``)."""
    return {
        "package-name": "airflow-multicloud",
        "name": "Multi-cloud",
        "description": "AWS, Google Cloud and Azure as one: replicate, prove, fail over, drill.",
        "integrations": [
            {
                "integration-name": "Multi-cloud",
                "tags": ["service"],
            }
        ],
        "cli": ["airflow_multicloud.cli.definition.get_cli_commands"],
    }

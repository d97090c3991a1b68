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
            "AWS, Google Cloud and Azure as one: replicate, prove, fail over, drill, deploy, "
            "compare costs."
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
                    "airflow_multicloud.operators.compute.deploy",
                    "airflow_multicloud.operators.compute.power",
                    "airflow_multicloud.operators.compute.rollback",
                    "airflow_multicloud.operators.compute.rollout",
                    "airflow_multicloud.operators.compute.summary",
                    "airflow_multicloud.operators.compute.teardown",
                    "airflow_multicloud.operators.cost.anomalies",
                    "airflow_multicloud.operators.cost.attribute",
                    "airflow_multicloud.operators.cost.budget",
                    "airflow_multicloud.operators.cost.compare",
                    "airflow_multicloud.operators.cost.ingest",
                    "airflow_multicloud.operators.cost.quality",
                    "airflow_multicloud.operators.cost.recommend",
                    "airflow_multicloud.operators.cost.refresh",
                    "airflow_multicloud.operators.cost.report",
                    "airflow_multicloud.operators.cost.store",
                    "airflow_multicloud.operators.cost.transfer",
                    "airflow_multicloud.operators.cost.workload",
                    "airflow_multicloud.operators.database.power",
                    "airflow_multicloud.operators.database.promote",
                    "airflow_multicloud.operators.database.remove",
                    "airflow_multicloud.operators.database.remove_snapshot",
                    "airflow_multicloud.operators.database.restore",
                    "airflow_multicloud.operators.database.snapshot",
                    "airflow_multicloud.operators.database.status",
                    "airflow_multicloud.operators.database.verify",
                    "airflow_multicloud.operators.drill.canary",
                    "airflow_multicloud.operators.drill.canary_secret",
                    "airflow_multicloud.operators.drill.deploy",
                    "airflow_multicloud.operators.drill.judge",
                    "airflow_multicloud.operators.drill.recover",
                    "airflow_multicloud.operators.drill.report",
                    "airflow_multicloud.operators.drill.whole",
                    "airflow_multicloud.operators.logs.query",
                    "airflow_multicloud.operators.logs.ship",
                    "airflow_multicloud.operators.metrics.export",
                    "airflow_multicloud.operators.object_store.fetch",
                    "airflow_multicloud.operators.object_store.replicate",
                    "airflow_multicloud.operators.object_store.sharded",
                    "airflow_multicloud.operators.object_store.upload",
                    "airflow_multicloud.operators.object_store.verify",
                    "airflow_multicloud.operators.operations",
                    "airflow_multicloud.operators.params",
                    "airflow_multicloud.operators.preflight",
                    "airflow_multicloud.operators.secrets.sync",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_multicloud.sensors.compute.deployment_health",
                    "airflow_multicloud.sensors.cost.export",
                    "airflow_multicloud.sensors.database.replica_lag",
                    "airflow_multicloud.sensors.object_store.replica_fresh",
                    "airflow_multicloud.sensors.secrets.drift",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_multicloud.triggers.poll"],
            }
        ],
        "extra-links": [
            "airflow_multicloud.links.consoles.AwsConsoleLink",
            "airflow_multicloud.links.consoles.AzureConsoleLink",
            "airflow_multicloud.links.consoles.GcpConsoleLink",
            "airflow_multicloud.links.pages.CostReportLink",
            "airflow_multicloud.links.pages.EvidenceLink",
            "airflow_multicloud.links.pages.ReportLink",
        ],
        "secrets-backends": ["airflow_multicloud.secrets_backend.MultiCloudSecretsBackend"],
        "config": {
            "multicloud": {
                "description": "Settings of the provider for several clouds.",
                "options": {
                    "airflow_id": {
                        "description": (
                            "What tells this Airflow from others that work in the same cloud "
                            "accounts, in whatever is found again by DAG, run and task: snapshots, "
                            "restored databases, unfinished uploads, runs of replications. The "
                            "same in all of its processes, and for good. A digest of [api] "
                            "base_url when left out; nothing where that is left out as well, or is "
                            "an address that many have: of the machine itself, a private one, "
                            "a host's name without a domain.\n"
                        ),
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "production",
                        "default": None,
                    },
                    "drill_deadline_seconds": {
                        "description": (
                            "How long a run of the DAG disaster_recovery may take from when it is "
                            "queued, in seconds. When it takes longer, the triggerer logs an "
                            "error. 0: there is no deadline; Airflow 3.3.2 can't end a run by "
                            "`airflow dags test` that has one.\n"
                        ),
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": "3600",
                        "default": "0",
                    },
                },
            }
        },
        "cli": ["airflow_multicloud.cli.definition.get_cli_commands"],
    }

"""What the clouds' advisers say in the demo, as each of them says it."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

#: The connections that are asked.
CONNECTIONS = ("cost_hub_local", "recommender_local", "azure_local")

_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
_DISK = f"{_SUBSCRIPTION}/resourceGroups/data/providers/Microsoft.Compute/disks/old-lake"
_REFRESHED = "2026-10-28T02:00:00Z"

_AWS: list[dict[str, Any]] = [
    {
        "recommendationId": "hub-1",
        "accountId": "111122223333",
        "region": "us-east-1",
        "resourceId": "i-0abc",
        "resourceArn": "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc",
        "currentResourceType": "Ec2Instance",
        "currentResourceSummary": "m5.2xlarge",
        "recommendedResourceSummary": "m7g.xlarge",
        "actionType": "MigrateToGraviton",
        "implementationEffort": "VeryHigh",
        "estimatedMonthlySavings": 151.2,
        "currencyCode": "USD",
        "lastRefreshTimestamp": 1_793_152_800,  # the same, as AWS's JSON has times
    },
]
_AZURE: list[dict[str, Any]] = [
    {
        "id": f"{_SUBSCRIPTION}/providers/Microsoft.Advisor/recommendations/disk",
        "name": "disk",
        "type": "Microsoft.Advisor/recommendations",
        "properties": {
            "category": "Cost",
            "impact": "Medium",
            "impactedField": "Microsoft.Compute/disks",
            "impactedValue": "old-lake",
            "lastUpdated": _REFRESHED,
            "shortDescription": {
                "problem": "A disk has not been attached for 30 days",
                "solution": "Delete the unattached disk",
            },
            "resourceMetadata": {"resourceId": _DISK},
            "extendedProperties": {"annualSavingsAmount": "737.28", "savingsCurrency": "USD"},
        },
    },
]
_INSTANCE = f"//compute.googleapis.com/projects/{PROJECT}/zones/us-central1-a/instances/trainer"
_GOOGLE: list[dict[str, Any]] = [
    {
        "project": PROJECT,
        "location": "us-central1-a",
        "recommender": "google.compute.instance.MachineTypeRecommender",
        "recommendation": {
            "description": "Save cost by changing machine type from n2-standard-8 to -4.",
            "recommenderSubtype": "CHANGE_MACHINE_TYPE",
            "lastRefreshTime": _REFRESHED,
            "priority": "P2",
            "stateInfo": {"state": "ACTIVE"},
            "primaryImpact": {
                "category": "COST",
                "costProjection": {
                    "cost": {"currencyCode": "USD", "units": "-142", "nanos": -100_000_000},
                    "duration": "2628000s",
                },
            },
            "content": {
                "operationGroups": [
                    {
                        "operations": [
                            {
                                "action": "replace",
                                "resourceType": "compute.googleapis.com/Instance",
                                "resource": _INSTANCE,
                                "path": "/machineType",
                                "value": "n2-standard-4",
                            }
                        ]
                    }
                ]
            },
        },
    },
]


def seed() -> None:
    """Have the adviser of each of :data:`CONNECTIONS` say something."""
    hub, recommender, azure = (_extra(conn_id) for conn_id in CONNECTIONS)
    _post(hub["service_config"]["cost-optimization-hub"]["endpoint_url"], _AWS)
    _post(recommender["recommender.endpoint"], _GOOGLE)
    Admin(azure["local_admin"]).seed("advisor", _AZURE)


def _extra(conn_id: str) -> dict[str, Any]:
    extra: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])["extra"]
    return extra


def _post(endpoint: str, records: Sequence[dict[str, Any]]) -> None:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    try:
        connection.request("POST", "/seed", body=json.dumps(list(records)).encode())
        answer = connection.getresponse()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"POST {endpoint}/seed: {answer.status} {answer.read().decode()}")
    finally:
        connection.close()

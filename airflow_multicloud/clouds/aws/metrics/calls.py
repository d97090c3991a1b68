"""Which requests the verbs of metrics make of CloudWatch, and what they need to be allowed.

"Actions, resources, and condition keys for Amazon CloudWatch" in the Service Authorization
Reference: none of these can be limited to a resource. The OTLP endpoint asks for
``cloudwatch:PutMetricData``, too
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable


def _call(name: str, permission: str) -> ApiCall:
    return ApiCall(call=name, permissions=(f"cloudwatch:{permission}",), resource="any")


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # see above
    return "*"


TABLE = CallTable(
    {
        "export_points": (_call("monitoring:PutMetricData", "PutMetricData"),),
        "otlp_metrics_target": (_call("POST /v1/metrics", "PutMetricData"),),
    },
    _resource,
)

"""Which requests the verbs of logs make of CloudWatch Logs, and what they need to be allowed.

"Actions, resources, and condition keys for Amazon CloudWatch Logs" in the Service Authorization
Reference; a log group's ARN ends with ``:*`` in policies (API_LogGroup.html).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.aws.logs.writing import STREAM
from airflow_multicloud.ports.calls import ApiCall, CallTable

_GROUP, _STREAM, _GROUPS = "log group", "log stream", "log groups"


def _call(name: str, resource: str = _GROUP, without: str = "") -> ApiCall:
    action = f"logs:{name}"
    return ApiCall(call=action, permissions=(action,), resource=resource, without=without)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _GROUPS:
        return "arn:{partition}:logs:{region}:{account}:log-group:*".format_map(facts)
    group = "arn:{partition}:logs:{region}:{account}:log-group:{log}".format_map(facts)
    return f"{group}:log-stream:{STREAM}" if kind == _STREAM else f"{group}:*"


_TO_BE_MADE = "it must have been made before"

TABLE = CallTable(
    {
        "write_entries": (
            _call("PutLogEvents", _STREAM),
            _call("CreateLogStream", without=_TO_BE_MADE),
            _call("CreateLogGroup", without=_TO_BE_MADE),
        ),
        "query_entries": (
            _call("FilterLogEvents"),
            # By a prefix: listing can't be allowed on a single group.
            _call(
                *("DescribeLogGroups", _GROUPS),
                without="what a group no longer keeps is not told of",
            ),
        ),
    },
    _resource,
)

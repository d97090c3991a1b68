"""Cost Management's Query over seeded charges.

https://learn.microsoft.com/rest/api/cost-management/query/usage. A record of service ``cost`` has
``scope``, ``date`` (ISO), ``Cost`` and ``AmortizedCost`` (text), ``Currency`` and any dimensions
(``ServiceName``…).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from azure.mgmt.costmanagement import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.costmanagement.operations import _operations as operations  # noqa: TID253 - see azure.arm.__main__

from airflow_multicloud.testing.local_clouds.azure.arm import CLIENT_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "cost"
#: Rows of a page; Azure's own is 1,000 (5,000 with ``$top``).
PAGE_ROWS = 10
_TOKEN = "$skiptoken"  # noqa: S105 - a query parameter's name
_GROUPS_LIMIT = 2
_FIGURES = {"actualcost": "Cost", "usage": "Cost", "amortizedcost": "AmortizedCost"}

# As seen on answers: https://github.com/microsoft/AzureTRE/issues/2835.
_QUOTA_HEADERS = {
    "x-ms-ratelimit-microsoft.costmanagement-qpu-consumed": "1",
    "x-ms-ratelimit-microsoft.costmanagement-qpu-remaining": (
        "QueriesPerHour:599,QueriesPerMin:59,QueriesPer10Sec:11"
    ),
}


def routes(state: State) -> list[Route]:
    """The operations served."""

    def usage(call: Call) -> Answer:
        return _usage(state, call)

    return [
        sdk_route(
            operations.build_query_usage_request(scope="{scope}"),
            usage,
            body=models.QueryDefinition,
            operation="query",
            also=frozenset({_TOKEN}),
        )
    ]


def _usage(state: State, call: Call) -> Answer:
    scope = call.variables["scope"].strip("/")
    charges = [r for r in state.seeded(SERVICE) if r["scope"].strip("/") == scope]
    if not charges:
        raise _no_scope(scope)
    definition = call.json
    columns, rows = _result(definition, charges)
    digest = hashlib.sha256(call.request.get_data()).hexdigest()[:16]
    first = _offset(call, digest)
    properties: dict[str, Any] = {
        "nextLink": None,
        "columns": columns,
        "rows": rows[first : first + PAGE_ROWS],
    }
    if first + PAGE_ROWS < len(rows):
        token = base64.b64encode(f"{first + PAGE_ROWS}:{digest}".encode()).decode()
        link = {"api-version": call.query["api-version"], _TOKEN: token}
        properties["nextLink"] = (
            f"{call.origin}{quote(call.request.path)}?{urlencode(link, safe='$')}"
        )
    answer = conforming(
        models.QueryResult,
        {
            "id": f"{scope}/providers/Microsoft.CostManagement/query/local",
            "name": "local",
            "type": "Microsoft.CostManagement/query",
            "properties": properties,
        },
    )
    return Answer(body=answer.body, headers=_QUOTA_HEADERS)


def _result(
    definition: Mapping[str, Any], charges: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, str]], list[list[object]]]:
    dataset = definition["dataset"]
    figure = _FIGURES.get(definition["type"].casefold())
    aggregation = dataset.get("aggregation") or {}
    grouping = [group["name"] for group in dataset.get("grouping") or ()]
    if figure is None or dataset.get("granularity") != "Daily" or len(aggregation) != 1:
        raise _invalid("this server answers ActualCost and AmortizedCost, Daily, one aggregation")
    if len(grouping) > _GROUPS_LIMIT:
        raise _invalid("a query can group by at most two dimensions")
    first, last = _days(definition)
    sums: dict[tuple[str, ...], Decimal] = {}
    for charge in charges:
        if first <= charge["date"] <= last:
            key = (charge["date"], *(charge.get(g, "") for g in grouping), charge["Currency"])
            sums[key] = sums.get(key, Decimal(0)) + Decimal(charge[figure])
    columns = [
        {"name": "Cost", "type": "Number"},
        {"name": "UsageDate", "type": "Number"},
        *({"name": group, "type": "String"} for group in grouping),
        {"name": "Currency", "type": "String"},
    ]
    rows: list[list[object]] = [
        [total, int(day.replace("-", "")), *rest] for (day, *rest), total in sorted(sums.items())
    ]
    return columns, rows


def _days(definition: Mapping[str, Any]) -> tuple[str, str]:
    """First and last day, as ISO text."""
    period = definition.get("timePeriod")
    if definition["timeframe"] != "Custom" or period is None:
        raise _invalid("this server answers timeframe Custom with a timePeriod")
    first, last = (datetime.fromisoformat(period[name]).date() for name in ("from", "to"))
    if first > last:
        raise _invalid("timePeriod.from is after timePeriod.to")
    return first.isoformat(), last.isoformat()


def _offset(call: Call, digest: str) -> int:
    """Where a page begins; a link is good only for the query it was given for."""
    token = call.query.get(_TOKEN)
    if token is None:
        return 0
    try:
        offset, _, given = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        raise _invalid("the skip token can't be read") from None
    if given != digest:
        raise _invalid("the skip token belongs to another query")
    return int(offset)


def _invalid(why: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", f"Invalid query definition: {why}.")


def _no_scope(scope: str) -> Refusal:
    kind, _, rest = scope.partition("/")
    if kind == "subscriptions" and "/" not in rest:
        return Refusal(
            HTTPStatus.NOT_FOUND,
            "SubscriptionNotFound",
            f"The subscription '{rest}' could not be found.",
        )
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "AuthorizationFailed",
        f"The client '{CLIENT_ID}' with object id '{CLIENT_ID}' does not have authorization to "
        f"perform action 'Microsoft.CostManagement/query/read' over scope '/{scope}' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials.",
    )

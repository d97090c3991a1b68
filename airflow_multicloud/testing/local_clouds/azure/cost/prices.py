"""The Azure Retail Prices API: no token, an OData filter, pages.

https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. A record of
service ``prices`` is an item as Azure answers it.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "prices"
#: Items of a page; Azure's own is 1,000.
PAGE = 4
#: What the API's documentation says can be filtered by; ``priceType`` is ``type`` in items.
_FIELDS = {
    "armRegionName": "armRegionName",
    "armSkuName": "armSkuName",
    "meterName": "meterName",
    "priceType": "type",
    "productName": "productName",
    "serviceName": "serviceName",
    "skuName": "skuName",
}
_TERM = re.compile(r"(\w+) eq '([^']*)'")


def routes(state: State) -> list[Route]:
    """The operations served."""

    def prices(call: Call) -> Answer:
        return _prices(state, call)

    return [
        Route(
            method="GET",
            path=re.compile("/api/retail/prices"),
            handler=prices,
            parameters=frozenset({"$filter", "$skip", "currencyCode"}),
            public=True,
        )
    ]


def _prices(state: State, call: Call) -> Answer:
    wanted = {}
    for term in call.query.get("$filter", "").split(" and "):
        found = _TERM.fullmatch(term.strip())
        if found is None or found[1] not in _FIELDS:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "BadRequest", f"Invalid OData parameters supplied: {term}"
            )
        wanted[_FIELDS[found[1]]] = found[2]
    items = [
        item
        for item in state.seeded(SERVICE)
        if all(item.get(name) == value for name, value in wanted.items())
    ]
    first = int(call.query.get("$skip", 0))
    page = items[first : first + PAGE]
    body: dict[str, Any] = {
        "BillingCurrency": "USD",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": page,
        "NextPageLink": None,
        "Count": len(page),
    }
    if first + PAGE < len(items):
        link = {**call.query, "$skip": str(first + PAGE)}
        body["NextPageLink"] = f"{call.origin}{call.request.path}?{urlencode(link, safe='$')}"
    return Answer(body=body)

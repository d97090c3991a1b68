"""Advisor's recommendations of a subscription.

https://learn.microsoft.com/rest/api/advisor/recommendations/list. A record of service ``advisor``
is a recommendation as Azure answers it; its subscription is in its ``id``.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from azure.mgmt.advisor import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.advisor.operations import _recommendations_operations as operations  # noqa: TID253 - see azure.arm.__main__

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "advisor"
#: Recommendations of a page, unless ``$top`` asks for fewer.
PAGE = 3
_FILTER = re.compile(r"Category eq '(\w+)'")


def routes(state: State) -> list[Route]:
    """The operations served."""

    def recommendations(call: Call) -> Answer:
        return _list(state, call)

    request = operations.build_list_request(
        subscription_id="{subscription}",
        filter="any",
        top=1,
        skip_token="any",  # noqa: S106 - no secret
    )
    return [sdk_route(request, recommendations)]


def _list(state: State, call: Call) -> Answer:
    subscription = call.variables["subscription"]
    prefix = f"/subscriptions/{subscription}/"
    all_ = [r for r in state.seeded(SERVICE) if r["id"].startswith(prefix)]
    if not all_ and subscription != SUBSCRIPTION_ID:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "SubscriptionNotFound",
            f"The subscription '{subscription}' could not be found.",
        )
    given = call.query.get("$filter")
    if given is not None:
        found = _FILTER.fullmatch(given)
        if found is None:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "InvalidFilter", f"The filter '{given}' is not supported."
            )
        all_ = [r for r in all_ if r["properties"]["category"] == found[1]]
    first, size = int(call.query.get("$skipToken", 0)), int(call.query.get("$top", PAGE))
    body: dict[str, Any] = {"value": all_[first : first + size]}
    if first + size < len(all_):
        link = {**call.query, "$skipToken": str(first + size)}
        body["nextLink"] = f"{call.origin}{call.request.path}?{urlencode(link, safe='$')}"
    return conforming(models.ResourceRecommendationBaseListResult, body)

"""Lists in pages, as Google's APIs give them (https://google.aip.dev/158)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def page_of(call: Call, name: str, found: Sequence[Any], largest: int) -> dict[str, Any]:
    """One page of a list, and where the next one begins.

    :param name: of the list in the answer.
    :param largest: the service's page size.
    """
    token = call.parameters.get("pageToken") or "0"
    if not token.isdecimal() or int(token) > len(found):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Invalid page token: {token}")
    wanted = call.parameters.get("pageSize") or largest
    start = int(token)
    end = start + min(wanted, largest)
    answer: dict[str, Any] = {name: list(found[start:end])}
    if end < len(found):
        answer["nextPageToken"] = str(end)
    return answer

"""What Application Insights' ingestion says of each item of a request.

``itemsReceived``, ``itemsAccepted`` and ``errors`` with an ``index``, a ``statusCode`` and a
``message`` for each item that was not accepted: with status 206 where some were, also with 400.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpResponse

from airflow_multicloud.adapters.answers import MALFORMED, kind_of_status, malformed, not_an_answer
from airflow_multicloud.adapters.batches import rejected
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.metrics.errors import TABLE
from airflow_multicloud.errors import CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Outcome

_DOING = "sending metrics to Application Insights"
_WRONG_KEY = "Invalid instrumentation key"
#: Answers that tell of each item.
_BY_ITEM = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.BAD_REQUEST})
_NOT_NAMED = Reason(
    outcome=Outcome.UNKNOWN,
    kind=ErrorKind.INTEGRITY,
    reason="Application Insights did not accept all, and does not say which",
)


def kept_nothing(answer: HttpResponse) -> bool:
    """Whether an answer of status 503 says that no item was accepted."""
    told = _told(answer) if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE else None
    found = told["itemsAccepted"] if told is not None else None
    return found == 0 and isinstance(found, int)


def outcomes(answer: HttpResponse, count: int) -> Sequence[Reason | None]:
    """Why each of so many items was not accepted; ``None`` for those that were.

    :raises HttpResponseError: when all were refused for a reason that is none of theirs.
    :raises CredentialsError: when the service does not know the instrumentation key.
    :raises MetricsError: kind ``integrity`` when the answer can't be read.
    """
    told = _told(answer)
    if answer.status_code not in _BY_ITEM:
        raise HttpResponseError(_first_message(told), response=answer)
    if told is None:
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            raise HttpResponseError(response=answer)
        raise not_an_answer(_DOING, NAME, "it tells of no items", area=MetricsError)
    try:
        return _reasons(told, count)
    except MALFORMED as err:
        raise malformed(_DOING, NAME, err, area=MetricsError) from None


def _told(answer: HttpResponse) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except MALFORMED:
        return None
    return found if isinstance(found, dict) and "itemsAccepted" in found else None


def _reasons(told: dict[str, Any], count: int) -> Sequence[Reason | None]:
    errors = told.get("errors") or ()
    received, accepted = int(told["itemsReceived"]), int(told["itemsAccepted"])
    if received != count or not 0 <= accepted <= count:
        raise ValueError(f"of {count} items, {received} were received and {accepted} accepted")
    if errors and all(error["message"] == _WRONG_KEY for error in errors) and not accepted:
        raise CredentialsError(
            f"{_DOING}: {_WRONG_KEY}; take the connection string from the resource again",
            kind=ErrorKind.UNAUTHENTICATED,
            cloud=NAME,
            code=str(errors[0]["statusCode"]),
        )
    found: list[Reason | None] = [None] * count
    for error in errors:
        index = int(error["index"])
        if not 0 <= index < count:
            raise ValueError(f"there is no item {index}")
        found[index] = _reason(int(error["statusCode"]), str(error.get("message") or ""))
    if found.count(None) != accepted:
        # Those that are named are refused; of the others nobody knows which were.
        return [_NOT_NAMED if reason is None else reason for reason in found]
    return found


def _reason(status: int, message: str) -> Reason:
    if status == HTTPStatus.PARTIAL_CONTENT:
        # "Telemetry sampled out.": the resource keeps a part of what it is sent.
        kind = ErrorKind.QUOTA
    else:
        kind = TABLE.statuses.get(status) or kind_of_status(status)
    return rejected(kind, message or f"status {status}", code=str(status))


def _first_message(told: dict[str, Any] | None) -> str | None:
    try:
        return str(told["errors"][0]["message"]) if told else None
    except MALFORMED:
        return None

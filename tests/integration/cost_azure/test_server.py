"""The local server refuses what Azure would: requests, tokens, versions, links of others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug import Request

from airflow_multicloud.testing.local_clouds.azure.arm import (
    AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    SUBSCRIPTION_ID,
    TENANT_ID,
)
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens

from .test_query import seed

if TYPE_CHECKING:
    from .conftest import Azure

QUERY_PATH = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.CostManagement/query"
BODY: dict[str, Any] = {
    "type": "ActualCost",
    "timeframe": "Custom",
    "timePeriod": {"from": "2026-09-01T00:00:00Z", "to": "2026-09-30T23:59:59Z"},
    "dataset": {
        "granularity": "Daily",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
    },
}
VERSION = "2025-03-01"


def token(azure: Azure, **changes: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": f"{AUDIENCE}/.default",
        **changes,
    }
    url = f"{azure.endpoint}/{TENANT_ID}/oauth2/v2.0/token"
    return requests.post(url, data=form, verify=str(azure.ca_bundle), timeout=10)


def ask(azure: Azure, path: str = QUERY_PATH, **how: Any) -> requests.Response:
    method = how.pop("method", "POST")
    how.setdefault("params", {"api-version": VERSION})
    how.setdefault("json", BODY)
    bearer = how.pop("token", None) or token(azure).json()["access_token"]
    return requests.request(
        method,
        f"{azure.endpoint}{path}",
        headers={"Authorization": f"Bearer {bearer}"},
        verify=str(azure.ca_bundle),
        timeout=10,
        **how,
    )


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"params": {}}, 400, "MissingApiVersionParameter"),
        ({"params": {"api-version": "2019-11-01"}}, 400, "InvalidApiVersionParameter"),
        ({"params": {"api-version": VERSION, "$top": "1"}}, 400, "InvalidQueryParameter"),
        ({"params": {"api-version": [VERSION, VERSION]}}, 400, "InvalidQueryParameter"),
        ({"json": {**BODY, "surprise": 1}}, 400, "InvalidRequestContent"),
        ({"json": None, "data": b"{"}, 400, "InvalidRequestContent"),
        ({"json": {**BODY, "timeframe": "MonthToDate"}}, 400, "BadRequest"),
        ({"params": {"api-version": VERSION, "$skiptoken": "!"}}, 400, "BadRequest"),
        ({"token": "abc"}, 401, "InvalidAuthenticationToken"),
        ({"method": "GET", "json": None}, 404, "InvalidResourceType"),
    ],
)
def test_refused(azure: Azure, how: dict[str, Any], status: int, code: str) -> None:
    seed(azure, days=1)
    assert ask(azure).status_code == 200
    answer = ask(azure, **how)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_a_link_is_good_for_its_own_query_only(azure: Azure) -> None:
    seed(azure, days=10)
    link = ask(azure, json={**BODY, "dataset": grouped()}).json()["properties"]["nextLink"]
    path = link.removeprefix(azure.endpoint)
    assert ask(azure, path, params=None, json={**BODY, "dataset": grouped()}).status_code == 200
    assert ask(azure, path, params=None).status_code == 400


def grouped() -> dict[str, Any]:
    return {**BODY["dataset"], "grouping": [{"type": "Dimension", "name": "ServiceName"}]}


def test_without_a_token(azure: Azure) -> None:
    url = f"{azure.endpoint}{QUERY_PATH}?api-version={VERSION}"
    answer = requests.post(url, json=BODY, verify=str(azure.ca_bundle), timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_tls_is_the_servers_own(azure: Azure) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(azure.endpoint, timeout=10)


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "unknown"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://storage.azure.com/.default"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_no_token(
    azure: Azure, changes: dict[str, str], status: int, error: str, code: int
) -> None:
    answer = token(azure, **changes)
    told = answer.json()
    assert (answer.status_code, told["error"], told["error_codes"]) == (status, error, [code])
    assert told["error_description"].startswith(f"AADSTS{code}: ")


@pytest.mark.parametrize(
    ("issued", "code"),
    [
        ({"lifetime": timedelta(seconds=-1)}, "ExpiredAuthenticationToken"),
        ({"audience": "https://vault.azure.net"}, "InvalidAuthenticationTokenAudience"),
    ],
)
def test_tokens_that_are_refused(issued: dict[str, Any], code: str) -> None:
    tokens = Tokens()
    tokens.check(bearing(tokens.issue()))
    with pytest.raises(Refusal) as caught:
        tokens.check(bearing(tokens.issue(**issued)))
    body: Any = caught.value.answer.body
    assert (caught.value.answer.status, body["error"]["code"]) == (401, code)


def bearing(issued: str) -> Request:
    return Request.from_values(
        base_url="https://127.0.0.1", headers={"authorization": f"Bearer {issued}"}
    )


def test_an_answer_that_the_sdk_does_not_know_is_not_given(azure: Azure) -> None:
    record = {"id": f"/subscriptions/{SUBSCRIPTION_ID}/x", "properties": {"category": 1}}
    azure.admin.seed("advisor", [record])
    path = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Advisor/recommendations"
    answer = ask(azure, path, method="GET", json=None, params={"api-version": "2020-01-01"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "LocalAnswerInvalid")

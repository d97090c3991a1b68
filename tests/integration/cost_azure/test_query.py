"""Cost Management's Query: every page, through throttling, and every refusal by its name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.errors import CostAnalysisError, CredentialsError, ErrorKind
from airflow_multicloud.ports.cost import CostMetric, CostQuery
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.cost.queries import PAGE_ROWS

if TYPE_CHECKING:
    from .conftest import Azure

START = date(2026, 9, 1)
SCOPE = f"/subscriptions/{SUBSCRIPTION_ID}"
QUOTA = "x-ms-ratelimit-microsoft.costmanagement-{}-retry-after"


def charge(
    day: date, service: str, cost: str, *, scope: str = SCOPE, **more: str
) -> dict[str, Any]:
    return {
        "scope": scope,
        "date": day.isoformat(),
        "Cost": cost,
        "AmortizedCost": "0.5",
        "Currency": "EUR",
        "ServiceName": service,
        "SubscriptionId": SUBSCRIPTION_ID,
        "ResourceLocation": "westeurope",
        **more,
    }


def seed(azure: Azure, *, days: int) -> list[tuple[date, str, Decimal]]:
    """Five services a day, each with two charges."""
    expected = []
    for number in range(days * 5):
        day, service = START + timedelta(days=number // 5), f"service {number % 5}"
        azure.admin.seed("cost", [charge(day, service, "0.1"), charge(day, service, f"{number}.2")])
        expected.append((day, service, Decimal(f"{number}.3")))
    return expected


def asked(**changes: Any) -> CostQuery:
    return CostQuery(**{"start": START, "end": START + timedelta(days=30), **changes})


def queries(azure: Azure) -> list[dict[str, Any]]:
    return [r for r in azure.admin.requests() if r["path"].endswith("/query")]


def test_five_pages_with_throttling_between_them_are_all_read(azure: Azure) -> None:
    expected = seed(azure, days=PAGE_ROWS)
    refused = {"status": 429, "body": {"error": {"code": "429", "message": "Too many requests."}}}
    azure.admin.script(
        "CostManagement/query",
        [
            None,
            {**refused, "headers": {QUOTA.format("qpu"): "1"}},
            None,
            {**refused, "headers": {QUOTA.format("clienttype"): "1", "Retry-After": "0"}},
            {**refused, "headers": {}},
            None,
            {**refused, "headers": {"Retry-After": "1"}},
        ],
    )
    found = azure.hook().query_costs(asked())
    rows = [(r.charge_date, r.group["ServiceName"], r.cost) for r in found.rows]
    assert rows == expected
    assert {r.billing_currency for r in found.rows} == {"EUR"}
    assert (found.requests, found.price) == (5, 0)
    sent = queries(azure)
    assert [r["status"] for r in sent] == [200, 429, 200, 429, 429, 200, 429, 200, 200]
    assert {r["headers"]["clienttype"] for r in sent} == {"airflow-multicloud"}


def test_a_wait_that_nobody_can_read_is_none(azure: Azure) -> None:
    seed(azure, days=1)
    azure.admin.script(
        "CostManagement/query", [{"status": 429, "headers": {"Retry-After": "soon"}}]
    )
    assert azure.hook().query_costs(asked()).rows
    assert len(queries(azure)) == 2


def test_a_wait_too_long_for_a_worker_is_throttled_at_once(azure: Azure) -> None:
    seed(azure, days=1)
    azure.admin.throttle("query", let_through=0, headers={QUOTA.format("entity"): "3000"})
    with pytest.raises(CostAnalysisError, match="Too many requests") as caught:
        azure.hook().query_costs(asked())
    assert caught.value.kind is ErrorKind.THROTTLED
    assert caught.value.retry_after == timedelta(seconds=3000)
    assert caught.value.retryable
    assert len(queries(azure)) == 1


def test_pages_beyond_the_limit_are_not_asked_for(azure: Azure) -> None:
    seed(azure, days=PAGE_ROWS)
    with pytest.raises(CostAnalysisError, match="max_requests") as caught:
        azure.hook().query_costs(asked(max_requests=3))
    assert caught.value.kind is ErrorKind.QUOTA
    assert len(queries(azure)) == 3


def test_the_last_day_is_the_one_before_the_end(azure: Azure) -> None:
    seed(azure, days=3)
    found = azure.hook().query_costs(asked(end=START + timedelta(days=2)))
    assert {r.charge_date for r in found.rows} == {START, START + timedelta(days=1)}


def test_groups_have_focus_names_and_values(azure: Azure) -> None:
    azure.admin.seed("cost", [charge(START, "any", "2")])
    found = azure.hook().query_costs(asked(group_by=("SubAccountId", "RegionId")))
    assert [dict(r.group) for r in found.rows] == [
        {"SubAccountId": SCOPE, "RegionId": "westeurope"}
    ]


def test_effective_cost_is_the_amortized_one(azure: Azure) -> None:
    azure.admin.seed("cost", [charge(START, "any", "2")])
    hook = azure.hook()
    assert hook.query_costs(asked()).rows[0].cost == 2
    found = hook.query_costs(asked(metric=CostMetric.EFFECTIVE_COST, group_by=()))
    assert [(r.cost, dict(r.group)) for r in found.rows] == [(Decimal("0.5"), {})]


def test_only_a_closed_month_is_final(azure: Azure) -> None:
    today = datetime.now(UTC).date()
    azure.admin.seed("cost", [charge(today, "any", "1"), charge(date(2026, 3, 31), "any", "1")])
    found = azure.hook().query_costs(asked(start=date(2026, 3, 1), end=today + timedelta(days=1)))
    assert [r.estimated for r in found.rows] == [False, True]


def test_another_scope(azure: Azure) -> None:
    scope = "/providers/Microsoft.Billing/billingAccounts/123"
    azure.admin.seed("cost", [charge(START, "any", "7", scope=scope)])
    found = azure.hook(cost_scope=scope).query_costs(asked())
    assert [r.cost for r in found.rows] == [7]


@pytest.mark.parametrize(
    ("extra", "kind", "code"),
    [
        ({}, ErrorKind.NOT_FOUND, "SubscriptionNotFound"),
        (
            {"cost_scope": "/providers/Microsoft.Billing/billingAccounts/999"},
            ErrorKind.PERMISSION_DENIED,
            "AuthorizationFailed",
        ),
    ],
)
def test_unknown_scope(azure: Azure, extra: dict[str, str], kind: ErrorKind, code: str) -> None:
    with pytest.raises(CostAnalysisError, match=code) as caught:
        azure.hook(**extra).query_costs(asked())
    assert (caught.value.kind, caught.value.code, caught.value.cloud) == (kind, code, "azure")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wr0ngS3cret"}, "AADSTS7000215"),
        ({"login": "44444444-4444-4444-8444-444444444444"}, "AADSTS700016"),
        ({"tenantId": "55555555-5555-4555-8555-555555555555"}, None),
    ],
)
def test_wrong_credentials(
    azure: Azure,
    changes: dict[str, str],
    code: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(CredentialsError, match="querying the costs of subscriptions/") as caught:
        azure.hook(**changes).query_costs(asked())
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNAUTHENTICATED, code)
    assert "wr0ngS3cret" not in f"{caught.value} {caplog.text}"
    assert queries(azure) == []


def test_a_certificate_that_is_not_trusted(azure: Azure) -> None:
    with pytest.raises((CostAnalysisError, CredentialsError), match=r"(?i)certificate") as caught:
        azure.hook(ca_bundle="").query_costs(asked())
    assert caught.value.cloud == "azure"
    assert azure.admin.requests() == []


def test_a_next_page_elsewhere_is_not_followed(azure: Azure) -> None:
    columns = [
        {"name": n, "type": "String"} for n in ("Cost", "UsageDate", "ServiceName", "Currency")
    ]
    properties = {"nextLink": "https://127.0.0.1:9/stolen", "columns": columns, "rows": []}
    azure.admin.script("query", [{"status": 200, "body": {"properties": properties}}])
    with pytest.raises(CostAnalysisError, match=r"127\.0\.0\.1:9") as caught:
        azure.hook().query_costs(asked())
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"start": date(2026, 10, 1), "end": START}, "start"),
        ({"group_by": ("Service",)}, "group_by"),
        ({"group_by": ("ServiceName", "RegionId", "SubAccountId")}, "group_by"),
        ({"max_requests": 0}, "max_requests"),
    ],
)
def test_refused_before_anything_is_sent(azure: Azure, changes: Any, named: str) -> None:
    with pytest.raises(CostAnalysisError, match=named) as caught:
        azure.hook().query_costs(asked(**changes))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert azure.admin.requests() == []

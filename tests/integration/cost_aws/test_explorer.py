"""Cost Explorer over a socket: pages, throttling, the cap, and what it costs."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.errors import CostAnalysisError, CredentialsError, ErrorKind
from airflow_multicloud.ports.cost import CostMetric, CostQuery
from tests.faults.proxy import Answer, Fault, FaultProxy, Rule

if TYPE_CHECKING:
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    from .conftest import CostExplorer

_COST_AND_USAGE = rb"Granularity"


def day_of(page: int) -> date:
    return date(2026, 9, 1) + timedelta(days=page)


def group(*keys: str, amount: str, metric: str = "UnblendedCost") -> dict[str, Any]:
    return {"Keys": list(keys), "Metrics": {metric: {"Amount": amount, "Unit": "USD"}}}


def page(day: date, *groups: dict[str, Any], estimated: bool = False) -> dict[str, Any]:
    end = day + timedelta(days=1)
    result = {
        "TimePeriod": {"Start": day.isoformat(), "End": end.isoformat()},
        "Total": {},
        "Groups": list(groups),
        "Estimated": estimated,
    }
    return {"ResultsByTime": [result], "DimensionValueAttributes": []}


def refusal(code: str, message: str = "no", status: int = 400) -> Answer:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Answer(status, {"Content-Type": "application/x-amz-json-1.1"}, body)


def asked(proxy: FaultProxy) -> list[dict[str, Any]]:
    """The requests that Cost Explorer got."""
    return [json.loads(seen.head) for seen in proxy.seen("POST", body=_COST_AND_USAGE)]


def test_five_pages_with_refusals_in_between(
    proxied: CostExplorerHook, proxy: FaultProxy, explorer: CostExplorer
) -> None:
    """Cost Explorer's own word for "too fast" is LimitExceededException; only pages are paid."""
    throttled = refusal("LimitExceededException", "You made too many calls in a short time")
    proxy.add(
        *(
            Rule(fault=Fault.ANSWER, method="POST", body=_COST_AND_USAGE, first=n, answer=throttled)
            for n in (1, 3)
        )
    )
    explorer.answer(
        *(page(day_of(n), group("Amazon S3", amount=f"0.{n}1"), estimated=n > 2) for n in range(5))
    )
    found = proxied.query_costs(CostQuery(start=day_of(0), end=day_of(5)))
    assert [row.charge_date for row in found.rows] == [day_of(n) for n in range(5)]
    assert [row.cost for row in found.rows] == [Decimal(f"0.{n}1") for n in range(5)]
    assert [row.estimated for row in found.rows] == [False, False, False, True, True]
    assert proxy.applied() == 2
    assert len(asked(proxy)) == 7
    assert (found.requests, found.price) == (5, Decimal("0.05"))


def test_request(proxied: CostExplorerHook, proxy: FaultProxy, explorer: CostExplorer) -> None:
    """Days, metric and dimensions in Cost Explorer's words; every page's the same."""
    metric = "AmortizedCost"
    rows = group("Amazon EC2", "111122223333", amount="1.5", metric=metric)
    explorer.answer(page(day_of(0), rows), page(day_of(1), rows))
    query = CostQuery(
        start=date(2026, 8, 1),
        end=date(2026, 8, 3),
        metric=CostMetric.EFFECTIVE_COST,
        group_by=("ServiceName", "SubAccountId"),
    )
    found = proxied.query_costs(query)
    first, second = asked(proxy)
    assert second.pop("NextPageToken").startswith("page-2-")
    assert (
        first
        == second
        == {
            "TimePeriod": {"Start": "2026-08-01", "End": "2026-08-03"},
            "Granularity": "DAILY",
            "Metrics": [metric],
            "GroupBy": [
                {"Type": "DIMENSION", "Key": "SERVICE"},
                {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"},
            ],
        }
    )
    assert found.rows[0].group == {"ServiceName": "Amazon EC2", "SubAccountId": "111122223333"}
    assert found.rows[0].billing_currency == "USD"


def test_without_groups(hook: CostExplorerHook, explorer: CostExplorer) -> None:
    """The figures stand elsewhere in the answer."""
    answer = page(day_of(0))
    answer["ResultsByTime"][0]["Total"] = group(amount="0.0000000001")["Metrics"]
    explorer.answer(answer)
    found = hook.query_costs(CostQuery(start=date(2026, 7, 1), end=date(2026, 7, 2), group_by=()))
    assert [(row.group, row.cost) for row in found.rows] == [({}, Decimal("1E-10"))]


@pytest.mark.parametrize("allowed", [1, 2])
def test_cap(
    proxied: CostExplorerHook, proxy: FaultProxy, explorer: CostExplorer, allowed: int
) -> None:
    """Not one request more, and the message says what was spent."""
    explorer.answer(*(page(day_of(n), group("S3", amount="1")) for n in range(allowed + 1)))
    start = date(2026, 6, allowed)
    with pytest.raises(CostAnalysisError) as caught:
        proxied.query_costs(CostQuery(start=start, end=day_of(0), max_requests=allowed))
    assert caught.value.kind is ErrorKind.QUOTA
    assert f"max_requests: {allowed} requests (USD 0.0{allowed})" in str(caught.value)
    assert len(asked(proxy)) == allowed


def test_cap_that_suffices(hook: CostExplorerHook, explorer: CostExplorer) -> None:
    explorer.answer(*(page(day_of(n), group("S3", amount="1")) for n in range(2)))
    query = CostQuery(start=date(2026, 5, 1), end=day_of(0), max_requests=2)
    assert hook.query_costs(query).requests == 2


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (CostQuery(start=day_of(1), end=day_of(1)), "end: 2026-09-02 given, .* after start"),
        (CostQuery(start=day_of(1), end=day_of(0)), "end: 2026-09-01 given, .* after start"),
        (CostQuery(start=day_of(0), end=day_of(1), max_requests=0), "max_requests: 0 given"),
        (
            CostQuery(start=day_of(0), end=day_of(1), group_by=("Service",)),
            "group_by: Service given, expected at most 2 different of ServiceName, RegionId, Sub",
        ),
        (
            CostQuery(start=day_of(0), end=day_of(1), group_by=("RegionId", "RegionId")),
            "group_by: RegionId, RegionId given",
        ),
        (
            CostQuery(
                start=day_of(0),
                end=day_of(1),
                group_by=("ServiceName", "RegionId", "SubAccountId"),
            ),
            "group_by: ServiceName, RegionId, SubAccountId given",
        ),
    ],
)
def test_bad_questions_cost_nothing(
    proxied: CostExplorerHook, proxy: FaultProxy, query: CostQuery, complaint: str
) -> None:
    with pytest.raises(CostAnalysisError, match=complaint) as caught:
        proxied.query_costs(query)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert proxy.seen() == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataUnavailableException", ErrorKind.INVALID_ARGUMENT),
        ("BillExpirationException", ErrorKind.INVALID_ARGUMENT),
        ("RequestChangedException", ErrorKind.INVALID_ARGUMENT),
        ("BillingViewHealthStatusException", ErrorKind.INVALID_ARGUMENT),
        ("ValidationException", ErrorKind.INVALID_ARGUMENT),
        ("InvalidNextTokenException", ErrorKind.SOURCE_CHANGED),
        ("ResourceNotFoundException", ErrorKind.NOT_FOUND),
        ("AccessDeniedException", ErrorKind.PERMISSION_DENIED),
    ],
)
def test_errors(proxied: CostExplorerHook, proxy: FaultProxy, code: str, kind: ErrorKind) -> None:
    """None of these is tried again: the answer would be the same."""
    proxy.add(Rule(fault=Fault.ANSWER, answer=refusal(code, "the reason"), times=None))
    with pytest.raises(CostAnalysisError, match="the reason") as caught:
        proxied.query_costs(CostQuery(start=day_of(0), end=day_of(1)))
    assert (caught.value.kind, caught.value.code, caught.value.cloud) == (kind, code, "aws")
    assert len(proxy.seen()) == 1


def test_refused_credentials(proxied: CostExplorerHook, proxy: FaultProxy) -> None:
    answer = refusal("UnrecognizedClientException", "The security token is invalid.")
    proxy.add(Rule(fault=Fault.ANSWER, answer=answer, times=None))
    with pytest.raises(CredentialsError):
        proxied.query_costs(CostQuery(start=day_of(0), end=day_of(1)))


def test_refused_for_good_for_speed(
    monkeypatch: pytest.MonkeyPatch, proxy: FaultProxy, explorer: CostExplorer
) -> None:
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook
    from tests.integration.conftest import s3_at

    retries = {"mode": "standard", "total_max_attempts": 2}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_HASTY", s3_at(proxy.port, retries=retries))
    throttled = refusal("LimitExceededException", "too many")
    proxy.add(Rule(fault=Fault.ANSWER, answer=throttled, times=None))
    with pytest.raises(CostAnalysisError) as caught:
        CostExplorerHook("aws_hasty").query_costs(CostQuery(start=day_of(0), end=day_of(1)))
    assert caught.value.kind is ErrorKind.THROTTLED
    assert caught.value.retryable
    assert len(proxy.seen()) == 2


@pytest.mark.parametrize(
    ("region", "service", "endpoint"),
    [
        ("eu-central-1", "ce", "ce.us-east-1.amazonaws.com"),
        ("eu-central-1", "pricing", "api.pricing.us-east-1.amazonaws.com"),
        ("eu-central-1", "cost-optimization-hub", "cost-optimization-hub.us-east-1.amazonaws.com"),
        ("eu-central-1", "compute-optimizer", "compute-optimizer.eu-central-1.amazonaws.com"),
        ("cn-north-1", "ce", "ce.cn-northwest-1.amazonaws.com.cn"),
        ("cn-north-1", "pricing", "api.pricing.cn-northwest-1.amazonaws.com.cn"),
        ("us-gov-west-1", "ce", "ce.us-gov-west-1.amazonaws.com"),
        (None, "ce", "ce.us-east-1.amazonaws.com"),
        (None, "compute-optimizer", "compute-optimizer.us-east-1.amazonaws.com"),
    ],
)
def test_endpoints(
    monkeypatch: pytest.MonkeyPatch, region: str | None, service: str, endpoint: str
) -> None:
    """Billing services have few endpoints; a connection names the region of its resources."""

    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    extra = {} if region is None else {"region_name": region}
    connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_FAR", json.dumps(connection))
    client = CostExplorerHook("aws_far")._service(service)
    urls: list[str] = []

    class StoppedError(Exception):
        """Nothing is to be sent."""

    def stop(request: Any, **_: Any) -> None:
        urls.append(request.url)
        raise StoppedError

    client.meta.events.register("before-send", stop)
    operation = {
        "ce": "list_cost_allocation_tags",
        "pricing": "describe_services",
        "cost-optimization-hub": "list_recommendations",
        "compute-optimizer": "get_enrollment_status",
    }[service]
    with pytest.raises(StoppedError):
        getattr(client, operation)()
    assert re.fullmatch(rf"https://{re.escape(endpoint)}/", urls[0])

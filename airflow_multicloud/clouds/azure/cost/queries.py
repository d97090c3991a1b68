"""Cost Management's Query API: a quick look, free of charge and tightly throttled.

https://learn.microsoft.com/rest/api/cost-management/query/usage; quotas and their headers:
https://learn.microsoft.com/azure/cost-management-billing/costs/manage-automation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.pipeline.policies import HeadersPolicy
from azure.core.rest import HttpRequest
from azure.mgmt.costmanagement import CostManagementClient, models

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.cost.client import CostBase
from airflow_multicloud.clouds.azure.cost.errors import quota_wait, translated
from airflow_multicloud.clouds.azure.resending import ShortWaits
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import last_of_month
from airflow_multicloud.ports.cost import CostMetric, CostQuery, CostQueryResult, CostQueryRow

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.resource_manager import ResourceManager

# Callers without this header share one quota with everybody else in the tenant:
# https://github.com/electrolux-oss/azure-cost-exporter/pull/8.
_CLIENT_TYPE = "airflow-multicloud"
_DIMENSIONS = {
    "ServiceName": "ServiceName",
    "RegionId": "ResourceLocation",
    "SubAccountId": "SubscriptionId",
}
_GROUPS = 2  # the port's limit, and the API's
_TYPES = {
    CostMetric.BILLED_COST: models.ExportType.ACTUAL_COST,
    CostMetric.EFFECTIVE_COST: models.ExportType.AMORTIZED_COST,
}
_COST, _DAY, _CURRENCY = "Cost", "UsageDate", "Currency"
# "Changes might continue until the fifth day after a billing period ends":
# https://learn.microsoft.com/azure/cost-management-billing/cost-management-billing-faq.
_CLOSING = timedelta(days=5)


class QuotaRetryPolicy(ShortWaits):
    """azure-core's retries, told how Cost Management says when to come back."""

    def get_retry_after(self, response: Any) -> float | None:
        """The longest wait that any of the quotas asks for, in seconds."""
        asked = quota_wait(response.http_response.headers)
        standard: float | None = super().get_retry_after(response)
        if asked is None or standard is None:
            return standard if asked is None else asked.total_seconds()
        return max(asked.total_seconds(), standard)


class CostManagementQueries(CostBase):
    """The port's ``CostQueries``."""

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Cost Management's daily figures of the connection's scope; free, but throttled.

        Services have the names that Cost Management gives them, which the exports' FOCUS names
        need not be. A row is estimated until the fifth day after its month.
        """
        _check(query)
        manager = self._manager
        client = self._azure.client("cost management", lambda: _client(manager))
        scope = manager.require_cost_scope()
        rows: list[CostQueryRow] = []
        requests = 0
        for requests, page in enumerate(_pages(client, manager, scope, query), start=1):  # noqa: B007
            with well_formed("querying Cost Management", NAME, area=CostAnalysisError):
                rows.extend(_rows(page, query.group_by))
        return CostQueryResult(rows=tuple(rows), requests=requests, price=Decimal(0))


def _client(manager: ResourceManager) -> CostManagementClient:
    return CostManagementClient(
        manager.require_credential(),
        headers_policy=HeadersPolicy({"ClientType": _CLIENT_TYPE}),
        **{**manager.client_options(), "retry_policy": QuotaRetryPolicy()},
    )


def _check(asked: CostQuery) -> None:
    unknown = [name for name in asked.group_by if name not in _DIMENSIONS]
    if unknown or len(asked.group_by) > _GROUPS:
        raise _refused(
            f"group_by: {', '.join(asked.group_by)} given, expected at most two of "
            f"{', '.join(_DIMENSIONS)}"
        )
    if asked.start >= asked.end:
        raise _refused(f"start: {asked.start} given, expected a day before end, {asked.end}")
    if asked.max_requests < 1:
        raise _refused(f"max_requests: {asked.max_requests} given, expected 1 or more")


def _definition(asked: CostQuery) -> models.QueryDefinition:
    last = asked.end - timedelta(days=1)  # the API's last day is included
    return models.QueryDefinition(
        type=_TYPES[asked.metric],
        timeframe=models.TimeframeType.CUSTOM,
        time_period=models.QueryTimePeriod(
            from_property=datetime.combine(asked.start, time.min, UTC),
            to=datetime.combine(last, time(23, 59, 59), UTC),
        ),
        dataset=models.QueryDataset(
            granularity=models.GranularityType.DAILY,
            aggregation={
                "totalCost": models.QueryAggregation(name=_COST, function=models.FunctionType.SUM)
            },
            grouping=[
                models.QueryGrouping(type=models.QueryColumnType.DIMENSION, name=_DIMENSIONS[name])
                for name in asked.group_by
            ],
        ),
    )


def _pages(
    client: CostManagementClient, manager: ResourceManager, scope: str, asked: CostQuery
) -> Iterator[models.QueryResult]:
    """By hand: the SDK reads one page. The next is asked for with the same body, by POST."""
    doing = f"querying the costs of {scope}"
    definition = _definition(asked)
    posting: Any = {"retry_on_methods": frozenset({"POST"})}  # a query changes nothing
    with translated(doing):
        page = client.query.usage(scope, definition, **posting)
    for _ in range(asked.max_requests - 1):
        if page is None:
            return
        yield page
        link = page.properties.next_link if page.properties else None
        if not link:
            return
        _check_host(link, manager.endpoint, doing)
        with translated(doing):
            answer = client.send_request(
                HttpRequest("POST", link, json=definition.as_dict(exclude_readonly=True)), **posting
            )
            answer.raise_for_status()
        with well_formed(doing, NAME, area=CostAnalysisError):
            page = models.QueryResult(answer.json())
    if page is None:
        return
    yield page
    if page.properties and page.properties.next_link:
        raise CostAnalysisError(
            f"max_requests: {asked.max_requests} pages of Cost Management did not suffice; allow "
            "more, ask for fewer days or groups, or read the export",
            kind=ErrorKind.QUOTA,
            cloud=NAME,
        )


def _check_host(link: str, endpoint: str, doing: str) -> None:
    """The token goes where the link leads: nowhere but where the first page came from."""
    if urlsplit(link)[:2] != urlsplit(endpoint)[:2]:
        raise CostAnalysisError(
            f"{doing}: the next page is said to be at {urlsplit(link).netloc}, not at {endpoint}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )


def _rows(page: models.QueryResult, group_by: Sequence[str]) -> Iterator[CostQueryRow]:
    properties = page.properties
    columns = [column.name for column in (properties.columns or ())] if properties else []
    wanted = {_COST, _DAY, _CURRENCY, *(_DIMENSIONS[name] for name in group_by)}
    if not properties or not wanted <= set(columns):
        raise CostAnalysisError(
            f"Cost Management answered with columns {', '.join(map(str, columns)) or 'none'}, "
            f"expected {', '.join(sorted(wanted))}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    for values in properties.rows or ():
        yield _row(dict(zip(columns, values, strict=True)), group_by)


def _row(values: Mapping[str | None, Any], group_by: Sequence[str]) -> CostQueryRow:
    day = datetime.strptime(str(values[_DAY]), "%Y%m%d").replace(tzinfo=UTC).date()
    return CostQueryRow(
        charge_date=day,
        group={name: _focus_value(name, values[_DIMENSIONS[name]]) for name in group_by},
        # JSON has a binary number; its shortest text is what the service wrote.
        cost=Decimal(str(values[_COST])),
        billing_currency=values[_CURRENCY],
        estimated=_may_change(day),
    )


def _focus_value(name: str, value: str) -> str:
    """As Azure's FOCUS exports write it: sub accounts are resource ids."""
    return f"/subscriptions/{value}" if name == "SubAccountId" and value else value


def _may_change(day: date) -> bool:
    """The API doesn't say; Azure's rule of when a billing month closes does."""
    last = last_of_month(day)
    return datetime.now(UTC).date() <= last + _CLOSING


def _refused(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)

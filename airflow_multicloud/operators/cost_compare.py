"""Questions about cost whose answers fit into XCom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud import api
from airflow_multicloud.core.cost import documents
from airflow_multicloud.core.cost.money import CostBasis
from airflow_multicloud.lists import texts
from airflow_multicloud.operators._costs import CostOperator, day_of, days
from airflow_multicloud.operators._shell import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_multicloud.core.cost.fx.unconverted import Unconverted
    from airflow_multicloud.core.cost.recommendations import RankedRecommendation

#: Recommendations in the log; all are in the object.
_SHOWN = 50
_PERIOD: Sequence[str] = (*CostOperator.template_fields, "start", "end")


class CompareCostOperator(CostOperator):
    """What each cloud cost, in one currency, broken down; and which bill is the smallest.

    Returns what the report's JSON says of it: totals per cloud on all four cost bases, with
    completeness, as-of time and exchange rates, and the largest lines. Amounts are texts, and
    unrounded.

    :param start: first day. :param end: the day after the last.
    :param group_by: FOCUS columns, or ``tag:<key>``.
    :param limit: lines a cloud; the rest is summed up as ``(other)``.
    :param by: ``charge_day`` or ``billing_period`` (the invoices of these months); by default the
        latter for whole months on the basis ``billed``, else the former.
    """

    template_fields: Sequence[str] = (*_PERIOD, "group_by", "by")

    def __init__(
        self,
        *,
        start: str,
        end: str,
        group_by: Sequence[str] = ("ServiceName",),
        limit: int = 20,
        by: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.group_by = group_by
        self.limit = limit
        self.by = by

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare."""
        start, end = days(self.start, self.end)
        with airflow_errors():
            analyzer = self.analyzer()
            found = analyzer.compare_costs(
                start, end, group_by=self.group_by, limit=self.limit, by=self.by or None
            )
            smallest = analyzer.get_smallest_bill(found.reports) if found.reports else None
        for report in found.reports:
            self.log.info("%s: %s", report.cloud, report.total)
            for line in report.lines:
                amount = line.costs.on(report.basis)
                self.log.info("  %-50s %14s %s", " / ".join(line.group), f"{amount:.2f}",
                              report.currency)  # fmt: skip
        for cloud, why in found.missing.items():
            self.log.warning("%s is missing: %s", cloud, why)
        for overlap in found.left_out:
            self.log.warning("not counted: %s", overlap)
        _warn_apart(self, found.unconverted)
        if smallest:
            self.log.info("smallest bill: %s", smallest)
        return {
            **documents.comparison(found),
            "smallest_bill": list(smallest.clouds) if smallest else [],
        }


class FindCostAnomaliesOperator(CostOperator):
    """Services whose daily cost jumped above what their past weeks explain.

    Returns ``anomaly_count``, the ``anomalies`` as the report's JSON has them, largest first (at
    most a hundred), and which clouds could not be checked.

    :param start: first day judged. :param end: the day after the last.
    """

    template_fields = _PERIOD

    def __init__(self, *, start: str, end: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end

    def execute(self, context: Context) -> dict[str, Any]:
        """Look."""
        with airflow_errors():
            found = self.analyzer().find_anomalies(*days(self.start, self.end))
        for anomaly in found.found:
            self.log.warning("anomaly: %s", anomaly)
        for cloud, why in found.unchecked.items():
            self.log.warning("%s was not checked: %s", cloud, why)
        _warn_apart(self, found.unconverted)
        return {
            "anomaly_count": len(found.found),
            **documents.anomalies(found, limit=100),
        }


class AttributeCostOperator(CostOperator):
    """What each DAG and task cost, by the labels in the bill, and what no label explains.

    :param start: first day. :param end: the day after the last.
    :param dag_ids: real DAG ids, where labels could not hold them letter by letter.
    """

    template_fields: Sequence[str] = (*_PERIOD, "dag_ids")

    def __init__(self, *, start: str, end: str, dag_ids: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.dag_ids = dag_ids

    def execute(self, context: Context) -> dict[str, Any]:
        """Attribute."""
        with airflow_errors():
            found = self.analyzer().attribute_costs(
                *days(self.start, self.end), dag_ids=self.dag_ids
            )
        dags = {dag: f"{amount:.2f}" for dag, amount in list(found.by_dag().items())[:100]}
        for dag, amount in dags.items():
            self.log.info("%-60s %14s %s", dag, amount, found.currency)
        _warn_apart(self, found.unconverted)
        self.log.info(
            "unexplained usage: %.2f %s; %s %% of usage carries a DAG's label",
            found.unexplained_usage,
            found.currency,
            found.coverage_percent,
        )
        return {
            "dags": dags,
            "unexplained_usage": f"{found.unexplained_usage:.2f}",
            "coverage_percent": None
            if found.coverage_percent is None
            else str(found.coverage_percent),
            "currency": found.currency,
            "missing": dict(found.missing),
        }


class PriceWorkloadOperator(CostOperator):
    """The same workload on each cloud, at your own unit prices where the bill has them.

    Returns a quote per cloud, as the report's JSON has it, and the cheapest of the complete ones.

    :param workload: fields of :class:`~airflow_multicloud.core.cost.prices.workload.Workload`, like
        ``{"vcpus": 4, "memory_gib": 16, "storage_gb": 500, "egress_gb": 100}``.
    :param on: names of clouds (``clouds`` filters the bill).
    :param day: your own prices are of the month before this day.
    :param regions: cloud → region; where all can be priced and is cheapest by default.
    :param prices: path or URI of the list prices for what the bill lacks, as a
        :class:`~airflow_multicloud.operators.cost_refresh.RefreshPricesOperator` writes it; the
        packaged ones by default. How old they are is said.
    :param max_price_age: refuse older list prices.
    """

    template_fields: Sequence[str] = (
        *CostOperator.template_fields,
        "workload",
        "on",
        "day",
        "regions",
        "prices",
    )

    def __init__(
        self,
        *,
        workload: Mapping[str, Any],
        on: Sequence[str] = ("aws", "gcp", "azure"),
        day: str = "{{ ds }}",
        regions: Mapping[str, str] | None = None,
        prices: str | None = None,
        max_price_age: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workload = workload
        self.on = on
        self.day = day
        self.regions = regions
        self.prices = prices
        self.max_price_age = max_price_age

    def execute(self, context: Context) -> dict[str, Any]:
        """Price it."""
        today = day_of("day", self.day)
        with airflow_errors():
            found = self.analyzer().price_workload(
                api.workload_of(self.workload),
                texts(self.on, "on", what="names of clouds"),
                today=today,
                regions=self.regions,
                prices=self.prices or None,
                max_price_age=self.max_price_age,
            )
        for quote in found.quotes:
            if quote.complete:
                self.log.info("%s", quote)
            else:
                self.log.warning("%s", quote)
            if quote.old(today):
                self.log.warning("%s: some prices are of %s; RefreshPricesOperator refreshes them",
                                 quote.cloud, quote.oldest_price)  # fmt: skip
        best = found.cheapest
        if best:
            self.log.info("cheapest: %s", best.cloud)
        return {**documents.workload(found), "currency": self.currency}


class RecommendSavingsOperator(CostOperator):
    """Every cloud's advice on spending less: deduplicated, ranked, written to an object.

    Returns counts, sums and the object's URI.

    :param conn_ids: a connection per account, subscription or project.
    :param target: a directory or the URI of a prefix.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "conn_ids", "target")

    def __init__(self, *, conn_ids: Sequence[str], target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_ids = conn_ids
        self.target = target

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask."""
        with airflow_errors():
            ranked = self.analyzer().recommend(self.conn_ids)
            uri = api.write_recommendations(ranked, self.target)
        for item in ranked.ranked[:_SHOWN]:
            self.log.info(
                "%s: %s %s: saves %s a month, effort %s, advised by %s",
                item.cloud,
                item.recommendation.action,
                item.recommendation.resource_id or item.recommendation.resource_type,
                _saved(item, ranked.currency),
                item.recommendation.effort,
                ", ".join(item.sources),
            )
        if len(ranked.ranked) > _SHOWN:
            self.log.info("and %d more, in %s", len(ranked.ranked) - _SHOWN, uri)
        for source, why in ranked.unavailable.items():
            self.log.warning("%s could not be asked: %s", source, why)
        return {
            "recommendations": len(ranked.ranked),
            "resource_savings": _cents(ranked.resource_savings),
            "commitment_savings": _cents(ranked.commitment_savings),
            "currency": ranked.currency,
            "unconverted": len(ranked.unconverted),
            "unavailable": dict(ranked.unavailable),
            "price_usd": str(ranked.price),
            "uri": uri,
        }


def _warn_apart(operator: CostOperator, unconverted: Sequence[Unconverted]) -> None:
    for apart in unconverted:
        amount = apart.on(CostBasis(operator.basis))
        operator.log.warning("%s of %s are in no sum: %s", amount, apart.cloud, apart.reason)


def _saved(item: RankedRecommendation, currency: str) -> str:
    if item.monthly_savings is not None:
        return f"{item.monthly_savings:.2f} {currency}"
    if item.unconverted:
        return f"a sum that was not converted ({item.unconverted})"
    return "an unknown sum"


def _cents(amount: Decimal) -> str:
    return f"{amount:.2f}"

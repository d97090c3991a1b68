"""``airflow multicloud quote``: what a workload would cost on each cloud."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.api.cost.values import workload_of
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.cost import documents
from airflow_multicloud.core.cost.prices.workload import Quote

_CENT = Decimal("0.01")
_CLOUDS = ("aws", "gcp", "azure")
_FIELDS = (
    *("vcpus", "memory_gib", "instances", "hours", "storage_gb", "writes", "reads", "egress_gb"),
    "burstable",
)


@command()
def run(args: Namespace) -> Result:
    """Price it on every cloud; no cloud that can be priced is "not found"."""
    given = {name: getattr(args, name) for name in _FIELDS}
    workload = workload_of({name: value for name, value in given.items() if value is not None})
    today = datetime.now(UTC).date()
    analyzer = CloudCostAnalyzer(
        args.store, currency=args.currency or "USD", rates_file=args.rates_file
    )
    found = analyzer.price_workload(
        workload,
        args.cloud or _CLOUDS,
        today=today,
        regions=dict(pairs("--region", args.region or ())),
        prices=args.prices,
        max_price_age=args.max_price_age,
    )
    remarks = [str(quote) for quote in found.quotes]
    remarks += [
        f"{quote.cloud}: some prices are of {quote.oldest_price}; "
        "'airflow multicloud prices' refreshes them"
        for quote in found.quotes
        if quote.old(today)
    ]
    if found.cheapest:
        remarks.append(f"cheapest: {found.cheapest.cloud}")
    rows = [row for quote in found.quotes for row in _rows(quote)]
    document = {**documents.workload(found), "currency": analyzer.currency}
    code = ExitCode.DONE if found.cheapest else ExitCode.NOT_FOUND
    return Result(rows, [document], remarks, code)


def _rows(quote: Quote) -> list[dict[str, Any]]:
    return [
        {
            "cloud": quote.cloud,
            "region_id": line.region_id,
            "meter": str(line.meter),
            "sku": line.sku,
            "quantity": line.quantity,
            "unit": line.unit,
            "unit_price": line.unit_price,
            "unit_currency": line.unit_currency,
            "amount": line.amount.quantize(_CENT),
            "currency": quote.currency,
            "as_of": line.as_of.isoformat(),
            "source": line.source,
        }
        for line in quote.lines
    ]

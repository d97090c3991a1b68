"""What follows from usage, as SQL: a commitment, monthly purchases, credits and taxes."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.catalogue import CATALOGUES
from airflow_multicloud.testing.bills.columns import ROW, USAGE, VERSION, moment, select_list, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.testing.bills.options import BillOptions

#: What of the commitment goes unused at least, on its busiest day.
HEADROOM = Decimal("1.05")


def create_fixed(connection: DuckDBPyConnection, options: BillOptions) -> None:
    """Commitment, purchases, credits and tax, from one look at the usage."""
    connection.execute(
        "CREATE TABLE sums AS SELECT SubAccountId AS account, "
        "date_diff('day', BillingPeriodStart, ChargePeriodStart) AS day, "
        "sum(BilledCost) AS billed, sum(EffectiveCost) AS effective, sum(ListCost) AS listed, "
        "sum(ContractedCost) AS contracted, "
        "coalesce(sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Used'), 0) AS used "
        "FROM usage GROUP BY ALL"
    )
    connection.execute(
        f"CREATE TABLE accounts AS SELECT n, {CATALOGUES[options.cloud].account} AS account "
        f"FROM range({options.accounts}) accounts(n)"
    )
    nothing = f"SELECT {select_list(options, dict.fromkeys(USAGE))} WHERE false"
    connection.execute(f"CREATE TABLE fixed AS {nothing}")
    for wanted, sql in (
        (options.commitments, _commitment(options)),
        (options.monthly_purchases, _purchases(options)),
        (bool(options.credit_rate), _credits(options)),
        (bool(options.tax_rate), _taxes(options)),
    ):
        if wanted:
            connection.execute(f"INSERT INTO fixed BY NAME {sql}")
    connection.execute(f'UPDATE fixed SET "{ROW}" = rowid + {options.usage_rows}')


def _fixed(options: BillOptions, source: str, **given: str) -> str:
    """Rows from ``source``; a column that is not given is null."""
    costs = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    values: dict[str, str | None] = {
        **dict.fromkeys(USAGE),
        **dict.fromkeys(costs, given.pop("cost", None)),
        "Tags": "'{}'",
        VERSION: "0",
        **given,
    }
    return f"SELECT {select_list(options, values)} FROM {source}"


def _commitment(options: BillOptions) -> str:
    """Bought on the first day for all the days covered: their busiest day's use and some more.

    FOCUS: the purchase has EffectiveCost 0, since used and unused rows carry it.
    """
    catalogue = CATALOGUES[options.cloud]
    days = (
        f"(SELECT range AS number, (SELECT coalesce(sum(used), 0) FROM sums WHERE day = range) "
        f"AS used FROM range({options.covered}))"
    )
    fee = f"(SELECT CAST(ceil(max(used) * {HEADROOM}) AS DECIMAL(18, 0)) FROM {days})"
    common = {
        "ServiceCategory": "'Compute'",
        "ServiceSubcategory": "'Other (Compute)'",
        "ServiceName": text(catalogue.skus[0].service),
        "SubAccountId": "(SELECT account FROM accounts WHERE n = 0)",
        "CommitmentDiscountCategory": "'Spend'",
        "CommitmentDiscountId": "$commitment",
        "CommitmentDiscountName": "'Compute commitment'",
        "CommitmentDiscountType": "$commitment_type",
        "CommitmentDiscountUnit": "$currency",
        "ResourceId": "$commitment",
        "SkuId": "'commitment'",
        "SkuPriceId": "'commitment.monthly'",
        "PricingUnit": "$currency",
    }
    bought = f"{fee} * {options.covered}"
    purchase = _fixed(
        options,
        "(SELECT 1)",
        **common,
        cost=bought,
        EffectiveCost="0",
        ChargeCategory="'Purchase'",
        ChargeFrequency="'Recurring'",
        ChargeDescription="'Commitment, monthly fee'",
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        CommitmentDiscountQuantity=bought,
        ListUnitPrice="1",
        ContractedUnitPrice="1",
        PricingQuantity=bought,
        PricingCategory="'Standard'",
    )
    unused = _fixed(
        options,
        days,
        **common,
        cost="0",
        EffectiveCost=f"{fee} - used",
        ChargeCategory="'Usage'",
        ChargeFrequency="'Usage-Based'",
        ChargeDescription="'Commitment, not used'",
        ChargePeriodStart="$start + to_days(CAST(number AS INTEGER))",
        ChargePeriodEnd="$start + to_days(CAST(number + 1 AS INTEGER))",
        CommitmentDiscountQuantity=f"{fee} - used",
        CommitmentDiscountStatus="'Unused'",
        PricingCategory="'Committed'",
    )
    return f"{purchase} UNION ALL {unused}"


def _purchases(options: BillOptions) -> str:
    catalogue = CATALOGUES[options.cloud]
    prices = f"(VALUES ({text(catalogue.support)}, 'Other', 'Other (Other)', 100.00),"
    prices += f" ({text(catalogue.marketplace)}, 'Developer Tools', 'Other (Developer Tools)',"
    prices += " 249.00)) bought(name, category, subcategory, price)"
    price = f"price * CAST({options.exchange_rate} AS DECIMAL(8, 2))"
    return _fixed(
        options,
        prices,
        cost=price,
        ChargeCategory="'Purchase'",
        ChargeFrequency="'Recurring'",
        ChargeDescription="name || ', monthly fee'",
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        ServiceCategory="category",
        ServiceSubcategory="subcategory",
        ServiceName="name",
        SubAccountId="(SELECT account FROM accounts WHERE n = 0)",
        SkuId="'monthly'",
        SkuPriceId="name || '.monthly'",
        ListUnitPrice=price,
        ContractedUnitPrice=price,
        PricingQuantity="1",
        PricingUnit="'Months'",
        PricingCategory="'Standard'",
    )


def _credits(options: BillOptions) -> str:
    """A promotion: a part of what each sub account was billed that day, to the cent."""
    days = (
        f"(SELECT accounts.account, range AS number, coalesce(billed, 0) AS billed "
        f"FROM accounts CROSS JOIN range({options.covered}) "
        "LEFT JOIN sums ON sums.account = accounts.account AND sums.day = range "
        "ORDER BY number, n)"
    )
    service = CATALOGUES[options.cloud].skus[0]
    return _fixed(
        options,
        days,
        # FOCUS: a credit that belongs to no single charge is the same on every cost basis.
        cost=f"-round(billed * CAST({options.credit_rate} AS DECIMAL(6, 2)), 2)",
        ChargeCategory="'Credit'",
        ChargeFrequency="'One-Time'",
        ChargeDescription="'Promotional credit'",
        ChargePeriodStart="$start + to_days(CAST(number AS INTEGER))",
        ChargePeriodEnd="$start + to_days(CAST(number + 1 AS INTEGER))",
        ServiceCategory=text(service.category),
        ServiceSubcategory=text(service.subcategory),
        ServiceName=text(service.service),
        SubAccountId="account",
    )


def _taxes(options: BillOptions) -> str:
    """A rate on everything else of the sub account, per cost basis, to the cent."""
    month = (
        "(SELECT accounts.account, billed, effective, listed, contracted FROM accounts LEFT JOIN ("
        "SELECT SubAccountId AS account, sum(BilledCost) AS billed, "
        "sum(EffectiveCost) AS effective, sum(ListCost) AS listed, "
        "sum(ContractedCost) AS contracted FROM (SELECT * FROM usage UNION ALL BY NAME "
        "SELECT * FROM fixed) GROUP BY ALL) charged ON charged.account = accounts.account "
        "ORDER BY n)"
    )
    rate = f"CAST({options.tax_rate} AS DECIMAL(6, 2))"
    return _fixed(
        options,
        month,
        BilledCost=f"round(coalesce(billed, 0) * {rate}, 2)",
        EffectiveCost=f"round(coalesce(effective, 0) * {rate}, 2)",
        ListCost=f"round(coalesce(listed, 0) * {rate}, 2)",
        ContractedCost=f"round(coalesce(contracted, 0) * {rate}, 2)",
        ChargeCategory="'Tax'",
        ChargeFrequency="'Recurring'",
        ChargeDescription=text(options.tax_name),
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        ServiceCategory="'Other'",
        ServiceSubcategory="'Other (Other)'",
        ServiceName=text(options.tax_name),
        SubAccountId="account",
    )

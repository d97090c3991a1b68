"""Google's standard and detailed export tables as FOCUS 1.2 columns.

Fields: https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/detailed-usage
What Google adds to them over time is used where the table has it.

Costs:

- ``ListCost`` is the cost at list price, ``ContractedCost`` the cost before credits.
- Credits that only make usage cheaper (:data:`REDUCTIONS`: committed and sustained use, free
  tier …) are part of the usage's ``BilledCost`` and ``EffectiveCost``, since FOCUS has both
  "inclusive of all reduced rates and discounts".
- Every other credit (promotions, reseller margin, unknown ones) is a row of its own, of
  ChargeCategory ``Credit``, negative in all four costs.
- What a commitment costs stays with its own rows (``Purchase``): Google bills it as it is
  used up, by the hour, so nothing is paid ahead and nothing needs to be amortised. Billed and
  effective cost therefore add up to the same, and to the invoice.

Amounts are floating point numbers in these tables; they are rounded to the nine decimals of
BigQuery's NUMERIC, row by row.
"""
# ruff: noqa: S608 - these texts are our own, names come from the schema

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.cost.services import category_sql
from airflow_multicloud.clouds.gcp.cost.tables import BillingForm, Columns, as_numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.cloud.bigquery import SchemaField

EXPORT_TIME = "export_time"

#: The values of ``credits.type`` that reduce the price of usage.
REDUCTIONS = (
    "COMMITTED_USAGE_DISCOUNT",
    "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE",
    "DISCOUNT",
    "FEE_UTILIZATION_OFFSET",
    "FREE_TIER",
    "SUBSCRIPTION_BENEFIT",
    "SUSTAINED_USAGE_DISCOUNT",
)
_COMMITMENTS = {
    "COMMITTED_USAGE_DISCOUNT": "Usage",
    "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE": "Spend",
}
_NEEDED = ("cost", "currency", "invoice.month", "usage_start_time", "usage_end_time", "credits")

#: Byte-seconds of a month exceed what 18 digits before the point hold.
_LARGEST = "1e17"
_REDUCING = f"credit.type IN ({', '.join(repr(name) for name in REDUCTIONS)})"
_AMOUNT = as_numeric("credit.amount")
_COMMITTED = f"credit.type IN ({', '.join(repr(name) for name in _COMMITMENTS)})"


def standard_form(schema: Sequence[SchemaField]) -> BillingForm | None:
    """How a standard or detailed export is read; ``None`` when the table is none."""
    columns = Columns.of(schema)
    if not all(columns.has(path) for path in (EXPORT_TIME, *_NEEDED)):
        return None
    select = ", ".join(f"{sql} AS `{name}`" for name, sql in _select(columns).items())
    return BillingForm(
        name="detailed export" if columns.has("resource") else "standard export",
        billing_period="PARSE_DATE('%Y%m', row.invoice.month)",
        export_time=EXPORT_TIME,
        select=select,
        source=f"{{table}} AS row, UNNEST({_charges(columns)}) AS charge",
        one_to_one=False,
    )


def _charges(columns: Columns) -> str:
    """What one row of the table becomes: the charge itself, and credits of their own."""
    name = "credit.full_name" if columns.has("credits.full_name") else "credit.name"
    return (
        "ARRAY_CONCAT([STRUCT(CAST(NULL AS NUMERIC) AS credit, CAST(NULL AS STRING) AS title)], "
        f"ARRAY(SELECT AS STRUCT {_AMOUNT} AS credit, {name} AS title "
        f"FROM UNNEST(row.credits) AS credit WHERE NOT IFNULL({_REDUCING}, FALSE)))"
    )


def _of_credits(what: str, condition: str) -> str:
    return f"(SELECT {what} FROM UNNEST(row.credits) AS credit WHERE {condition})"


def _select(columns: Columns) -> dict[str, str]:
    """FOCUS column → SQL."""
    get = columns.get
    cost_type = f"LOWER(IFNULL({get('cost_type', 'CAST(NULL AS STRING)')}, 'regular'))"
    credit = "charge.credit IS NOT NULL"
    meter = get("sku.description", "CAST(NULL AS STRING)")
    purchase = f"STARTS_WITH(LOWER(IFNULL({meter}, '')), 'commitment')"
    regular = f"{cost_type} = 'regular'"
    usage = f"(NOT {credit} AND {regular} AND NOT {purchase})"
    category = (
        f"CASE WHEN {credit} THEN 'Credit' WHEN {regular} AND {purchase} THEN 'Purchase' "
        f"WHEN {regular} THEN 'Usage' WHEN {cost_type} = 'tax' THEN 'Tax' "
        "ELSE 'Adjustment' END"
    )
    cost = columns.numeric("cost")
    reduced = f"{cost} + IFNULL({_of_credits(f'SUM({_AMOUNT})', _REDUCING)}, 0)"
    listed = f"IFNULL({columns.numeric('cost_at_list')}, {cost})"
    service = f"IFNULL({get('service.description', 'NULL')}, 'Invoice')"
    month = "PARSE_DATE('%Y%m', row.invoice.month)"
    seller = f"IFNULL({get('seller_name', 'NULL')}, 'Google Cloud')"
    return {
        "BilledCost": f"IFNULL(charge.credit, {reduced})",
        "EffectiveCost": f"IFNULL(charge.credit, {reduced})",
        "ListCost": f"IFNULL(charge.credit, {listed})",
        "ContractedCost": f"IFNULL(charge.credit, {cost})",
        "BillingAccountId": get("billing_account_id", "CAST(NULL AS STRING)"),
        "BillingAccountName": "CAST(NULL AS STRING)",
        "BillingAccountType": "'Billing Account'",
        "BillingCurrency": "row.currency",
        "BillingPeriodStart": f"TIMESTAMP({month})",
        "BillingPeriodEnd": f"TIMESTAMP(DATE_ADD({month}, INTERVAL 1 MONTH))",
        "ChargeCategory": category,
        "ChargeClass": _charge_class(columns),
        "ChargeDescription": f"IFNULL(charge.title, {meter})",
        "ChargeFrequency": (
            f"CASE WHEN {usage} THEN 'Usage-Based' "
            f"WHEN NOT {credit} AND {purchase} THEN 'Recurring' END"
        ),
        "ChargePeriodStart": "row.usage_start_time",
        "ChargePeriodEnd": "row.usage_end_time",
        "InvoiceIssuerName": "'Google Cloud'",
        "ProviderName": "'Google Cloud'",
        "PublisherName": seller,
        "ServiceCategory": category_sql(service),
        "ServiceName": service,
        "SkuId": get("sku.id", "CAST(NULL AS STRING)"),
        "SkuMeter": meter,
        "SubAccountId": get("project.id", "CAST(NULL AS STRING)"),
        "SubAccountName": get("project.name", "CAST(NULL AS STRING)"),
        "SubAccountType": f"IF({get('project.id', 'NULL')} IS NULL, NULL, 'Project')",
        "RegionId": get("location.region", "CAST(NULL AS STRING)"),
        "RegionName": get("location.region", "CAST(NULL AS STRING)"),
        "AvailabilityZone": get("location.zone", "CAST(NULL AS STRING)"),
        "Tags": columns.tags(("labels", "tags", "project.labels", "system_labels")),
        **_resource(columns),
        **_prices(columns, usage),
        **_quantities(columns, usage),
        **_commitment(columns, usage, purchase),
        "x_CostType": cost_type,
        "x_ExportTime": f"row.{EXPORT_TIME}",
    }


def _charge_class(columns: Columns) -> str:
    """A correction of an earlier invoice is one whose adjustment says so."""
    kind = columns.get("adjustment_info.type", "CAST(NULL AS STRING)")
    return f"IF(ENDS_WITH(IFNULL({kind}, ''), 'CORRECTION'), 'Correction', NULL)"


def _resource(columns: Columns) -> dict[str, str]:
    full = columns.get("resource.global_name", "CAST(NULL AS STRING)")
    name = columns.get("resource.name", "CAST(NULL AS STRING)")
    return {
        "ResourceId": f"IFNULL({full}, {name})",
        "ResourceName": name,
        # //compute.googleapis.com/projects/1/zones/z/instances/2 → instances
        "ResourceType": f"REGEXP_EXTRACT({full}, r'/([^/]+)/[^/]+$')",
    }


def _prices(columns: Columns, usage: str) -> dict[str, str]:
    tier = f"CAST({columns.get('price.tier_start_amount', 'NULL')} AS STRING)"
    sku = columns.get("sku.id", "CAST(NULL AS STRING)")
    return {
        "ContractedUnitPrice": f"IF({usage}, {columns.numeric('price.effective_price')}, NULL)",
        "ListUnitPrice": f"IF({usage}, {columns.numeric('price.list_price')}, NULL)",
        "SkuPriceId": f"IFNULL(CONCAT({sku}, '/', {tier}), {sku})",
    }


def _quantities(columns: Columns, usage: str) -> dict[str, str]:
    amount = columns.get("usage.amount", "CAST(NULL AS FLOAT64)")
    unit = columns.get("usage.unit", "CAST(NULL AS STRING)")
    priced = columns.numeric("usage.amount_in_pricing_units")
    priced_unit = columns.get("usage.pricing_unit", "CAST(NULL AS STRING)")
    fits = f"ABS(IFNULL({amount}, 0)) < {_LARGEST}"
    return {
        "ConsumedQuantity": f"IF({usage}, IF({fits}, {as_numeric(amount)}, {priced}), NULL)",
        "ConsumedUnit": f"IF({usage}, IF({fits}, {unit}, {priced_unit}), NULL)",
        "PricingQuantity": f"IF({usage}, {priced}, NULL)",
        "PricingUnit": f"IF({usage}, {priced_unit}, NULL)",
    }


def _commitment(columns: Columns, usage: str, purchase: str) -> dict[str, str]:
    """Which commitment covered a charge; a purchase is known by its subscription."""
    kind = _of_credits("MAX(credit.type)", _COMMITTED)
    covered = f"({usage} AND {kind} IS NOT NULL)"
    cases = " ".join(f"WHEN {name!r} THEN {value!r}" for name, value in _COMMITMENTS.items())
    bought = columns.get("subscription.instance_id", "CAST(NULL AS STRING)")
    number = (
        _of_credits("MAX(credit.id)", _COMMITTED)
        if columns.has("credits.id")
        else "CAST(NULL AS STRING)"
    )
    meter = columns.get("sku.description", "''")
    dynamic = f"REGEXP_CONTAINS(IFNULL({meter}, ''), r'^(Spot )?Preemptible|^Spot ')"
    return {
        "CommitmentDiscountCategory": f"IF({covered}, CASE {kind} {cases} END, NULL)",
        "CommitmentDiscountId": (
            f"CASE WHEN {covered} THEN IFNULL({bought}, {number}) "
            f"WHEN charge.credit IS NULL AND {purchase} THEN {bought} END"
        ),
        "CommitmentDiscountName": (
            f"IF({covered}, {_of_credits('MAX(credit.name)', _COMMITTED)}, NULL)"
        ),
        "CommitmentDiscountStatus": f"IF({covered}, 'Used', NULL)",
        "CommitmentDiscountType": f"IF({covered}, 'Committed Use Discount', NULL)",
        "PricingCategory": (
            f"CASE WHEN {covered} THEN 'Committed' WHEN {usage} AND {dynamic} THEN 'Dynamic' "
            f"WHEN {usage} THEN 'Standard' END"
        ),
    }

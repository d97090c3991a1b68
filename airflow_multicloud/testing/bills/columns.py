"""The columns of a bill's rows as SQL: what each is in a row of usage, and what is in every row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.catalogue import CATALOGUES

if TYPE_CHECKING:
    from airflow_multicloud.testing.bills.options import BillOptions

#: How an amount is cast.
MONEY = "DECIMAL(28, 10)"

#: Columns that a bill has besides FOCUS's: which row it is, and in which version it came.
ROW = "x_Row"
VERSION = "x_Version"


def text(value: str | None) -> str:
    """A text as SQL."""
    return "CAST(NULL AS VARCHAR)" if value is None else "'" + value.replace("'", "''") + "'"


def moment(options: BillOptions, days: int) -> str:
    """Midnight UTC, so many days after the billing period began, as SQL."""
    day = options.billing_period + timedelta(days=days)
    return f"TIMESTAMPTZ '{day.isoformat()} 00:00:00+00'"


#: FOCUS 1.2's columns in alphabetical order; what each is in a usage row.
USAGE = {
    "AvailabilityZone": "CASE WHEN coverable THEN region || 'a' END",
    "BilledCost": f"CASE WHEN covered THEN 0 ELSE CAST(own_price * quantity AS {MONEY}) END",
    "CapacityReservationId": None,
    "CapacityReservationStatus": None,
    "ChargeCategory": "'Usage'",
    "ChargeClass": None,
    "ChargeDescription": "service || ' ' || meter",
    "ChargeFrequency": "'Usage-Based'",
    "ChargePeriodEnd": "$start + to_days(CAST(day + 1 AS INTEGER))",
    "ChargePeriodStart": "$start + to_days(CAST(day AS INTEGER))",
    "CommitmentDiscountCategory": "CASE WHEN covered THEN 'Spend' END",
    "CommitmentDiscountId": "CASE WHEN covered THEN $commitment END",
    "CommitmentDiscountName": "CASE WHEN covered THEN 'Compute commitment' END",
    "CommitmentDiscountQuantity": "CASE WHEN covered THEN committed_price * quantity END",
    "CommitmentDiscountStatus": "CASE WHEN covered THEN 'Used' END",
    "CommitmentDiscountType": "CASE WHEN covered THEN $commitment_type END",
    "CommitmentDiscountUnit": "CASE WHEN covered THEN $currency END",
    "ConsumedQuantity": "quantity",
    "ConsumedUnit": "unit",
    "ContractedCost": "own_price * quantity",
    "ContractedUnitPrice": "own_price",
    "EffectiveCost": "CASE WHEN covered THEN committed_price ELSE own_price END * quantity",
    "ListCost": "list_price * quantity",
    "ListUnitPrice": "list_price",
    "PricingCategory": "CASE WHEN covered THEN 'Committed' ELSE 'Standard' END",
    "PricingQuantity": "quantity",
    "PricingUnit": "unit",
    "RegionId": "region",
    "RegionName": "region_name",
    "ResourceId": "resource",
    "ResourceName": "printf('r%08x', n)",
    "ResourceType": "type",
    "ServiceCategory": "category",
    "ServiceName": "service",
    "ServiceSubcategory": "subcategory",
    "SkuId": "name",
    "SkuMeter": "meter",
    "SkuPriceDetails": "details",
    "SkuPriceId": "name || '.' || region",
    "SubAccountId": "account",
    "Tags": "tags",
    VERSION: "0",
    ROW: "i",
}

_DECIMALS = frozenset(
    {
        "BilledCost",
        "CommitmentDiscountQuantity",
        "ConsumedQuantity",
        "ContractedCost",
        "ContractedUnitPrice",
        "EffectiveCost",
        "ListCost",
        "ListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost",
        "PricingCurrencyListUnitPrice",
        "PricingQuantity",
    }
)
_TIMES = frozenset({"ChargePeriodStart", "ChargePeriodEnd"})
_NUMBERS = {ROW: "BIGINT", VERSION: "INTEGER"}


def select_list(options: BillOptions, given: dict[str, str | None]) -> str:
    """The select list: what ``given`` says, and what is the same in every row."""
    catalogue = CATALOGUES[options.cloud]
    invoice = f"{options.cloud.upper()}-{options.billing_period:%Y%m}-0001"
    common: dict[str, str | None] = {
        "BillingAccountId": text(catalogue.billing_account),
        "BillingAccountName": text(catalogue.billing_account_name),
        "BillingAccountType": text(catalogue.billing_account_type),
        "BillingCurrency": text(options.currency),
        "BillingPeriodEnd": moment(options, options.month_days),
        "BillingPeriodStart": moment(options, 0),
        "InvoiceId": text(invoice) if options.invoiced else None,
        "InvoiceIssuerName": text(catalogue.issuer),
        "PricingCurrency": text(options.currency),
        "PricingCurrencyContractedUnitPrice": given.get("ContractedUnitPrice"),
        "PricingCurrencyEffectiveCost": given.get("EffectiveCost"),
        "PricingCurrencyListUnitPrice": given.get("ListUnitPrice"),
        "ProviderName": text(catalogue.provider),
        "PublisherName": text(catalogue.provider),
        "SubAccountName": given.get("SubAccountId"),
        "SubAccountType": text(catalogue.account_type),
    }
    constants = {
        "$start": moment(options, 0),
        "$commitment_type": text(catalogue.commitment_type),
        "$commitment": text(catalogue.commitment),
        "$currency": text(options.currency),
    }
    found = []
    for name, value in sorted({**given, **common}.items()):
        expression = value or "NULL"
        for placeholder, constant in constants.items():
            expression = expression.replace(placeholder, constant)
        found.append(f'CAST({expression} AS {_type(name)}) AS "{name}"')
    return ",\n".join(found)


def _type(name: str) -> str:
    if name in _DECIMALS:
        return MONEY
    if name.startswith(("BillingPeriod", "ChargePeriod")):
        return "TIMESTAMP WITH TIME ZONE"
    return _NUMBERS.get(name, "VARCHAR")

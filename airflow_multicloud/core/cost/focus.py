"""The FOCUS columns that the store keeps, and what other versions call them.

FOCUS is the FinOps Open Cost and Usage Specification (https://focus.finops.org). Names shown
are those of version 1.2, which the clouds export; files of versions 1.0 to 1.4 are read. What
1.3 and 1.4 added is kept of exports that have it, under the names of those versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: Ten places keep every unit price that the clouds state; 38 digits is the engine's widest.
DECIMAL = "DECIMAL(28, 10)"
TIME = "TIMESTAMP WITH TIME ZONE"
TEXT = "VARCHAR"
TAGS = "MAP(VARCHAR, VARCHAR)"


class ChargeCategory(StrEnum):
    """FOCUS ChargeCategory: what kind of charge a row is."""

    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    :param required: a file without it, or without a value in it, can't be read.
    :param mandatory: FOCUS demands the column; a file without it is read and reported.
    :param aliases: its names in other versions, newest first.
    :param values: what FOCUS allows in it (besides null), where it says.
    :param json: the text is a JSON object.
    :param since: the version that added it, when that is a later one than 1.2: files of exports
        without it have no such column, and it is shown as null.
    :param formerly: the column of 1.2 that then stands in for it.
    """

    name: str
    type: str = TEXT
    required: bool = False
    mandatory: bool = False
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    json: bool = False
    since: str | None = None
    formerly: str | None = None


def _needed(name: str, type_: str = TEXT, *, values: tuple[str, ...] = ()) -> Column:
    return Column(name, type_, required=True, mandatory=True, values=values)


# ServiceProviderName replaced ProviderName in 1.3 (HostProviderName is new, and not what
# PublisherName was); files of 1.3 have both, and they may differ. 1.0's drafts said Provider,
# Publisher, InvoiceIssuer and Region.
COLUMNS: tuple[Column, ...] = (
    Column("AllocatedMethodDetails", json=True, since="1.3"),
    Column("AllocatedMethodId", since="1.3"),
    Column("AllocatedResourceId", since="1.3"),
    Column("AllocatedResourceName", since="1.3"),
    Column("AllocatedTags", TAGS, since="1.3"),
    Column("AvailabilityZone"),
    _needed("BilledCost", DECIMAL),
    _needed("BillingAccountId"),
    Column("BillingAccountName", mandatory=True),
    Column("BillingAccountType"),
    _needed("BillingCurrency"),
    _needed("BillingPeriodEnd", TIME),
    _needed("BillingPeriodStart", TIME),
    Column("CapacityReservationId"),
    Column("CapacityReservationStatus"),
    _needed("ChargeCategory", values=tuple(ChargeCategory)),
    Column("ChargeClass", mandatory=True, values=("Correction",)),
    Column("ChargeDescription", mandatory=True),
    Column("ChargeFrequency", values=("One-Time", "Recurring", "Usage-Based")),
    _needed("ChargePeriodEnd", TIME),
    _needed("ChargePeriodStart", TIME),
    Column("CommitmentDiscountCategory", values=("Spend", "Usage")),
    Column("CommitmentDiscountId"),
    Column("CommitmentDiscountName"),
    Column("CommitmentDiscountQuantity", DECIMAL),
    Column("CommitmentDiscountStatus", values=("Used", "Unused")),
    Column("CommitmentDiscountType"),
    Column("CommitmentDiscountUnit"),
    Column("CommitmentProgramEligibilityDetails", json=True, since="1.4"),
    Column("ConsumedQuantity", DECIMAL),
    Column("ConsumedUnit"),
    Column("ContractApplied", json=True, since="1.3"),
    _needed("ContractedCost", DECIMAL),
    Column("ContractedUnitPrice", DECIMAL),
    _needed("EffectiveCost", DECIMAL),
    Column("HostProviderName", since="1.3"),
    Column("InvoiceDetailId", since="1.4"),
    Column("InvoiceId"),
    Column("InvoiceIssuerName", mandatory=True, aliases=("InvoiceIssuer",)),
    _needed("ListCost", DECIMAL),
    Column("ListUnitPrice", DECIMAL),
    Column("PricingCategory", values=("Standard", "Dynamic", "Committed", "Other")),
    Column("PricingCurrency"),
    Column("PricingCurrencyContractedUnitPrice", DECIMAL),
    Column("PricingCurrencyEffectiveCost", DECIMAL),
    Column("PricingCurrencyListUnitPrice", DECIMAL),
    Column("PricingQuantity", DECIMAL, mandatory=True),
    Column("PricingUnit", mandatory=True),
    Column("ProviderName", mandatory=True, aliases=("ServiceProviderName", "Provider")),
    Column("PublisherName", aliases=("Publisher",)),
    Column("RegionId", aliases=("Region",)),
    Column("RegionName"),
    Column("ResourceId"),
    Column("ResourceName"),
    Column("ResourceType"),
    _needed(
        "ServiceCategory",
        values=(
            "AI and Machine Learning",
            "Analytics",
            "Business Applications",
            "Compute",
            "Databases",
            "Developer Tools",
            "Multicloud",
            "Identity",
            "Integration",
            "Internet of Things",
            "Management and Governance",
            "Media",
            "Migration",
            "Mobile",
            "Networking",
            "Security",
            "Storage",
            "Web",
            "Other",
        ),
    ),
    _needed("ServiceName"),
    Column("ServiceProviderName", since="1.3", formerly="ProviderName"),
    Column("ServiceSubcategory"),
    Column("SkuId"),
    Column("SkuMeter"),
    Column("SkuPriceDetails", json=True),
    Column("SkuPriceId"),
    Column("SubAccountId"),
    Column("SubAccountName"),
    Column("SubAccountType"),
    Column("Tags", TAGS),
)

#: The four cost columns; they are never added to each other.
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")

#: What the store adds to each row.
STORE_COLUMNS = ("Cloud", "Export", "BillingPeriod", "ChargeDate")

#: The dimensions of the daily rollup, which must stay narrow to stay small.
ROLLUP = (
    "Cloud",
    "Export",
    "BillingPeriod",
    "ChargeDate",
    "BillingAccountId",
    "SubAccountId",
    "ServiceCategory",
    "ServiceName",
    "ChargeCategory",
    "BillingCurrency",
)


def lacking(names: Iterable[str]) -> list[str]:
    """The required columns that a file with columns of these names has not, by any name."""
    lowered = {name.lower() for name in names}
    return [
        column.name
        for column in COLUMNS
        if column.required
        and not lowered & {name.lower() for name in (column.name, *column.aliases)}
    ]


def quoted(name: str) -> str:
    """A column's name or a file's, as SQL quotes an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL quotes a string."""
    return "'" + text.replace("'", "''") + "'"

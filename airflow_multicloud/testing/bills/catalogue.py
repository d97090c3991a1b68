"""What the clouds sell: services, SKUs, prices and names as they stand in real FOCUS bills.

List prices are public ones in US dollars, rounded to four places so that every cost is exact
in ten; service names are those of the clouds' FOCUS exports, service categories FOCUS 1.2's.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

#: What the tax is called, by billing currency.
TAX_NAMES = {"EUR": "VAT", "GBP": "VAT", "USD": "Sales tax"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One thing that is sold.

    :param weight: its share of the usage rows, relative to the others'.
    :param price: list price a unit, in US dollars, four places.
    :param quantity: the mean quantity of a row.
    :param seasonal: whether people cause the usage: less of it at weekends.
    :param cores: vCPUs; 0 for what is no machine.
    :param memory: GiB.
    :param coverable: whether the commitment covers part of its usage.
    """

    service: str
    category: str
    subcategory: str
    name: str
    meter: str
    unit: str
    price: Decimal
    quantity: Decimal
    weight: int
    resource_type: str
    seasonal: bool = True
    cores: int = 0
    memory: int = 0
    coverable: bool = False
    storage_class: str | None = None

    @property
    def details(self) -> str:
        """FOCUS SkuPriceDetails, with the specification's property names."""
        found: dict[str, object] = {}
        if self.cores:
            found = {
                "CoreCount": self.cores,
                "MemorySize": self.memory,
                "InstanceType": self.name,
                "OperatingSystem": "Linux",
            }
        elif self.storage_class:
            found = {"StorageClass": self.storage_class}
        return json.dumps(found, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One cloud's names.

    :param account: SQL for a sub account's id, with ``n`` from 0.
    :param resource: SQL for a resource's id, with ``account``, ``region``, ``type`` and ``n``.
    :param discount: what the customer pays of the list price.
    """

    provider: str
    issuer: str
    billing_account: str
    billing_account_name: str
    billing_account_type: str
    account: str
    account_type: str
    resource: str
    regions: tuple[tuple[str, str], ...]
    commitment_type: str
    commitment: str
    support: str
    marketplace: str
    discount: Decimal
    skus: tuple[Sku, ...]


def _skus(cloud: str) -> tuple[Sku, ...]:
    table = files(__package__).joinpath("skus.csv").read_text(encoding="utf-8")
    return tuple(
        Sku(
            service=row["service"],
            category=row["category"],
            subcategory=row["subcategory"],
            name=row["name"],
            meter=row["meter"],
            unit=row["unit"],
            price=Decimal(row["price"]),
            quantity=Decimal(row["quantity"]),
            weight=int(row["weight"]),
            resource_type=row["resource_type"],
            seasonal=row["seasonal"] == "yes",
            cores=int(row["cores"]),
            memory=int(row["memory"]),
            coverable=row["coverable"] == "yes",
            storage_class=row["storage_class"] or None,
        )
        for row in csv.DictReader(table.splitlines())
        if row["cloud"] == cloud
    )


AWS = Catalogue(
    provider="AWS",
    issuer="Amazon Web Services, Inc.",
    billing_account="999988887777",
    billing_account_name="Example Payer",
    billing_account_type="BillingAccount",
    account="printf('1111222%05d', n)",
    account_type="LinkedAccount",
    resource="printf('arn:aws:%s:%s:%s:r-%08x', type, region, account, n)",
    regions=(
        ("us-east-1", "US East (N. Virginia)"),
        ("eu-central-1", "Europe (Frankfurt)"),
        ("eu-west-1", "Europe (Ireland)"),
    ),
    commitment_type="SavingsPlan",
    commitment="arn:aws:savingsplans::999988887777:savingsplan/5f2c8a34",
    support="AWS Support [Business]",
    marketplace="AWS Marketplace software subscription",
    discount=Decimal("0.95"),
    skus=_skus("aws"),
)

AZURE = Catalogue(
    provider="Microsoft",
    issuer="Microsoft",
    billing_account=(
        "/providers/Microsoft.Billing/billingAccounts/11111111-2222-3333-4444-555555555555"
    ),
    billing_account_name="Example GmbH",
    billing_account_type="Billing Profile",
    account="printf('/subscriptions/00000000-0000-0000-0000-%012d', n)",
    account_type="Subscription",
    resource="printf('%s/resourceGroups/rg-%s/providers/%s/r%08x', account, region, type, n)",
    regions=(
        ("eastus", "East US"),
        ("germanywestcentral", "Germany West Central"),
        ("westeurope", "West Europe"),
    ),
    commitment_type="Savings plan",
    commitment=(
        "/providers/Microsoft.BillingBenefits/savingsPlanOrders/"
        "7d8c2a10-0000-4000-8000-000000000001"
    ),
    support="Azure Support Standard",
    marketplace="Azure Marketplace software subscription",
    discount=Decimal("0.92"),
    skus=_skus("azure"),
)

GCP = Catalogue(
    provider="Google Cloud",
    issuer="Google Cloud",
    billing_account="010101-F0FFF0-61C528",
    billing_account_name="Example Billing Account",
    billing_account_type="Billing Account",
    account="printf('example-project-%03d', n)",
    account_type="Project",
    resource="printf('//%s/projects/%s/regions/%s/r%08x', type, account, region, n)",
    regions=(
        ("us-central1", "Iowa"),
        ("europe-west3", "Frankfurt"),
        ("europe-west1", "Belgium"),
    ),
    commitment_type="Committed use discount",
    commitment="projects/example-project-000/commitments/9001",
    support="Google Cloud Support Standard",
    marketplace="Google Cloud Marketplace software subscription",
    discount=Decimal("0.97"),
    skus=_skus("gcp"),
)

CATALOGUES = {"aws": AWS, "gcp": GCP, "azure": AZURE}

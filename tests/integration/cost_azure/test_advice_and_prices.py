"""Advisor's recommendations in the common schema; the public price list."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.cost import PriceQuery
from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID

if TYPE_CHECKING:
    from .conftest import Azure

SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
MACHINE = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"


def advice(name: str, solution: str, category: str = "Cost", **extended: str) -> dict[str, Any]:
    return {
        "id": f"{SUBSCRIPTION}/providers/Microsoft.Advisor/recommendations/{name}",
        "name": name,
        "type": "Microsoft.Advisor/recommendations",
        "properties": {
            "category": category,
            "impact": "High",
            "impactedField": "Microsoft.Compute/virtualMachines",
            "impactedValue": "vm",
            "lastUpdated": "2026-09-20T10:00:00Z",
            "shortDescription": {"problem": solution, "solution": solution},
            "resourceMetadata": {"resourceId": MACHINE},
            "extendedProperties": extended,
        },
    }


def test_recommendations_of_every_page(azure: Azure) -> None:
    savings = {"annualSavingsAmount": "120.60", "savingsAmount": "9", "savingsCurrency": "EUR"}
    azure.admin.seed(
        "advisor",
        [
            advice("size", "Right-size or shut down underutilized machines",
                   currentSku="Standard_D4s_v5", targetSku="Standard_D2s_v5", **savings),
            advice("slow", "Use faster disks", category="Performance"),
            advice("disk", "Delete unattached disks", savingsAmount="5.5", savingsCurrency="EUR"),
            advice("plan", "Consider virtual machine reserved instances", term="P3Y", **savings),
            advice("none", "Have a look at this", savingsAmount="n/a"),
        ],
    )  # fmt: skip
    result = azure.hook().list_recommendations()
    assert dict(result.unavailable) == {}
    found = {r.recommendation_id: r for r in result.found}
    assert {
        name: (r.action, r.monthly_savings, r.billing_currency) for name, r in found.items()
    } == {
        "size": ("rightsize", Decimal("10.05"), "EUR"),
        "disk": ("delete", Decimal("5.5"), "EUR"),
        "plan": ("purchase_commitment", Decimal("10.05"), "EUR"),
        "none": ("other", None, None),
    }
    size = found["size"]
    assert (size.resource_id, size.sub_account_id, size.source) == (
        MACHINE,
        SUBSCRIPTION,
        "azure_advisor",
    )
    assert dict(size.details) == {"from": "Standard_D4s_v5", "to": "Standard_D2s_v5"}
    assert size.last_refreshed == datetime(2026, 9, 20, 10, tzinfo=UTC)
    assert found["plan"].resource_id == ""


def test_advice_that_may_not_be_asked_for_is_named(azure: Azure) -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "The client may not."}}
    azure.admin.script("Advisor", [{"status": 403, "body": body}])
    result = azure.hook().list_recommendations()
    assert result.found == ()
    assert "The client may not" in result.unavailable["azure_advisor"]


def item(price: float, product: str, meter: str, **changes: Any) -> dict[str, Any]:
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "armRegionName": "eastus",
        "meterName": meter,
        "productName": product,
        "skuName": meter,
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "armSkuName": "Standard_D2s_v5",
        **changes,
    }


BLOBS: dict[str, Any] = {
    "serviceName": "Storage", "armSkuName": "", "skuName": "Hot LRS", "productName": "Blob Storage"
}  # fmt: skip
EGRESS: dict[str, Any] = {
    "serviceName": "Bandwidth", "armSkuName": "", "productName": "Rtn Preference: MGN",
    "unitOfMeasure": "1 GB",
}  # fmt: skip


def test_prices(azure: Azure) -> None:
    out = "Standard Data Transfer Out"
    azure.admin.seed(
        "prices",
        [
            *(item(9, "Virtual Machines Dsv5 Series Windows", "D2s v5") for _ in range(5)),
            item(8, "Virtual Machines Dsv5 Series", "D2s v5 Spot"),
            item(7, "Virtual Machines Dsv5 Series", "D2s v5 Low Priority"),
            item(6, "Virtual Machines Dsv5 Series", "D2s v5", type="DevTestConsumption"),
            item(5, "Virtual Machines Dsv5 Series", "D2s v5", armRegionName="westus"),
            item(0.096, "Virtual Machines Dsv5 Series", "D2s v5"),
            item(0.02, "", "Hot LRS Data Stored", **BLOBS | {"unitOfMeasure": "1 GB/Month"}),
            item(0.05, "", "Hot LRS Write Operations", **BLOBS | {"unitOfMeasure": "10K"}),
            item(0.004, "", "Hot Read Operations", **BLOBS | {"unitOfMeasure": "10K"}),
            item(0, "", out, **EGRESS),
            item(0.087, "", out, **EGRESS | {"tierMinimumUnits": 100.0}),
            item(0.083, "", out, **EGRESS | {"tierMinimumUnits": 10335.0}),
        ],
    )
    asked = [
        PriceQuery(meter=meter, sku=sku, region_id="eastus")
        for meter, sku in (
            ("compute", "D2s_v5"), ("compute", "D9s_v5"), ("storage", "Hot"), ("writes", "Hot"),
            ("reads", "Hot"), ("egress", "internet"), ("egress", "moon"),
        )
    ]  # fmt: skip
    found = azure.hook().list_prices(asked)
    assert [(p.meter, p.sku, p.unit, p.list_unit_price, p.tier_start) for p in found] == [
        ("compute", "D2s_v5", "hour", Decimal("0.096"), 0),
        ("storage", "Hot", "GB-month", Decimal("0.02"), 0),
        ("writes", "Hot", "1000-requests", Decimal("0.005"), 0),
        ("reads", "Hot", "1000-requests", Decimal("0.0004"), 0),
        ("egress", "internet", "GB", Decimal("0.087"), 100),
        ("egress", "internet", "GB", Decimal("0.083"), 10335),
    ]
    assert {(p.currency, p.source, p.region_id) for p in found} == {
        ("USD", "Azure Retail Prices", "eastus")
    }
    assert not any("authorization" in r["headers"] for r in azure.admin.requests())


def test_no_prices_asked(azure: Azure) -> None:
    assert list(azure.hook().list_prices([])) == []
    assert azure.admin.requests() == []

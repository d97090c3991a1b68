"""A bill as rows of Google's BigQuery billing exports; their schemas are in ``bigquery_schemas``.

The FOCUS table (``gcp_billing_export_focus_<account>``) is append-only: corrections are new
rows with a later ``x_ExportTime``. The standard and the detailed table
(``gcp_billing_export_v1_<account>``, ``…_resource_v1_<account>``) hold Google's own columns.
https://docs.cloud.google.com/billing/docs/how-to/export-data-bigquery-tables
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills.catalogue import CATALOGUES
from airflow_multicloud.testing.bills.columns import VERSION
from airflow_multicloud.testing.bills.files import FOCUS_COLUMNS
from airflow_multicloud.testing.bills.generate import Bill, open_bill

_BATCH = 2000
_NUMERIC_STEP = Decimal("1e-9")  # BigQuery's NUMERIC has nine places


def focus_table(bill: Bill) -> str:
    """The name that Google gives the FOCUS table of the bill's account."""
    return f"gcp_billing_export_focus_{_account(bill)}"


def standard_table(bill: Bill) -> str:
    """The name that Google gives the standard table of the bill's account."""
    return f"gcp_billing_export_v1_{_account(bill)}"


def detailed_table(bill: Bill) -> str:
    """The name that Google gives the detailed table of the bill's account."""
    return f"gcp_billing_export_resource_v1_{_account(bill)}"


def focus_rows(
    bill: Bill, exported_at: Sequence[datetime], *, since: int = 0
) -> Iterator[dict[str, Any]]:
    """The FOCUS table's rows as ``insertAll`` takes them, in batches from the generator.

    :param exported_at: when each version was exported: the first bill, then each correction.
    :param since: only rows that this version and later ones added.
    :raises ValueError: when the bill is no Google bill, was replaced rather than appended to,
        or the times are not one a version.
    """
    _check(bill, exported_at)
    for row in _rows(bill, since):
        found = {name: _value(row[name]) for name in FOCUS_COLUMNS if row[name] is not None}
        found["Tags"] = _pairs(row["Tags"])
        found["x_ExportTime"] = _value(exported_at[row[VERSION]])
        yield found


def standard_rows(
    bill: Bill, exported_at: Sequence[datetime], *, since: int = 0, detailed: bool = False
) -> Iterator[dict[str, Any]]:
    """The standard (or detailed) table's rows.

    ``cost`` and the sum of ``credits`` add up to BilledCost, to the last decimal per row. What
    the table can't say is left out: how a commitment is spread (EffectiveCost), and the part of
    it not used, which costs nothing there.
    """
    _check(bill, exported_at)
    for row in _rows(bill, since):
        if row["CommitmentDiscountStatus"] != "Unused":
            yield _standard(row, exported_at[row[VERSION]], detailed=detailed)


def _standard(row: dict[str, Any], exported_at: datetime, *, detailed: bool) -> dict[str, Any]:
    category, covered = row["ChargeCategory"], row["CommitmentDiscountStatus"] == "Used"
    credits_ = []
    cost = row["BilledCost"]
    if covered:
        cost = row["ContractedCost"]
        credits_ = [_credit("Committed use discount", -cost, "COMMITTED_USAGE_DISCOUNT")]
    elif category == "Credit":
        cost = Decimal(0)
        credits_ = [_credit(row["ChargeDescription"], row["BilledCost"], "PROMOTION")]
    start: datetime = row["ChargePeriodStart"]
    quantity = row["PricingQuantity"] or Decimal(0)
    unit = row["PricingUnit"] or ""
    found: dict[str, Any] = {
        "billing_account_id": row["BillingAccountId"],
        "service": {"id": _number(row["ServiceName"]), "description": row["ServiceName"]},
        "sku": {
            "id": row["SkuId"] or "",
            "description": row["SkuMeter"] or row["ChargeDescription"],
        },
        "usage_start_time": _value(start),
        "usage_end_time": _value(row["ChargePeriodEnd"]),
        "project": {
            "id": row["SubAccountId"],
            "number": _number(row["SubAccountId"] or ""),
            "name": row["SubAccountName"],
            "labels": [],
        },
        "labels": _pairs(row["Tags"]),
        "system_labels": _system_labels(row["SkuPriceDetails"]),
        "location": {
            "location": row["RegionId"] or "global",
            "region": row["RegionId"],
            "zone": row["AvailabilityZone"],
        },
        "export_time": _value(exported_at),
        "cost": float(cost),
        "currency": row["BillingCurrency"],
        "currency_conversion_rate": 1.0,
        "usage": {
            "amount": float(quantity),
            "unit": unit,
            "amount_in_pricing_units": float(quantity),
            "pricing_unit": unit,
        },
        "credits": credits_,
        "invoice": {"month": f"{row['BillingPeriodStart']:%Y%m}"},
        "cost_type": "tax" if category == "Tax" else "regular",
        "cost_at_list": float(Decimal(0) if category == "Credit" else row["ListCost"]),
        "transaction_type": "GOOGLE",
        "seller_name": "Google",
    }
    if row["ChargeClass"] == "Correction":
        found["adjustment_info"] = {
            "id": f"correction-{row[VERSION]}",
            "description": "Usage restated",
            "mode": "COMPLETE_NEGATION_WITH_REMONETIZATION",
            "type": "USAGE_CORRECTION",
        }
    if detailed:
        resource = row["ResourceId"]
        found["resource"] = {"name": row["ResourceName"], "global_name": resource}
    return found


def _credit(name: str, amount: Decimal, kind: str) -> dict[str, Any]:
    return {"name": name, "full_name": name, "id": kind.lower(), "type": kind} | {
        "amount": float(amount)
    }


def _system_labels(details: str | None) -> list[dict[str, str]]:
    """What Google says of a machine: https://docs.cloud.google.com/billing/docs/how-to/bq-examples."""
    found = json.loads(details or "{}")
    if "CoreCount" not in found:
        return []
    return [
        {"key": "compute.googleapis.com/cores", "value": str(found["CoreCount"])},
        {"key": "compute.googleapis.com/memory", "value": str(found["MemorySize"] * 1024)},
        {"key": "compute.googleapis.com/machine_spec", "value": found["InstanceType"]},
    ]


def _rows(bill: Bill, since: int) -> Iterator[dict[str, Any]]:
    with open_bill(bill) as connection:
        # In order of version, as they would have been appended.
        for version in range(since, bill.version + 1):
            found = connection.execute(
                f'SELECT * FROM bill WHERE "{VERSION}" = {version}'  # noqa: S608 - a number
            )
            names = [column[0] for column in found.description or ()]
            while batch := found.fetchmany(_BATCH):
                for values in batch:
                    yield dict(zip(names, values, strict=True))


def _check(bill: Bill, exported_at: Sequence[datetime]) -> None:
    if bill.options.cloud != "gcp":
        raise ValueError(f"bill: of cloud {bill.options.cloud!r}, allowed is 'gcp'")
    if any(r.style is CorrectionStyle.REPLACE for r in bill.restatements):
        raise ValueError("bill: a table that only grows can't hold a restatement that replaces")
    if len(exported_at) != bill.version + 1:
        raise ValueError(f"exported_at: {len(exported_at)} times given for {bill.version + 1}")


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        if value != value.quantize(_NUMERIC_STEP):
            raise ValueError(f"{value} has more than NUMERIC's nine places")
        return str(value.quantize(_NUMERIC_STEP))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _pairs(tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in json.loads(tags).items()]


def _number(text: str) -> str:
    """Google's ids look like ``6F81-5844-456A``; any stable one will do."""
    return f"{sum(ord(c) * 31**n for n, c in enumerate(text)) % 16**12:012X}"


def _account(bill: Bill) -> str:
    return CATALOGUES[bill.options.cloud].billing_account.replace("-", "_")

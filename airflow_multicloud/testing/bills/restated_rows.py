"""The next version of a bill as SQL, from the one before."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills.columns import MONEY, VERSION, moment, text

if TYPE_CHECKING:
    from airflow_multicloud.testing.bills.options import BillOptions, Restatement


def restated_rows(before: str, version: int, options: BillOptions, restatement: Restatement) -> str:
    """The next version of a bill, from the one before."""
    chosen = (
        f"ChargeCategory = 'Usage' AND CommitmentDiscountStatus IS NULL "
        f"AND ServiceName = {text(restatement.service)} "
        f"AND ChargePeriodStart = {moment(options, restatement.day - 1)}"
    )
    factor = f"CAST({restatement.factor} AS DECIMAL(12, 2))"
    quantity = "CAST(PricingQuantity AS DECIMAL(18, 3))"
    restated = f"CAST(round({quantity} * {factor}, 3) AS DECIMAL(18, 3))"
    if restatement.style is CorrectionStyle.REPLACE:
        changes = _amounts(restated)
        replaced = ", ".join(
            f'CASE WHEN {chosen} THEN {sql} ELSE "{name}" END AS "{name}"'
            for name, sql in changes.items()
        )
        return f"SELECT * REPLACE ({replaced}) FROM {before}"
    correction = f"'Correction' AS ChargeClass, {version} AS \"{VERSION}\""
    reversal = _amounts(f"-{quantity}")
    difference = _amounts(f"({restated} - {quantity})")
    parts = [reversal, _amounts(restated)]
    if restatement.style is CorrectionStyle.ADJUST:
        parts = [difference]
    added = [
        f"SELECT * REPLACE ({_replacements(part)}, {correction}) FROM {before} WHERE {chosen}"
        for part in parts
    ]
    return " UNION ALL BY NAME ".join([f"SELECT * FROM {before}", *added])


def _amounts(quantity: str) -> dict[str, str]:
    """What changes with a usage row's quantity."""
    own = f"CAST(CAST(ContractedUnitPrice AS DECIMAL(12, 6)) * {quantity} AS {MONEY})"
    listed = f"CAST(CAST(ListUnitPrice AS DECIMAL(12, 6)) * {quantity} AS {MONEY})"
    return {
        "BilledCost": own,
        "EffectiveCost": own,
        "ContractedCost": own,
        "PricingCurrencyEffectiveCost": own,
        "ListCost": listed,
        "PricingQuantity": f"CAST({quantity} AS {MONEY})",
        "ConsumedQuantity": f"CAST({quantity} AS {MONEY})",
    }


def _replacements(amounts: dict[str, str]) -> str:
    return ", ".join(f'{sql} AS "{name}"' for name, sql in amounts.items())

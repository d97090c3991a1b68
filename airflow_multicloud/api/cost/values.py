"""Workloads, budgets and choices from plain values, as operators and the command line have them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from airflow_multicloud.core.cost.budget import Budget, BudgetPeriod
from airflow_multicloud.core.cost.prices.workload import Workload
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.text import given_text

E = TypeVar("E", bound=StrEnum)


def workload_of(fields: Mapping[str, Any]) -> Workload:
    """A workload from plain numbers.

    :raises CostAnalysisError: kind ``invalid_argument`` for an unknown field or a value that
        is no number.
    """
    types = {"instances": int, "writes": int, "reads": int, "burstable": bool}
    known = Workload.__dataclass_fields__
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise CostAnalysisError(
            f"workload: unknown field {', '.join(unknown)}; allowed: {', '.join(known)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    values: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            values[name] = types[name](value) if name in types else Decimal(str(value))
        except (ValueError, ArithmeticError):
            raise CostAnalysisError(
                f"workload: {name} is {given_text(value)}, expected a number",
                kind=ErrorKind.INVALID_ARGUMENT,
            ) from None
    return Workload(**values)


def budget_of(name: str, amount: Decimal, currency: str, period: str) -> Budget:
    """A budget from plain values.

    :raises CostAnalysisError: kind ``invalid_argument``, naming what is wrong.
    """
    return Budget(
        name=name, amount=amount, currency=currency, period=choice("period", BudgetPeriod, period)
    )


def choice(parameter: str, kind: type[E], value: str) -> E:
    """A member of an enumeration by its value.

    :raises CostAnalysisError: kind ``invalid_argument``, naming the parameter and what is
        allowed.
    """
    try:
        return kind(value)
    except ValueError:
        raise CostAnalysisError(
            f"{parameter}: {given_text(value)} given, "
            f"expected one of {', '.join(str(m) for m in kind)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        ) from None

"""Money: which of the four costs, in which currency, and how it is rounded for a reader."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from enum import StrEnum
from typing import Self

from airflow_multicloud.errors import CostAnalysisError, ErrorKind

_CURRENCY = re.compile(r"[A-Z]{3}")

# Sums come from DECIMAL(38, 24); Python's default 28 digits would round them.
_DIGITS = 60

CENT = Decimal("0.01")
_TENTH = Decimal("0.1")


class CostBasis(StrEnum):
    """Which of FOCUS's four costs. They are never added to each other.

    ``BILLED``: what is invoiced. ``EFFECTIVE``: with prepaid purchases spread over the charges
    that they cover. ``LIST``: at public prices. ``CONTRACTED``: at negotiated prices.
    """

    BILLED = "billed"
    EFFECTIVE = "effective"
    LIST = "list"
    CONTRACTED = "contracted"

    @property
    def column(self) -> str:
        """The FOCUS column."""
        return f"{self.value.capitalize()}Cost"


class CostPeriod(StrEnum):
    """Which charges are a month's.

    ``CHARGE_DAY``: those of its days, in UTC. ``BILLING_PERIOD``: those on its bill, whatever
    day they are of: a refund of an earlier month, a month that begins in another time zone.
    """

    CHARGE_DAY = "charge_day"
    BILLING_PERIOD = "billing_period"

    @property
    def column(self) -> str:
        """The store's column."""
        return "ChargeDate" if self is CostPeriod.CHARGE_DAY else "BillingPeriod"

    @property
    def words(self) -> str:
        """For a reader."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """One set of charges on all four bases, in one currency, unrounded."""

    billed: Decimal = Decimal(0)
    effective: Decimal = Decimal(0)
    list: Decimal = Decimal(0)
    contracted: Decimal = Decimal(0)

    def on(self, basis: CostBasis) -> Decimal:
        """The cost on one basis."""
        match basis:
            case CostBasis.BILLED:
                return self.billed
            case CostBasis.EFFECTIVE:
                return self.effective
            case CostBasis.LIST:
                return self.list
            case CostBasis.CONTRACTED:
                return self.contracted

    def __add__(self, other: Costs) -> Costs:
        with exact():
            return Costs(
                billed=self.billed + other.billed,
                effective=self.effective + other.effective,
                list=self.list + other.list,
                contracted=self.contracted + other.contracted,
            )

    @classmethod
    def of(cls, amounts: Sequence[Decimal | None]) -> Self:
        """From four amounts in the order of :class:`CostBasis`; ``None`` (no rows) is zero."""
        billed, effective, list_, contracted = (amount or Decimal(0) for amount in amounts)
        return cls(billed=billed, effective=effective, list=list_, contracted=contracted)


def add_costs(costs: Iterable[Costs]) -> Costs:
    """Their sum, on each basis."""
    return functools.reduce(operator.add, costs, Costs())


def exact() -> AbstractContextManager[Context]:
    """Arithmetic in as many digits as sums and products of money need; Python's 28 would round."""
    return localcontext(prec=_DIGITS)


def exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    """The sum without rounding."""
    with exact():
        return sum(amounts, Decimal(0))


def exact_difference(amount: Decimal, *less: Decimal) -> Decimal:
    """What is left without these, without rounding; a minus before a number would round it."""
    with exact():
        return amount - sum(less, Decimal(0))


def exact_product(amount: Decimal, factor: Decimal) -> Decimal:
    """The product without rounding."""
    with exact():
        return amount * factor


def cents(amount: Decimal | float) -> Decimal:
    """Rounded to two decimals, half-even.

    :param amount: of an estimate that was made in floats, or exact.
    """
    exactly = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    with exact():
        return exactly.quantize(CENT)


def percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """What part of the whole it is, to a tenth of a percent; ``None`` where that says nothing."""
    if whole <= 0:
        return None
    with exact():
        return (part * 100 / whole).quantize(_TENTH)


def rounded_lines(
    amounts: Sequence[Decimal], places: int = 2, *, total: Decimal | None = None
) -> tuple[Decimal, ...]:
    """Round lines for a reader so that they still add up to the rounded total.

    The total is rounded half-even; each line is rounded down and what is then missing goes, a
    unit each, to the lines that lost most ("largest remainder", ties to the earlier line). So
    a line is off by less than one unit.

    :param total: what they are to add up to where that is shown already: their sum, rounded up
        or down.
    """
    unit = Decimal(1).scaleb(-places)
    with exact():
        if total is None:
            total = exact_sum(amounts).quantize(unit)
        down = [amount.quantize(unit, rounding=ROUND_FLOOR) for amount in amounts]
        short = int((total - sum(down, Decimal(0))) / unit)
        losers = sorted(range(len(down)), key=lambda i: down[i] - amounts[i])[:short]
        for line in losers:
            down[line] += unit
    return tuple(down)


def checked_currency(parameter: str, value: str) -> str:
    """The value, when it is an ISO 4217 code.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    if not _CURRENCY.fullmatch(value):
        raise CostAnalysisError(
            f"{parameter} is {value!r}; expected an ISO 4217 code of three capitals, like 'USD'",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return value


def checked_basis(value: str) -> CostBasis:
    """The basis of that name.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    try:
        return CostBasis(value)
    except ValueError:
        raise CostAnalysisError(
            f"basis is {value!r}; allowed: {', '.join(CostBasis)}", kind=ErrorKind.INVALID_ARGUMENT
        ) from None


def check_period(start: date, end: date) -> None:
    """Refuse a period without a day in it; ``end`` is exclusive.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    if end <= start:
        raise CostAnalysisError(
            f"end is {end}, start is {start}; end is exclusive and must be after start",
            kind=ErrorKind.INVALID_ARGUMENT,
        )

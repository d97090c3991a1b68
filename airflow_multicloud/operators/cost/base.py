"""What the cost operators share: the store and how its figures are converted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_multicloud.api.cost.analyzer import CloudCostAnalyzer
from airflow_multicloud.core.cost.fx.unconverted import Unconverted
from airflow_multicloud.core.cost.money import CostBasis
from airflow_multicloud.lists import texts
from airflow_multicloud.operators.base import CloudOperator


class CostOperator(CloudOperator):
    """An operator over a cost store.

    :param store: a directory that every worker sees, or the URI of a prefix
        (``s3://conn@bucket/costs/``).
    :param currency: what all figures are converted to, per charge date.
    :param basis: ``billed``, ``effective``, ``list`` or ``contracted``.
    :param rates_file: the European Central Bank's ``eurofxref-hist.zip``, for days that the
        installed rates do not reach.
    :param max_stale_days: how many days after its last rate a currency may still be converted.
    :param clouds: only these; all that were ever ingested by default.
    """

    template_fields: Sequence[str] = ("store", "currency", "rates_file", "clouds")

    def __init__(
        self,
        *,
        store: str,
        currency: str = "USD",
        basis: str = "effective",
        rates_file: str | None = None,
        max_stale_days: int = 0,
        clouds: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.store = store
        self.currency = currency
        self.basis = basis
        self.rates_file = rates_file
        self.max_stale_days = max_stale_days
        self.clouds = clouds

    def analyzer(self) -> CloudCostAnalyzer:
        """The questions, over the rendered arguments."""
        return CloudCostAnalyzer(
            self.store,
            currency=self.currency,
            basis=self.basis,
            rates_file=self.rates_file or None,
            max_stale_days=self.max_stale_days,
            clouds=None
            if self.clouds is None
            else texts(self.clouds, "clouds", what="names of clouds"),
        )

    def warn_unconverted(self, found: Sequence[Unconverted]) -> None:
        """Say in the task's log what no rate converts."""
        for apart in found:
            amount = apart.on(CostBasis(self.basis))
            self.log.warning("%s of %s are in no sum: %s", amount, apart.cloud, apart.reason)


def days(start: str, end: str) -> tuple[date, date]:
    """Two rendered days, ``YYYY-MM-DD``; the second exclusive.

    :raises ValueError: naming the parameter that is no date.
    """
    return day_of("start", start), day_of("end", end)


def day_of(name: str, text: str) -> date:
    """A rendered day, ``YYYY-MM-DD``.

    :raises ValueError: naming the parameter when it is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} given, expected YYYY-MM-DD") from None


def money_of(name: str, value: str | int) -> Decimal:
    """A rendered amount.

    :raises ValueError: naming the parameter when it is no number.
    """
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{name}: {value!r} given, expected a number") from None

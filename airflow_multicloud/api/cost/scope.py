"""What every question about cost is asked of: the store, and how its figures are converted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from airflow_multicloud.api.cost.values import choice
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.fx.rates_file import MAX_BYTES, parse_rates
from airflow_multicloud.core.cost.money import CostBasis, CostPeriod, checked_basis
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.lists import texts
from airflow_multicloud.months import are_whole_months
from airflow_multicloud.opening.cost.files import read_place
from airflow_multicloud.opening.cost.store import open_cost_store
from airflow_multicloud.opening.places import is_uri


@dataclass(frozen=True)
class CostScope:
    """A cost store, and how its figures are converted.

    The fields are those of
    :class:`~airflow_multicloud.api.cost.analyzer.CloudCostAnalyzer`, which describes them.
    """

    store: str | Path
    currency: str = "USD"
    basis: str = "effective"
    rates_file: str | Path | None = None
    max_stale_days: int = 0
    clouds: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Take ``clouds`` as it is given: a list, one name, or what a template rendered."""
        if self.clouds is not None:
            object.__setattr__(self, "clouds", cost_texts(self.clouds, "clouds", "names of clouds"))

    def _period(self, start: date, end: date, by: str | None) -> CostPeriod:
        months = are_whole_months(start, end)
        if by is None:
            billed = self._cost_basis is CostBasis.BILLED
            return CostPeriod.BILLING_PERIOD if billed and months else CostPeriod.CHARGE_DAY
        period = choice("by", CostPeriod, by)
        if period is CostPeriod.BILLING_PERIOD and not months:
            raise CostAnalysisError(
                f"by: {by} needs whole months, start and end are {start} and {end}; give the "
                "first days of months, or charge_day",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return period

    @cached_property
    def _store(self) -> CostStore:
        return open_cost_store(self.store)

    @property
    def _cost_basis(self) -> CostBasis:
        return checked_basis(self.basis)

    @cached_property
    def _rates(self) -> ExchangeRates:
        where = self.rates_file
        if where is None or not is_uri(where):
            file = None if where is None else Path(where)
            return ExchangeRates(rates_file=file, max_stale_days=self.max_stale_days)
        with operation("cost.read_rates"):
            content = read_place("rates_file", where, MAX_BYTES)
        return ExchangeRates(
            published=parse_rates(content, str(where)), max_stale_days=self.max_stale_days
        )


def cost_texts(given: object, parameter: str, what: str) -> tuple[str, ...]:
    """Texts as they are given: a list, one text, or what a template rendered.

    :raises CostAnalysisError: kind ``invalid_argument``, naming the parameter.
    """
    return texts(given, parameter, what=what, error=CostAnalysisError)

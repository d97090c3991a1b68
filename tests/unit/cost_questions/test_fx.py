"""Exchange rates: the published ones, carried over closing days, never guessed."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import currency_converter
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.cost.fx import ExchangeRates, needed_rates
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from tests.unit.cost_questions.bill import Charge, bill

RATES = """Date,USD,JPY,GBP,XTS,
2026-11-06,1.2,170,0.8,N/A,
2026-11-05,1.1,160,0.75,N/A,
2026-10-20,1.0,150,0.7,5,
"""


@pytest.fixture
def rates_file(tmp_path: Path) -> Path:
    path = tmp_path / "eurofxref-hist.csv"
    path.write_text(RATES)
    return path


def published() -> dict[date, dict[str, str]]:
    """The bundled file, read without the library."""
    with zipfile.ZipFile(currency_converter.CURRENCY_FILE) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return {date.fromisoformat(row["Date"]): row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize(
    ("day", "of"),
    [
        (date(2025, 12, 24), date(2025, 12, 24)),
        (date(2025, 12, 25), date(2025, 12, 24)),
        (date(2025, 12, 26), date(2025, 12, 24)),
        (date(2025, 12, 28), date(2025, 12, 24)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2026, 4, 3), date(2026, 4, 2)),
        (date(2026, 4, 6), date(2026, 4, 2)),
        (date(2026, 4, 7), date(2026, 4, 7)),
        (date(2026, 5, 1), date(2026, 4, 30)),
        (date(2026, 10, 24), date(2026, 10, 23)),
        (date(2026, 10, 25), date(2026, 10, 23)),
    ],
)
def test_closing_days_take_the_last_rate_before(day: date, of: date) -> None:
    found = ExchangeRates().rate("EUR", "USD", day)
    assert (found.day, found.stale) == (of, False)
    assert found.rate == Decimal(published()[of]["USD"])


def test_cross_rates_are_of_one_day_and_rounded_half_even_to_14_places() -> None:
    rows = published()
    for day in (date(2026, 3, 2), date(2026, 8, 17)):
        exact = Decimal(rows[day]["GBP"]) / Decimal(rows[day]["USD"])
        assert ExchangeRates().rate("USD", "GBP", day).rate == exact.quantize(Decimal("1e-14"))


@settings(max_examples=50, deadline=None)
@given(
    day=st.dates(date(2020, 1, 2), date(2026, 10, 30)),
    pair=st.sampled_from([("USD", "GBP"), ("JPY", "USD"), ("IDR", "EUR"), ("EUR", "CHF")]),
)
def test_there_and_back_is_one(day: date, pair: tuple[str, str]) -> None:
    there, back = ExchangeRates().rate(*pair, day), ExchangeRates().rate(*reversed(pair), day)
    assert abs(there.rate * back.rate - 1) < Decimal("1e-8")
    assert there.day == back.day


def test_the_same_currency_needs_no_rate_at_any_date() -> None:
    assert ExchangeRates().rate("XAU", "XAU", date(2050, 1, 1)).rate == 1


def test_the_weekend_after_the_files_last_day_is_not_stale(rates_file: Path) -> None:
    found = ExchangeRates(rates_file=rates_file).rate("EUR", "USD", date(2026, 11, 8))
    assert (found.rate, found.day, found.stale) == (Decimal("1.2"), date(2026, 11, 6), False)


def test_after_the_files_end_rates_are_refused_unless_allowed(rates_file: Path) -> None:
    with pytest.raises(CostAnalysisError, match=r"EUR to USD on 2026-11-09.*end on 2026-11-06"):
        ExchangeRates(rates_file=rates_file).rate("EUR", "USD", date(2026, 11, 9))
    allowed = ExchangeRates(rates_file=rates_file, max_stale_days=3)
    assert allowed.rate("EUR", "USD", date(2026, 11, 9)).stale
    with pytest.raises(CostAnalysisError, match="max_stale_days"):
        allowed.rate("EUR", "USD", date(2026, 11, 10))
    with pytest.raises(CostAnalysisError, match=r"^max_stale_days: -1 given, expected 0 or more"):
        ExchangeRates(rates_file=rates_file, max_stale_days=-1)


def test_no_rate_within_a_week_is_an_error(rates_file: Path) -> None:
    rates = ExchangeRates(rates_file=rates_file)
    assert rates.rate("EUR", "USD", date(2026, 10, 27)).day == date(2026, 10, 20)
    with pytest.raises(CostAnalysisError, match="2026-10-28, nor in the 7 days before"):
        rates.rate("EUR", "USD", date(2026, 10, 28))
    with pytest.raises(CostAnalysisError, match="XTS to USD on 2026-11-06") as caught:
        rates.rate("XTS", "USD", date(2026, 11, 6))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_currency_that_is_not_quoted_is_named_with_the_date() -> None:
    with pytest.raises(CostAnalysisError, match="no ECB rate of VND on 2026-10-01"):
        ExchangeRates().rate("VND", "USD", date(2026, 10, 1))
    with pytest.raises(CostAnalysisError, match="RUB is quoted from 2005-04-01 to 2022-03-01"):
        ExchangeRates().rate("RUB", "USD", date(2026, 10, 1))


def test_bad_currency_codes_are_refused() -> None:
    with pytest.raises(CostAnalysisError, match="target is 'usd'"):
        ExchangeRates().rate("EUR", "usd", date(2026, 10, 1))


@pytest.mark.parametrize("text", ["", "no,csv\nfoo,bar\n", "Date,USD\n2026-11-06,zero\n"])
def test_an_unreadable_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(text)
    with pytest.raises(CostAnalysisError, match=r"rates_file .*rates\.csv can't be read"):
        ExchangeRates(rates_file=path).rate("EUR", "USD", date(2026, 11, 6))
    with pytest.raises(CostAnalysisError, match="can't be read"):
        ExchangeRates(rates_file=tmp_path / "none.zip").rate("EUR", "USD", date(2026, 11, 6))


def test_a_refreshed_file_at_the_same_path_is_read_again(rates_file: Path) -> None:
    rates = ExchangeRates(rates_file=rates_file)
    assert rates.rate("EUR", "USD", date(2026, 11, 6)).rate == Decimal("1.2")
    rates_file.write_text(RATES.replace("2026-11-06,1.2", "2026-11-06,1.3"))
    assert rates.rate("EUR", "USD", date(2026, 11, 6)).rate == Decimal("1.3")


def test_the_note_names_the_days_of_the_rates() -> None:
    connection = bill(
        [
            Charge("aws", date(2026, 10, 3), "1", currency="EUR"),
            Charge("aws", date(2026, 10, 7), "1", currency="GBP"),
            Charge("aws", date(2026, 10, 9), "1", currency="USD"),
        ]
    )
    rates = needed_rates(connection, date(2026, 10, 1), date(2026, 11, 1), "USD", ExchangeRates())
    assert str(rates.note()) == "EUR, GBP at ECB rates of 2026-10-02 … 2026-10-07"

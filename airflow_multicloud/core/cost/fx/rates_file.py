"""The European Central Bank's file of euro reference rates, checked before it is believed.

``eurofxref-hist.zip`` (or the ``.csv`` in it): a line per business day, newest first, a column
per currency, ``N/A`` where a day has no rate.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.text import printable

#: The bank's file has 0.7 MB, 3 MB unpacked, and grows by 0.1 a year.
MAX_BYTES = 64 << 20

EURO = "EUR"
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_MISSING = frozenset({"", "N/A"})
_ZIP = b"PK"


@dataclass(frozen=True, slots=True)
class EuroRates:
    """What one euro was worth, in the file's own digits.

    :param days: day → currency → units of it for one euro.
    :param bounds: currency → the first and the last day with a rate.
    """

    days: Mapping[date, Mapping[str, str]]
    bounds: Mapping[str, tuple[date, date]]

    @property
    def last_day(self) -> date:
        """The newest day of the file."""
        return self.bounds[EURO][1]

    def per_euro(self, currency: str, day: date) -> Decimal | None:
        """The rate of a day; ``None`` when the bank published none."""
        if currency == EURO:
            return Decimal(1) if day in self.days else None
        text = self.days.get(day, {}).get(currency)
        return None if text is None else Decimal(text)


def parse_rates(content: bytes, name: str) -> EuroRates:
    """Read the bank's file.

    :param name: how messages call it.
    :raises CostAnalysisError: kind ``invalid_argument``, naming the file and the line: not the
        bank's layout, a rate that is no positive number, a day that is there twice.
    """
    days: dict[date, Mapping[str, str]] = {}
    bounds: dict[str, tuple[date, date]] = {}
    for line, day, rates in _rows(_text(content, name), name):
        if day in days:
            raise _refused(name, f"the day {day} is there twice", line)
        days[day] = rates
        for currency in (EURO, *rates):
            first, last = bounds.get(currency, (day, day))
            bounds[currency] = min(first, day), max(last, day)
    if not days:
        raise _refused(name, "there is no day in it")
    return EuroRates(days, bounds)


def _text(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise _refused(name, f"it has more than {MAX_BYTES >> 20} MiB")
    try:
        if content.startswith(_ZIP):
            content = _unpacked(content, name)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content[: err.start].count(b"\n") + 1
        raise _refused(name, "it is no UTF-8 text", line) from err
    except CostAnalysisError:
        raise
    except Exception as err:  # one flipped byte, and the unpacking raises nearly anything
        raise _refused(name, f"{type(err).__name__}: {err}") from err


def _unpacked(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
        if len(members) != 1:
            raise _refused(name, f"the archive has {len(members)} .csv files, expected one")
        with archive.open(members[0]) as packed:
            # What the archive says of the size is not believed: no more than this is unpacked.
            text = packed.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise _refused(name, f"it unpacks to more than {MAX_BYTES >> 20} MiB")
    return text


def _rows(text: str, name: str) -> Iterator[tuple[int, date, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [cell.strip() for cell in next(reader, [])]
        currencies = header[1:-1] if header and not header[-1] else header[1:]
        if header[:1] != ["Date"] or not currencies:
            raise _refused(name, "the first line is not 'Date,USD,JPY,…'", 1)
        for currency in currencies:
            if not _CURRENCY.fullmatch(currency) or currencies.count(currency) > 1:
                raise _refused(name, f"{printable(currency)!r} is no column of a currency", 1)
        for row in reader:
            if row:
                yield reader.line_num, *_row(row, currencies, name, reader.line_num)
    except csv.Error as err:
        raise _refused(name, str(err), reader.line_num) from err


def _row(
    row: list[str], currencies: list[str], name: str, line: int
) -> tuple[date, dict[str, str]]:
    cells = [cell.strip() for cell in row]
    try:
        day = date.fromisoformat(cells[0])
    except ValueError:
        raise _refused(name, f"{printable(cells[0][:40])!r} is no day", line) from None
    values = cells[1 : len(currencies) + 1]
    if len(values) < len(currencies) or any(cells[len(currencies) + 1 :]):
        raise _refused(name, f"{len(cells) - 1} cells for {len(currencies)} currencies", line)
    rates = {}
    for currency, cell in zip(currencies, values, strict=True):
        if cell in _MISSING:
            continue
        if not _RATE.fullmatch(cell) or not Decimal(cell):
            raise _refused(name, f"the rate of {currency} is {printable(cell[:40])!r}", line)
        rates[currency] = cell
    return day, rates


def _refused(name: str, why: str, line: int | None = None) -> CostAnalysisError:
    where = f"line {line}: " if line else ""
    return CostAnalysisError(
        f"rates_file {name} can't be read as the bank's eurofxref-hist.zip or .csv: {where}{why}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )

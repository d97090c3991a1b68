"""Price tables as CSV: a line per price, with region, currency, source and the day it was read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files

from airflow_multicloud.core.cost.money import checked_currency
from airflow_multicloud.core.cost.prices import Meter, Price, PriceTable
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.text import from_csv_cell, printable, write_csv

#: The packaged table has 10 kB; a line is about 150 bytes.
MAX_BYTES = 16 << 20

_COLUMNS = tuple(f.name for f in fields(Price))
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,40})?([eE]-?[0-9]{1,2})?")
_TEXTS = ("cloud", "sku", "region_id", "unit", "family", "source")
_LONGEST = 500


def bundled_prices(*, max_age: timedelta | None = None) -> PriceTable:
    """The table that comes with the package: one region per cloud."""
    content = files(__package__).joinpath("prices.csv").read_bytes()
    return parse_prices(content, "prices.csv", max_age=max_age)


def parse_prices(content: bytes, name: str, *, max_age: timedelta | None = None) -> PriceTable:
    """Read a table.

    :param name: how messages call it.
    :raises CostAnalysisError: kind ``invalid_argument``, naming file, line and column.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content[: err.start].count(b"\n") + 1
        raise _refused(name, "it is no UTF-8 text", line) from err
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = sorted(set(_COLUMNS) - set(header))
        if missing:
            raise CostAnalysisError(
                f"price table {name}: columns missing: {', '.join(missing)}",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        prices = []
        seen: dict[tuple[object, ...], int] = {}
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                why = f"{len(cells)} cells, expected {len(header)}"
                raise _refused(name, why, reader.line_num)
            row = zip(header, map(from_csv_cell, cells), strict=True)
            price = _price(dict(row), name, reader.line_num)
            key = (price.cloud, price.meter, price.sku, price.region_id, price.tier_start)
            if key in seen:
                raise _refused(name, f"the same price is on line {seen[key]}", reader.line_num)
            seen[key] = reader.line_num
            prices.append(price)
    except csv.Error as err:
        raise _refused(name, str(err), reader.line_num) from err
    return PriceTable(tuple(prices), max_age)


def format_prices(table: PriceTable) -> bytes:
    """Write a table so that :func:`parse_prices` reads it."""
    out = io.StringIO(newline="")
    rows = ({name: _text(getattr(price, name)) for name in _COLUMNS} for price in table.prices)
    write_csv(out, _COLUMNS, rows)
    return out.getvalue().encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _price(row: Mapping[str, str], name: str, line: int) -> Price:
    for column in _TEXTS:
        text = row[column]
        empty = not text.strip() and column != "family"  # egress has none
        if empty or not text.isprintable() or len(text) > _LONGEST:
            raise _refused(name, f"{column} is {printable(text[:40])!r}", line)

    def number(column: str) -> Decimal:
        text = row[column].strip()
        if not _NUMBER.fullmatch(text):
            why = f"{column} is {printable(text[:40])!r}, expected a number, 0 or more"
            raise _refused(name, why, line)
        return Decimal(text)

    try:
        meter, as_of = Meter(row["meter"]), date.fromisoformat(row["as_of"])
        currency = checked_currency("currency", row["currency"])
    except (ValueError, CostAnalysisError) as err:
        raise _refused(name, str(err), line) from err
    return Price(
        cloud=row["cloud"],
        meter=meter,
        sku=row["sku"],
        region_id=row["region_id"],
        unit=row["unit"],
        list_unit_price=number("list_unit_price"),
        currency=currency,
        tier_start=number("tier_start"),
        vcpus=number("vcpus") if row["vcpus"] else None,
        memory_gib=number("memory_gib") if row["memory_gib"] else None,
        family=row["family"],
        source=row["source"],
        as_of=as_of,
    )


def _refused(name: str, why: str, line: int) -> CostAnalysisError:
    return CostAnalysisError(
        f"price table {name} line {line}: {why}", kind=ErrorKind.INVALID_ARGUMENT
    )

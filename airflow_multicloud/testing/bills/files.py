"""A bill as files, in the columns and types of the cloud's own export."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.ports.cost import FileFormat
from airflow_multicloud.testing.bills.columns import ROW, VERSION
from airflow_multicloud.testing.bills.focus_versions import (
    WITHDRAWN,
    FocusVersion,
    later_columns,
)
from airflow_multicloud.testing.bills.generate import Bill, Totals, open_bill, sum_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Numbers(StrEnum):
    """How Parquet files hold costs; CSV is text and always exact.

    ``DOUBLE`` is what AWS documents for its exports
    (docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html); a
    double keeps ten places of amounts below about 900,000, so a sum of the values read as
    DECIMAL(28, 10) is the bill's to the last decimal.
    """

    DECIMAL = "decimal"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How files are written.

    :param count: over how many files the rows are spread.
    :param compressed: CSV is gzipped, Parquet has snappy.
    :param numbers: Parquet's type of costs, prices and quantities.
    :param focus_version: whose columns the files have.
    """

    format: FileFormat = FileFormat.PARQUET
    count: int = 1
    compressed: bool = True
    numbers: Numbers = Numbers.DECIMAL
    focus_version: FocusVersion = FocusVersion.V1_2

    def __post_init__(self) -> None:
        """Refuse a count that is none.

        :raises ValueError: when there is to be no file.
        """
        if self.count < 1:
            raise ValueError(f"count: {self.count} given, allowed is 1 or more")

    @property
    def suffix(self) -> str:
        """How the clouds name such files."""
        if self.format is FileFormat.PARQUET:
            return ".snappy.parquet" if self.compressed else ".parquet"
        return ".csv.gz" if self.compressed else ".csv"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file and how many rows it has."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class WrittenBill:
    """The files of a bill.

    :param columns: the files' columns → their types, as DuckDB names them.
    :param totals: of all rows of these files.
    """

    files: tuple[WrittenFile, ...]
    columns: dict[str, str]
    totals: Totals

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(file.path for file in self.files)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(file.rows for file in self.files)


def write_bill(
    bill: Bill,
    directory: Path,
    options: FileOptions = FileOptions(),
    *,
    stem: str = "bill",
    since: int = 0,
) -> WrittenBill:
    """Write a bill into an existing directory: ``<stem>-00001.snappy.parquet`` and so on.

    Rows stream through: memory does not grow with their number.

    :param since: only rows that this version and later ones added (styles that append).
    """
    written = []
    span = -(-bill.options.rows // options.count)
    with open_bill(bill) as connection:
        select = export_columns(bill.options.cloud, options)
        for number in range(options.count):
            path = directory / f"{stem}-{number + 1:05}{options.suffix}"
            # The last file also takes what is beyond the first version's rows.
            upper = f' AND "{ROW}" < {(number + 1) * span}' if number + 1 < options.count else ""
            source = f'FROM bill WHERE "{VERSION}" >= {since} AND "{ROW}" >= {number * span}{upper}'
            rows = _copy(connection, f"SELECT {select} {source}", path, options)
            written.append(WrittenFile(path, rows))
        described = connection.execute(f"DESCRIBE SELECT {select} FROM bill").fetchall()
        totals = sum_rows(connection, bill, f'SELECT * FROM bill WHERE "{VERSION}" >= {since}')
    columns = {row[0]: str(row[1]) for row in described}
    return WrittenBill(tuple(written), columns, totals)


def _copy(connection: DuckDBPyConnection, query: str, path: Path, options: FileOptions) -> int:
    if options.format is FileFormat.PARQUET:
        how = f"FORMAT parquet, COMPRESSION {'snappy' if options.compressed else 'uncompressed'}"
    else:
        how = f"FORMAT csv, HEADER, COMPRESSION {'gzip' if options.compressed else 'none'}"
    target = str(path).replace("'", "''")
    copied = connection.execute(f"COPY ({query}) TO '{target}' ({how})").fetchone()
    return int(copied[0]) if copied else 0


#: What FOCUS 1.2 files hold, in alphabetical order as AWS and Microsoft have it.
FOCUS_COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)
_NUMERIC = ("Cost", "Price", "Quantity")
_TIMES = ("PeriodStart", "PeriodEnd")
#: Columns of the clouds' own, as SQL over FOCUS's.
_OWN = {
    "aws": {"x_Operation": "SkuMeter", "x_ServiceCode": "ServiceName"},
    "azure": {
        "x_BillingProfileId": "BillingAccountId",
        "x_ResourceType": "lower(ResourceType)",
        "x_SkuMeterName": "SkuMeter",
    },
    "gcp": {},
}


def export_columns(cloud: str, options: FileOptions) -> str:
    """The select list that gives a cloud's own columns and types."""
    later = later_columns(cloud, options.focus_version)
    withdrawn = WITHDRAWN if options.focus_version is FocusVersion.V1_4 else frozenset()
    names = sorted({*FOCUS_COLUMNS, *later} - withdrawn)
    values = {name: later.get(name, name) for name in names}
    found = [f'{_value(n, values[n], cloud, options)} AS "{n}"' for n in names]
    found += [f'{sql} AS "{name}"' for name, sql in _OWN[cloud].items()]
    return ", ".join(found)


def kind_of(name: str) -> str:
    """Whether a FOCUS column holds a ``number``, a ``time`` or a ``text``."""
    if name.endswith(_NUMERIC):
        return "number"
    return "time" if name.endswith(_TIMES) else "text"


def _value(name: str, sql: str, cloud: str, options: FileOptions) -> str:
    text = options.format is FileFormat.CSV
    if kind_of(name) == "time" and text:
        return f"""strftime({sql} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"""
    if kind_of(name) == "number" and not text and options.numbers is Numbers.DOUBLE:
        return f"CAST({sql} AS DOUBLE)"
    if name.endswith("Tags") and not text and cloud == "aws":
        # Athena's map<string, string>; the others have JSON text.
        return f"CAST(CAST({sql} AS JSON) AS MAP(VARCHAR, VARCHAR))"
    return sql

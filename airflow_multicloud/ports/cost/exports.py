"""The bill as a cloud exports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class CorrectionStyle(StrEnum):
    """How a cloud restates a billing period it exported before (FOCUS "Correction Handling").

    ``REPLACE``: the new version is the whole period (FOCUS "Replacement"). ``APPEND``: the new
    version adds rows, a reversal and a new charge for each row restated (FOCUS "Ledger").
    ``ADJUST``: the new version adds rows that carry only the difference (FOCUS "Delta").
    """

    REPLACE = "replace"
    APPEND = "append"
    ADJUST = "adjust"


class FileFormat(StrEnum):
    """How an export's files are written; CSV may be gzipped (``.gz``)."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPeriod:
    """One billing period as an export holds it now.

    :param export: the export's location, as it was asked for (no connection in it).
    :param billing_period: the first day of the billing month.
    :param version: opaque; differs whenever the period's rows may. For styles that append it
        is also the watermark to continue from (see :meth:`Cost.fetch_billing_period`).
    :param exported_at: when the cloud wrote this version; aware, UTC.
    :param rows: the number of rows that the export itself states, where it does.
    :param size: bytes of all files, where known before fetching.
    :param days: the first and the last charge day that the version has, where it is not the
        whole period: only those days are to be replaced.
    """

    export: str
    billing_period: date
    version: str
    style: CorrectionStyle
    exported_at: datetime
    rows: int | None = None
    size: int | None = None
    days: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPeriod:
    """The files of an exported period on local disk, complete.

    :param period: what was fetched: version and row count are those of these very files.
    :param files: in the export's own columns, in a stable order; none when the export says
        that there are none, so that the period has no rows.
    """

    period: ExportedPeriod
    format: FileFormat
    files: tuple[Path, ...]


class Cost(Protocol):
    """What every cloud's bill can be asked."""

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The complete billing periods of an export, oldest first.

        A period that is being written (its files are there, the manifest that the cloud writes
        last is not) is left out; an export that has none yet gives an empty sequence.
        Where only some days of a period were exported again since, these versions follow that of
        the whole period, in the order in which they were written.

        :param export: where it is: ``bucket/prefix/export-name`` (AWS),
            ``container/directory/export-name`` (Azure), ``project/dataset/table`` (Google).
        :raises CostAnalysisError: kind ``not_found`` when the bucket, container or table is
            not there; kind ``integrity`` when a manifest can't be read.
        """
        ...

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None
    ) -> FetchedPeriod:
        """Bring one period's files into an empty local directory.

        :param after: for styles that append: only rows newer than this version. Ignored by
            ``REPLACE``.
        :raises CostAnalysisError: kind ``source_changed`` when the period was rewritten while
            it was read; kind ``integrity`` when a file that the manifest names is missing,
            shorter than stated, or its row count differs.
        """
        ...

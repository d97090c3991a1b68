"""The billing export in BigQuery: its months, and one month's rows as a file.

The connection's extras besides those of Airflow's BigQuery hook:

- ``bigquery.maximum_bytes_billed``: what one query may scan at most.
- ``bigquery.storage_api``: ``true`` has rows brought by BigQuery's Storage Read API, many times
  faster for months of millions of rows; it needs the right to create read sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter
from google.cloud.bigquery_storage_v1 import BigQueryReadClient
from pyarrow import ArrowException  # type: ignore[import-untyped]

from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.cost.client import CostBase
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.cost.focus import focus_form
from airflow_multicloud.clouds.gcp.cost.rows import write_parquet
from airflow_multicloud.clouds.gcp.cost.standard import standard_form
from airflow_multicloud.clouds.gcp.cost.tables import (
    BillingForm,
    extent_sql,
    periods_sql,
    rows_sql,
    table_id,
    version_of,
    watermark,
)
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from pathlib import Path

    from google.cloud.bigquery import Client, Table
    from google.cloud.bigquery.table import RowIterator
    from pyarrow import RecordBatch

#: Rows of one answer when they are read page by page.
_PAGE_ROWS = 20_000
#: Parallel streams of the Storage Read API; each holds some batches in memory.
_STREAMS = 2


_LIMIT = "bigquery.maximum_bytes_billed"


class GCPExports(CostBase):
    """Billing exports, which Google writes to BigQuery.

    Queries carry the labels of the DAG, task and run that they are for
    (:mod:`airflow_multicloud.labels`), besides those of the connection's extra ``labels``.
    """

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing months in the table ``project/dataset/table``; two columns are scanned."""
        return self._export(export).periods()

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None
    ) -> FetchedPeriod:
        """One month's rows in FOCUS columns, as Parquet; only its partitions are scanned."""
        return self._export(period.export).fetch(period, directory, after)

    def _export(self, export: str) -> BillingExport:
        client: Client = self._opened(
            f"bigquery in {self.location}",  # hooks of one session may differ in it
            lambda: self.get_client(project_id=self.project_id, location=self.location),
        )
        return BillingExport(
            client,
            export,
            storage=self._read_client(),
            maximum_bytes=self._maximum_bytes,
            # Airflow's own operators put theirs over the connection's in the same way.
            labels={**self.labels, **current_work().labels(LABELS)},
            log=self.log,
        )

    def _read_client(self) -> BigQueryReadClient | None:
        if str(self.extras.get("bigquery.storage_api", "false")).lower() != "true":
            return None
        return self._opened(
            "bigquery storage",
            lambda: BigQueryReadClient(  # type: ignore[no-untyped-call]
                credentials=self._session.credentials, client_options=self._options_at(None)
            ),
        )

    @property
    def _maximum_bytes(self) -> int | None:
        value = self.extras.get(_LIMIT)
        if value is None:
            return None
        if not str(value).isdecimal() or int(value) == 0:
            raise CostAnalysisError(
                f"connection {self.gcp_conn_id!r}: extra {_LIMIT}: {value!r} given, allowed is a "
                "number of bytes above 0",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return int(value)


class _Log(Protocol):
    def info(self, message: str, /, *args: object) -> None: ...


class BillingExport:
    """One billing table.

    :param storage: the Storage Read API, which brings rows many times faster; without it they
        come page by page as JSON.
    :param maximum_bytes: what a query may scan at most; BigQuery refuses it otherwise, unbilled.
    """

    def __init__(
        self,
        client: Client,
        export: str,
        *,
        storage: BigQueryReadClient | None,
        maximum_bytes: int | None,
        labels: dict[str, str],
        log: _Log,
    ) -> None:
        self._client = client
        self._export = export
        self._id = table_id(export)
        self._storage = storage
        self._maximum_bytes = maximum_bytes
        self._labels = labels
        self._log = log

    def periods(self) -> Sequence[ExportedPeriod]:
        """The billing months, oldest first."""
        found = self._run(periods_sql(self._form, self._id))
        for column, place in (("billing period", 0), ("time of export", 1)):
            if unknown := [row[2] for row in found if row[place] is None]:
                raise CostAnalysisError(
                    f"{self._export}: {unknown[0]} rows have no {column}",
                    kind=ErrorKind.INTEGRITY,
                    cloud=NAME,
                )
        return tuple(
            ExportedPeriod(
                export=self._export,
                billing_period=month,
                version=version_of(exported_at),
                style=CorrectionStyle.APPEND,
                exported_at=exported_at,
                rows=count if self._form.one_to_one else None,
            )
            for month, exported_at, count in found
        )

    def fetch(self, period: ExportedPeriod, directory: Path, after: str | None) -> FetchedPeriod:
        """One month's rows up to its version, all or those after another version."""
        parameters = [
            ScalarQueryParameter("period", "DATE", period.billing_period),
            ScalarQueryParameter("version", "TIMESTAMP", watermark("version", period.version)),
        ]
        if after is not None:
            parameters.append(ScalarQueryParameter("after", "TIMESTAMP", watermark("after", after)))
        days = self._extent(period, parameters, after=after is not None)
        sql = rows_sql(self._form, self._table, days, after=after is not None)
        doing = f"reading billing period {period.billing_period:%Y-%m} of {self._export}"
        path = directory / "rows.parquet"
        with translated(doing):
            rows = self._start(sql, parameters)
            batches = rows.to_arrow_iterable(self._storage, max_stream_count=_STREAMS)
            written = self._write(batches, path, doing)
        if written != rows.total_rows:
            raise CostAnalysisError(
                f"{doing}: BigQuery says {rows.total_rows} rows, {written} came",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )
        return FetchedPeriod(
            period=replace(period, rows=written, size=path.stat().st_size),
            format=FileFormat.PARQUET,
            files=(path,),
        )

    @staticmethod
    def _write(batches: Iterable[RecordBatch], path: Path, doing: str) -> int:
        try:
            return write_parquet(batches, path)
        except ArrowException as err:
            raise CostAnalysisError(
                f"{doing}: the rows that came can't be read: {err}",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            ) from err

    def _extent(
        self, period: ExportedPeriod, parameters: list[ScalarQueryParameter], *, after: bool
    ) -> list[date | None]:
        """The partitions of the wanted rows, once it is sure that they are the version's."""
        found = self._run(extent_sql(self._form, self._table, after=after), parameters)
        latest: datetime | None = max((exported_at for _, exported_at in found), default=None)
        if latest is None or version_of(latest) != period.version:
            seen = version_of(latest) if latest else "no row"
            raise CostAnalysisError(
                f"{self._export} {period.billing_period:%Y-%m}: version {period.version} is not "
                f"in the table any more, the latest up to it is {seen}",
                kind=ErrorKind.SOURCE_CHANGED,
                cloud=NAME,
            )
        return [day for day, _ in found]

    @cached_property
    def _table(self) -> Table:
        with translated(f"looking up billing export {self._export}"):
            return self._client.get_table(self._id)

    @cached_property
    def _form(self) -> BillingForm:
        schema = self._table.schema
        form = focus_form(schema) or standard_form(schema)
        if form is None:
            raise CostAnalysisError(
                f"{self._export} is no billing export: it has neither the columns of the FOCUS "
                "export (BillingPeriodStart, BilledCost, x_ExportTime) nor those of the standard "
                "and detailed ones (invoice.month, cost, credits, export_time)",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return form

    def _run(
        self, sql: str, parameters: Sequence[ScalarQueryParameter] = ()
    ) -> list[tuple[Any, ...]]:
        with translated(f"asking billing export {self._export}"):
            return [row.values() for row in self._start(sql, parameters)]

    def _start(self, sql: str, parameters: Sequence[ScalarQueryParameter]) -> RowIterator:
        """Run a query where the table is, within the limit; its rows are not read yet."""
        config = QueryJobConfig(query_parameters=list(parameters), labels=self._labels)
        if self._maximum_bytes is not None:
            config.maximum_bytes_billed = self._maximum_bytes
        job = self._client.query(sql, job_config=config, location=self._table.location)
        rows = job.result(page_size=_PAGE_ROWS)
        self._log.info(
            "BigQuery job %s on %s (%s): %s rows, %s bytes scanned, %s billed",
            job.job_id,
            self._export,
            self._form.name,
            rows.total_rows,
            job.total_bytes_processed,
            "unknown" if job.total_bytes_billed is None else job.total_bytes_billed,
        )
        return rows

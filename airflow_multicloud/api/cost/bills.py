"""The bills in a cost store: bring them in, take them out, check them."""

from __future__ import annotations

from datetime import date

from airflow_multicloud.api.cost.scope import CostScope
from airflow_multicloud.core.cost.ingestion import IngestedPeriod, ingest_export
from airflow_multicloud.core.cost.quality import QualityReport, check_quality
from airflow_multicloud.core.cost.store import KEEP
from airflow_multicloud.core.cost.store.contents import StoredPeriod, stored_period
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.months import first_of_month
from airflow_multicloud.opening.cost.exports import open_export


class Bills(CostScope):
    """What the store has."""

    @operation("cost.ingest_export")
    def ingest(
        self,
        export: str,
        *,
        first: date | None = None,
        last: date | None = None,
        until_final: bool = True,
    ) -> tuple[IngestedPeriod, ...]:
        """Bring the store up to date with one cloud's export.

        :param export: ``s3://conn@bucket/prefix/name``, ``abfs://conn@container/dir/name`` or
            ``bigquery://conn@project/dataset/table``.
        :param first: a day of the oldest billing period wanted.
        :param last: of the newest.
        :param until_final: read earlier months again too that the store has and that are not
            final: a bill changes for days after its month.
        :raises CostAnalysisError: naming the months that failed; the store has all others.
        """
        return tuple(
            ingest_export(
                open_export(export), self._store, first=first, last=last, until_final=until_final
            )
        )

    @operation("cost.remove_export")
    def remove_export(
        self, export: str, *, cloud: str | None = None, month: date | None = None
    ) -> tuple[StoredPeriod, ...]:
        """Take an export out of the store, as when another one has the same account's bill.

        Its files stay until :meth:`prune_store` deletes them.

        :param export: its URI, or its name in the store (``bucket/prefix/name``).
        :param cloud: only of this cloud.
        :param month: a day of the only month meant.
        :returns: the months that are gone.
        :raises CostAnalysisError: kind ``not_found``, naming the exports that there are.
        """
        first = None if month is None else first_of_month(month)
        gone = self._store.remove(export, cloud=cloud, billing_period=first)
        return tuple(map(stored_period, gone))

    @operation("cost.stored_exports")
    def stored_exports(self) -> tuple[StoredPeriod, ...]:
        """What the store has: every export's months, and how final they are."""
        return tuple(map(stored_period, self._store.snapshot().periods))

    @operation("cost.prune_store")
    def prune_store(self, *, keep: int | None = None) -> tuple[str, ...]:
        """Delete old versions: files that none of the last ``keep`` states of the store needs.

        What was current within the last day stays, so that no reader loses its files.

        :returns: the names of the files deleted.
        """
        return self._store.prune(keep=KEEP if keep is None else keep)

    @operation("cost.check_exports")
    def check_quality(self, day: date) -> tuple[QualityReport, ...]:
        """What is odd about every ingested export of a day's billing period."""
        month = first_of_month(day)
        snapshot = self._store.snapshot()
        return tuple(
            check_quality(self._store, period.cloud, period.export, month, snapshot=snapshot)
            for period in snapshot.periods
            if period.billing_period == month
        )

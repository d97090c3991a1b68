"""The cost store: every exported bill, as it is stated now, ready to be asked.

A store is a local directory or a prefix of a bucket. Several tasks may use it at once: what
they see is always one whole snapshot, and what they ingest is there completely or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow_multicloud.core.cost.disk import cache_home
from airflow_multicloud.core.cost.money import CostPeriod
from airflow_multicloud.core.cost.store import ingest as _ingest
from airflow_multicloud.core.cost.store.bucket_files import BucketFiles
from airflow_multicloud.core.cost.store.current import load
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.core.cost.store.overlaps import Overlap
from airflow_multicloud.core.cost.store.prune import prune
from airflow_multicloud.core.cost.store.remove import Chosen, remove
from airflow_multicloud.core.cost.store.snapshot import Change, Period, Restatement, Snapshot
from airflow_multicloud.core.cost.store.views import View, open_views
from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.ports.cost import FetchedPeriod

__all__ = ["Change", "CostStore", "Overlap", "Restatement", "Snapshot", "View"]

#: How many snapshots :meth:`CostStore.prune` keeps by default.
KEEP = 7


@dataclass(frozen=True, slots=True)
class CostStore:
    """A store in a place; see :meth:`open`."""

    root: str
    files: Files

    @classmethod
    def open(cls, root: Path | Endpoint, *, cache: Path | None = None) -> Self:
        """Open a store, new or not; nothing is read yet.

        :param root: a local directory, or a prefix in a store that writes conditionally.
        :param cache: for a bucket, where its files are kept on local disk; by default below
            ``XDG_CACHE_HOME``, or else ``~/.cache``. Nobody but the user may look into it.
        :raises CloudError: kind ``invalid_argument``, naming ``store``, for a place that can be
            none.
        """
        if isinstance(root, Path):
            if root.exists() and not root.is_dir():
                raise CostAnalysisError(
                    f"store: {root} is a file; expected a directory, or the URI of a prefix",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
            return cls(str(root), LocalFiles(root))
        text = str(root.location)
        check_reserved(root, parameter="store")
        if not root.location.is_prefix:
            raise CostAnalysisError(
                f"store: {text} names an object; expected a prefix that ends with a slash",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        default = cache_home() / "airflow-multicloud" / "costs" / digest
        return cls(text, BucketFiles(root, cache or default))

    def snapshot(self) -> Snapshot:
        """What the store holds now."""
        return load(self.files).snapshot

    def current_version(self, cloud: str, export: str, billing_period: date) -> str | None:
        """The export's version that was ingested last; ``None`` when there is none."""
        period = self.snapshot().period(cloud, export, billing_period)
        return None if period is None else period.version

    def ingest(
        self,
        cloud: str,
        fetched: FetchedPeriod,
        *,
        after: str | None = None,
        now: datetime | None = None,
    ) -> Change:
        """Make a fetched version part of the store, exactly once; its files are moved away.

        A version that is already there, or older than what is, changes nothing.

        :param after: for exports that append, the version the fetched rows follow.
        :raises CostAnalysisError: kind ``integrity`` when the files can't be read as FOCUS or
            are not what the export states (the store is as before); kind ``quota`` when the
            disk is full (likewise); kind ``precondition_failed`` when another run appended
            meanwhile: fetch again.
        """
        return _ingest.ingest(self.files, cloud, fetched, after=after, now=now or datetime.now(UTC))

    def connect(
        self,
        *,
        start: date | None = None,
        end: date | None = None,
        by: CostPeriod = CostPeriod.CHARGE_DAY,
        views: Collection[View] = tuple(View),
        snapshot: Snapshot | None = None,
    ) -> AbstractContextManager[DuckDBPyConnection]:
        """A DuckDB connection with the current snapshot.

        Views ``costs`` (every canonical FOCUS column and ``Cloud, Export, BillingPeriod,
        ChargeDate``) and ``rollup`` (daily sums), tables ``periods``, ``restatements`` and
        ``left_out`` (what is in two exports, and counted once).

        :param start: only charge days from here on.
        :param end: and before this one.
        :param by: with ``BILLING_PERIOD``, billing periods from ``start`` on and before ``end``.
        :param views: only these, which takes less time.
        :param snapshot: of :meth:`snapshot`, so that several connections have the same.
        :raises CostAnalysisError: kind ``integrity`` for a file that can't be read.
        """
        chosen = snapshot or self.snapshot()
        return open_views(self.files, chosen, start=start, end=end, by=by, views=views)

    def remove(
        self,
        export: str,
        *,
        cloud: str | None = None,
        billing_period: date | None = None,
        now: datetime | None = None,
    ) -> tuple[Period, ...]:
        """Take an export out of the store; :meth:`prune` deletes its files later.

        :param export: as the store names it (``bucket/prefix/name``), or its URI.
        :param cloud: only of this cloud.
        :param billing_period: only this month.
        :raises CostAnalysisError: kind ``not_found``, naming what the store has.
        """
        chosen = Chosen(export=export, cloud=cloud, billing_period=billing_period)
        return remove(self.files, chosen, now=now or datetime.now(UTC))

    def prune(self, *, keep: int = KEEP, now: datetime | None = None) -> tuple[str, ...]:
        """Delete files that none of the last ``keep`` snapshots needs; returns their names.

        Nothing is taken from under a reader: what was current within the last day stays as well,
        and so do files that are younger than a day.
        """
        if keep < 1:
            raise CostAnalysisError(
                f"keep: {keep} given, expected at least 1", kind=ErrorKind.INVALID_ARGUMENT
            )
        return prune(self.files, keep=keep, now=now or datetime.now(UTC))

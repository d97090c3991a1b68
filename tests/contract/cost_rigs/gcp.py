"""Google Cloud: billing exports as tables in bqemulator."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    CostRecommendations,
    FileFormat,
    PriceLists,
)
from airflow_multicloud.testing.bills import Bill, FileOptions, Published
from airflow_multicloud.testing.bills.bigquery import focus_rows
from airflow_multicloud.testing.bills.bigquery_schemas import FOCUS_SCHEMA
from airflow_multicloud.testing.contracts.cost.rigs import CostRig, CostRigSpec

if TYPE_CHECKING:
    from pathlib import Path

    from google.cloud.bigquery import Client

_PROJECT = "local"
_BATCH = 500
_ELSEWHERE = "tests/integration/cost_gcp"

_NO_FILES = "the export is a table: it has no files and no manifest, and a load is whole or not"
GAPS = {
    f"test_damage[{damage}]": _NO_FILES
    for damage in ("truncated_file", "missing_file", "unreadable_manifest", "row_count")
}


class GcpRig(CostRig):
    cloud = bill_cloud = "gcp"
    style: ClassVar[CorrectionStyle] = CorrectionStyle.APPEND
    formats: ClassVar[tuple[FileFormat, ...]] = (FileFormat.PARQUET,)

    def __init__(self, hook: Any, dataset: str, table: str) -> None:
        from google.cloud.bigquery import SchemaField, Table, TimePartitioning

        self.hook = hook
        self.export = f"{_PROJECT}/{dataset}/{table}"
        self._dataset, self._table = dataset, table
        self._times: list[datetime] = []
        schema = [SchemaField.from_api_repr(field.as_json()) for field in FOCUS_SCHEMA]
        made = Table(f"{_PROJECT}.{dataset}.{table}", schema)
        made.time_partitioning = TimePartitioning(field="ChargePeriodStart")
        self._client.create_table(made)

    @property
    def _client(self) -> Client:
        hook: Any = self.hook
        client: Client = hook.get_client(project_id=_PROJECT)
        return client

    def publish(
        self,
        bill: Bill,
        *,
        files: FileOptions = FileOptions(),
        complete: bool = True,
        exported_at: datetime | None = None,
    ) -> Published:
        # A load that is under way shows nothing yet: BigQuery's loads are atomic.
        at = exported_at or datetime.now(UTC)
        times = [at] * (bill.version + 1)
        if complete:
            rows = focus_rows(bill, times, since=bill.version)
            for batch in _batches(rows):
                errors = self._client.insert_rows_json(
                    f"{_PROJECT}.{self._dataset}.{self._table}", batch
                )
                assert not errors
        totals = bill.totals()
        return Published(
            bucket=self._dataset,
            manifest="",
            data=(),
            rows=totals.total.rows,
            totals=totals,
            exported_at=at,
        )

    def sibling(self) -> CostRig:
        return GcpRig(self.hook, self._dataset, f"{self._table}_2")

    def missing_exports(self) -> Sequence[str]:
        return [
            f"{_PROJECT}/{self._dataset}/no_such_table",
            f"{_PROJECT}/no_such_dataset/{self._table}",
        ]

    @contextmanager
    def while_fetching(self, action: Callable[[], object]) -> Iterator[None]:
        from airflow_multicloud.clouds.gcp.cost import exports as _cost_export
        from airflow_multicloud.clouds.gcp.cost.rows import write_parquet

        write = write_parquet
        done: list[Path] = []

        def interrupted(batches: Iterable[Any], path: Path) -> int:
            def passing() -> Iterator[Any]:
                for batch in batches:
                    yield batch
                    if not done:
                        done.append(path)
                        action()

            return write(passing(), path)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_cost_export, "write_parquet", interrupted)
            yield
        if not done:
            pytest.fail("the fetch wrote no rows")


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _open(request: pytest.FixtureRequest) -> GcpRig:
    from airflow_multicloud import registry
    from airflow_multicloud.ports.cost import Cost

    hook: Any = registry.resolve(Cost, request.getfixturevalue("local_bigquery"))
    dataset = f"bills_{uuid.uuid4().hex[:16]}"
    hook.get_client(project_id=_PROJECT).create_dataset(dataset)
    return GcpRig(hook, dataset, "gcp_billing_export_focus_1")


def specs() -> tuple[CostRigSpec, ...]:
    from airflow_multicloud.clouds.gcp.cost import Hook

    return (
        CostRigSpec(
            name="bqemulator",
            cloud="gcp",
            hook=Hook,
            open=_open,
            gaps=GAPS,
            unanswered=dict.fromkeys((CostRecommendations, PriceLists), _ELSEWHERE),
        ),
    )

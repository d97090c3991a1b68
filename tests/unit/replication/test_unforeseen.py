"""What nobody foresaw costs the object that it came with; what ends the work ends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.one_object import guarded
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.object_store import ObjectMeta

pytestmark = pytest.mark.usefixtures("way")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB: Any = None


class PanicException(BaseException):
    """As pyo3 raises one: no ``Exception``."""


def _item() -> Item:
    return Item(name="a", size=1, etag="e", version=None, modified=NOW, replicas=(Replica(),))


@pytest.mark.parametrize("raised", [ValueError("odd"), AssertionError(), PanicException("x")])
def test_the_object_fails_and_the_run_goes_on(raised: BaseException) -> None:
    def copy(job: object, item: Item) -> Item:
        raise raised

    (replica,) = guarded(copy, JOB, _item()).replicas
    assert (replica.outcome, replica.kind) == (Outcome.FAILED, ErrorKind.INTEGRITY)
    assert type(raised).__name__ in (replica.reason or "")


@pytest.mark.parametrize(
    "raised", [KeyboardInterrupt(), SystemExit(), WorkCancelledError(), MemoryError()]
)
def test_what_ends_the_work_is_raised(raised: BaseException) -> None:
    def copy(job: object, item: Item) -> Item:
        raise raised

    with pytest.raises(type(raised)):
        guarded(copy, JOB, _item())


def test_a_key_outside_the_prefix_is_no_answer() -> None:
    class Store:
        def list_objects(self, bucket: str, prefix: str = "") -> list[ObjectMeta]:
            return [
                ObjectMeta(bucket=bucket, key=key, size=1, etag="e", last_modified=NOW)
                for key in ("src/a", "other/b")
            ]

    store: Any = Store()
    place = Endpoint("aws", store, parse_location("s3://bucket/src/", parameter="x"))
    with pytest.raises(StorageError, match="other/b") as caught:
        list(place.objects("src/"))
    assert caught.value.kind is ErrorKind.INTEGRITY

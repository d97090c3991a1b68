"""Making and naming buckets, and naming the store that has them."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import KnownIds, Work, comparable, working_for
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    BucketListing,
    ObjectRef,
    StoreName,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    fails,
    put,
    read,
)
from airflow_multicloud.testing.contracts.rigs import as_capable

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class BucketCreationContract:
    """The port's ``BucketCreation``."""

    needs: ClassVar[tuple[type, ...]] = (BucketCreation,)

    def test_creates_once(self, rig: StoreRig) -> None:
        """Creates it, then says that it was there, and keeps what is in it."""
        store = rig.capability(BucketCreation)
        bucket = f"created-{uuid.uuid4().hex[:20]}"
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.stat_bucket(bucket)
        assert store.ensure_bucket(bucket) is True
        assert rig.store.stat_bucket(bucket).name == bucket
        put(rig.store, ObjectRef(bucket, "key"), b"content")
        assert store.ensure_bucket(bucket) is False
        assert read(rig.store, ObjectRef(bucket, "key")) == b"content"

    @pytest.mark.parametrize(
        "dag_id",
        [
            pytest.param("nightly_cost", id="plain"),
            pytest.param("Team.Nightly Cost+", id="altered"),
            pytest.param(f"{'long_' * 50}dag", id="long"),
            pytest.param("Ночь" * 60, id="not_ascii"),
        ],
    )
    def test_says_what_for(self, rig: StoreRig, dag_id: str) -> None:
        """The bill tells the DAG and the task that it was made for, and who found it there."""
        store = rig.capability(BucketCreation)
        bucket = f"labelled-{uuid.uuid4().hex[:20]}"
        with working_for(Work(dag_id=dag_id, task_id="aws.ingest", run_id="manual__1")):
            assert store.ensure_bucket(bucket) is True
        with working_for(Work(dag_id="another", task_id="later")):
            assert store.ensure_bucket(bucket) is False
        if (labels := rig.bucket_labels(bucket)) is None:
            return
        assert set(labels) == {"airflow-dag", "airflow-task"}
        assert KnownIds([dag_id, "another"]).named(labels["airflow-dag"]) == dag_id
        assert comparable(labels["airflow-task"]) == comparable("aws.ingest")

    def test_for_nothing(self, rig: StoreRig) -> None:
        """Outside of Airflow there is nothing to say."""
        bucket = f"unlabelled-{uuid.uuid4().hex[:20]}"
        with working_for(Work()):
            assert rig.capability(BucketCreation).ensure_bucket(bucket) is True
        assert not rig.bucket_labels(bucket)


class BucketListingContract:
    """The port's ``BucketListing``."""

    needs: ClassVar[tuple[type, ...]] = (BucketListing,)

    def test_names_buckets(self, rig: StoreRig) -> None:
        """One that is there is named, one that is not isn't."""
        found = [*rig.capability(BucketListing).list_buckets()]
        assert rig.bucket in found
        assert len(found) == len({*found})
        assert f"absent-{uuid.uuid4().hex[:20]}" not in found


class StoreNameContract:
    """The port's ``StoreName``."""

    needs: ClassVar[tuple[type, ...]] = (StoreName,)

    def test_can_stand_in_ledgers(self, rig: StoreRig) -> None:
        """It is short, printable ASCII, and what stands around it can be told from it."""
        assert re.fullmatch(r"[!-~]{0,255}", rig.capability(StoreName).store_name)
        assert not {*"/@?#"} & {*rig.capability(StoreName).store_name}

    def test_stays(self, rig: StoreRig) -> None:
        """Another process calls it the same."""
        again = as_capable(rig.reopen(), StoreName)
        assert again.store_name == rig.capability(StoreName).store_name

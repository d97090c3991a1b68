"""What every object store must do."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    ObjectRef,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    content_of,
    fails,
    in_threads,
    keys_in,
    put,
    read,
)
from airflow_multicloud.testing.contracts.object_store.listing import ListingContract
from airflow_multicloud.testing.contracts.object_store.reading import ReadingContract
from airflow_multicloud.testing.contracts.object_store.writing import WritingContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


_MISSING = "no-such-bucket-0b2f6a1d"
_ON_MISSING_BUCKET: dict[str, Callable[[ObjectStore], object]] = {
    "list": lambda store: list(store.list_objects(_MISSING)),
    "stat": lambda store: store.stat_object(ObjectRef(_MISSING, "key")),
    "get": lambda store: read(store, ObjectRef(_MISSING, "key")),
    "put": lambda store: put(store, ObjectRef(_MISSING, "key"), b"content"),
    "delete": lambda store: store.delete_object(ObjectRef(_MISSING, "key")),
    "stat_bucket": lambda store: store.stat_bucket(_MISSING),
}


class ObjectStoreContract(ListingContract, WritingContract, ReadingContract):
    """The port's ``ObjectStore``."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("call", _ON_MISSING_BUCKET)
    def test_missing_bucket(self, rig: StoreRig, call: str) -> None:
        """Every call says ``not_found``."""
        with fails(rig, ErrorKind.NOT_FOUND):
            _ON_MISSING_BUCKET[call](rig.store)

    def test_missing_object(self, rig: StoreRig) -> None:
        """Stat, get and delete say ``not_found`` and name the object."""
        put(rig.store, rig.ref("absent-not"), b"content")
        ref = rig.ref("absent")
        for call in (
            lambda: rig.store.stat_object(ref),
            lambda: read(rig.store, ref),
            lambda: rig.store.delete_object(ref),
        ):
            with fails(rig, ErrorKind.NOT_FOUND) as caught:
                call()
            assert "absent" in str(caught.value)

    def test_stat_bucket(self, rig: StoreRig) -> None:
        """The bucket under its name."""
        assert rig.store.stat_bucket(rig.bucket).name == rig.bucket

    def test_threads_share_an_instance(self, rig: StoreRig) -> None:
        """16 threads write and read 64 objects of their own through one hook."""

        def one(number: int) -> bool:
            content = content_of(10_000 + number, "threads")
            put(rig.store, rig.ref(f"key-{number}"), content)
            return read(rig.store, rig.ref(f"key-{number}")) == content

        assert all(in_threads(one, range(64)))
        assert len(keys_in(rig.store, rig.bucket)) == 64

"""Reads that the service itself vouches for, chunk by chunk."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import CheckedReads, PartUploads
from airflow_multicloud.testing.contracts.object_store.checks import fails, put

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class CheckedReadsContract:
    """The port's ``CheckedReads``."""

    needs: ClassVar[tuple[type, ...]] = (CheckedReads,)

    @pytest.mark.parametrize("size", [0, 1, (4 << 20) + 1])
    def test_whole_object(self, rig: StoreRig, size: int) -> None:
        """All bytes, in order, however many requests it takes."""
        store = rig.store
        limit = store.part_limits.put_limit if isinstance(store, PartUploads) else size
        content = os.urandom(min(size, limit))
        put(rig.store, rig.ref("key"), content)
        chunks = rig.capability(CheckedReads).get_checked(rig.ref("key"))
        assert b"".join(bytes(chunk) for chunk in chunks) == content

    def test_another_object(self, rig: StoreRig) -> None:
        """An object replaced meanwhile is not read."""
        old = put(rig.store, rig.ref("key"), b"old")
        put(rig.store, rig.ref("key"), b"new")
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            list(rig.capability(CheckedReads).get_checked(rig.ref("key"), if_etag=old.etag))

    def test_no_object(self, rig: StoreRig) -> None:
        """What is not there is not found."""
        with fails(rig, ErrorKind.NOT_FOUND):
            list(rig.capability(CheckedReads).get_checked(rig.ref("absent")))

"""Rigs whose export is files in an object store; one for a cloud fits on a screen.

In ``tests/contract/cost_rigs/<cloud>.py``::

    class Rig(StoredExportRig):
        cloud = bill_cloud = "azure"

        def exporter(self, files, name):
            return AzureExport(store=self.store, container=self.bucket, name=name, files=files)

        def hook_store(self):
            return self.hook.exports_store

    SPEC = CostRigSpec(
        name="azurite", cloud="azure", hook=Hook, open=stored(Rig, "wasb_local", "local_clouds")
    )
"""

from __future__ import annotations

import time
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import pytest

from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.ports.object_store import BucketCreation, ObjectRef, ObjectStore
from airflow_multicloud.testing.bills import Bill, FileOptions, Published
from airflow_multicloud.testing.contracts.cost.rigs import CostRig, Damage
from airflow_multicloud.testing.contracts.rigs import as_capable, connected


class Exporter(Protocol):
    """A writer of ``airflow_multicloud.testing.bills``."""

    @property
    def location(self) -> str:
        """What the hook is asked for."""
        ...

    def publish(
        self, bill: Bill, *, exported_at: datetime | None = ..., with_manifest: bool = ...
    ) -> Published:
        """Deliver a version."""
        ...


class StoredExportRig(CostRig):
    """A rig whose export is files and a manifest in an object store.

    :param store: what the bills are written with.
    :param bucket: an empty bucket.
    """

    #: How far apart two deliveries have to be for the store's times to tell them apart.
    tick: ClassVar[timedelta] = timedelta(0)

    def __init__(self, hook: Cost, store: ObjectStore, bucket: str, *, name: str = "focus") -> None:
        self.hook = hook
        self.store = store
        self.bucket = bucket
        self.name = name
        self.export = self.exporter(FileOptions(), name).location

    @abstractmethod
    def exporter(self, files: FileOptions, name: str) -> Exporter:
        """The writer of the export of this name."""

    @abstractmethod
    def hook_store(self) -> Any:
        """The object store that the hook reads its exports through."""

    def publish(
        self,
        bill: Bill,
        *,
        files: FileOptions = FileOptions(),
        complete: bool = True,
        exported_at: datetime | None = None,
    ) -> Published:
        """Through the cloud's writer."""
        time.sleep(self.tick.total_seconds())
        exporter = self.exporter(files, self.name)
        return exporter.publish(bill, exported_at=exported_at, with_manifest=complete)

    def sibling(self) -> CostRig:
        """An export called ``<name>-2``."""
        return type(self)(self.hook, self.store, self.bucket, name=f"{self.name}-2")

    def missing_exports(self) -> Sequence[str]:
        """In a bucket that is not there."""
        return [self.export.replace(self.bucket, "no-such-bucket-0b2f6a1d", 1)]

    def damage(self, published: Published, damage: Damage) -> None:
        """Spoil a file or the manifest; the manifest is always written last."""
        manifest = ObjectRef(self.bucket, published.manifest)
        text = bytes(self.store.get_object(manifest).read())
        first = ObjectRef(self.bucket, published.data[0])
        if damage is Damage.MISSING_FILE:
            self.store.delete_object(first)
        elif damage is Damage.TRUNCATED_FILE:
            content = bytes(self.store.get_object(first).read())
            self.store.put_object(first, content[: len(content) // 2])
        elif damage is Damage.UNREADABLE_MANIFEST:
            text = text[: len(text) // 2]
        else:
            text = self.miscounted(text)
        self.store.put_object(manifest, text)

    def miscounted(self, manifest: bytes) -> bytes:
        """The manifest with a row too many; fails where manifests state no rows."""
        pytest.fail(f"no row counts in this manifest: {manifest!r}")

    @contextmanager
    def while_fetching(self, action: Callable[[], object]) -> Iterator[None]:
        """After the hook's store has opened the first data file."""
        store = self.hook_store()
        get_object = store.get_object
        done: list[ObjectRef] = []

        def interrupted(ref: ObjectRef, **options: Any) -> Any:
            body = get_object(ref, **options)
            if not done and not ref.key.endswith(".json"):
                done.append(ref)
                action()
            return body

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "get_object", interrupted)
            yield
        if not done:
            pytest.fail("the fetch read no data file through the hook's object store")


def stored(
    rig: type[StoredExportRig], conn_id: str, *fixtures: str
) -> Callable[[pytest.FixtureRequest], CostRig]:
    """How such a rig is opened: one connection for the bills and the hook, and a new bucket.

    :param rig: the class.
    :param conn_id: the connection.
    :param fixtures: what has to be there first.
    """

    def opened(request: pytest.FixtureRequest) -> CostRig:
        store = connected(ObjectStore, conn_id, *fixtures)(request)
        bucket = f"bills-{uuid.uuid4().hex[:16]}"
        as_capable(store, BucketCreation).ensure_bucket(bucket)
        return rig(connected(Cost, conn_id)(request), store, bucket)

    return opened

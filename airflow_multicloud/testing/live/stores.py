"""Live rigs of the object store contract: scratch buckets, removed after each test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    ObjectRef,
    ObjectStore,
    ObjectVersions,
    PartUploads,
)
from airflow_multicloud.testing.contracts.object_store.rigs import OPTIONAL_CAPABILITIES, RigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.live import PREFIX, guard_of
from airflow_multicloud.testing.live.guard import Guard
from airflow_multicloud.testing.live.options import live_of

_RIGS = pytest.StashKey[tuple[RigSpec, ...]]()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStore:
    """What the suite has to know of a real store.

    :param rig: its name, hook and gaps, as for any rig; how it is opened is not looked at.
    :param remove_bucket: removes a bucket with all that is in it, earlier versions too.
    """

    rig: RigSpec
    remove_bucket: Callable[[ObjectStore, str], None]


def live_store_rigs(config: pytest.Config, stores: Mapping[str, LiveStore]) -> tuple[RigSpec, ...]:
    """The rigs that ``--live`` asks for.

    :param config: pytest's.
    :param stores: cloud → its store.
    :raises UsageError: for a cloud that is not among the stores.
    """
    live = live_of(config)
    if live is None:
        return ()
    if _RIGS in config.stash:  # The same ones again: each remembers the buckets that it made.
        return config.stash[_RIGS]
    found = []
    for cloud, conn_id in live.connections("object_store").items():
        if cloud not in stores:
            raise pytest.UsageError(f"--live: {cloud!r} given, expected one of {', '.join(stores)}")
        bucket = live.buckets.get(cloud)
        scratch = _Scratch(stores[cloud], conn_id, guard_of(config), bucket)
        found.append(scratch.rig())
    config.stash[_RIGS] = tuple(found)
    return config.stash[_RIGS]


class _Scratch:
    """Remembers the buckets that a test makes, and removes them."""

    def __init__(self, store: LiveStore, conn_id: str, guard: Guard, bucket: str | None) -> None:
        self._store = store
        self._conn_id = conn_id
        self._guard = guard
        self._bucket = bucket
        self._made: set[str] = set()
        self._looked_at = False

    def rig(self) -> RigSpec:
        rig = self._store.rig
        given = self._bucket is not None
        return replace(
            rig,
            name=f"{PREFIX}{rig.cloud}",
            open=self._open,
            make_versioned_bucket=self._make_versioned,
            bucket=self._bucket,
            # In a bucket that was given nothing is known of versions, and none can be made.
            without=(BucketCreation, ObjectVersions) if given else (),
            finish=self._empty_given if given else self._remove_made,
        )

    def _open(self, request: pytest.FixtureRequest) -> ObjectStore:
        store = connected(ObjectStore, self._conn_id)(request)
        self._guard.metered(store, (ObjectStore, *OPTIONAL_CAPABILITIES))
        if isinstance(store, BucketCreation):
            make = store.ensure_bucket

            def recorded(bucket: str, *, location: str | None = None) -> bool:
                self._made.add(bucket)
                return make(bucket, location=location)

            store.ensure_bucket = recorded  # type: ignore[method-assign]
        if self._bucket is not None and not self._looked_at:
            _check_empty(store, self._bucket)
            self._looked_at = True
        return store

    def _make_versioned(self, store: ObjectStore, bucket: str) -> None:
        self._made.add(bucket)
        self._store.rig.make_versioned_bucket(store, bucket)

    def _remove_made(self, store: ObjectStore) -> None:
        """Whatever was used up: what is left costs more."""
        with self._guard.unlimited():
            for bucket in sorted(self._made):
                if _is_there(store, bucket):
                    _abort_uploads(store, bucket)
                    self._store.remove_bucket(store, bucket)
                self._made.discard(bucket)

    def _empty_given(self, store: ObjectStore) -> None:
        if self._bucket is None:
            raise TypeError("no bucket was given")
        with self._guard.unlimited():
            _abort_uploads(store, self._bucket)
            for meta in store.list_objects(self._bucket):
                store.delete_object(ObjectRef(self._bucket, meta.key))


def _check_empty(store: ObjectStore, bucket: str) -> None:
    if next(iter(store.list_objects(bucket)), None) is not None:
        _refuse(bucket, "objects, and the suite would delete them")
    if isinstance(store, PartUploads) and next(store.list_uploads(bucket), None) is not None:
        _refuse(bucket, "unfinished uploads, and the suite would abort them")
    if isinstance(store, ObjectVersions) and next(store.list_versions(bucket), None) is not None:
        _refuse(bucket, "earlier versions of objects, which the suite can't tell from its own")


def _refuse(bucket: str, has: str) -> None:
    pytest.exit(
        f"--live-bucket: {bucket} has {has}; name an empty bucket",
        returncode=pytest.ExitCode.USAGE_ERROR,
    )


def _is_there(store: ObjectStore, bucket: str) -> bool:
    try:
        store.stat_bucket(bucket)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return False
    return True


def _abort_uploads(store: ObjectStore, bucket: str) -> None:
    if isinstance(store, PartUploads):
        for upload in list(store.list_uploads(bucket)):
            store.abort_upload(upload)

"""An upload is unchanged by what no writer of the object could have made up."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.adapters.digests import SHA256_METADATA, crc32c_of
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.upload import plan_upload, upload
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.adapters.collisions import with_crc32c_of

from .lab import at, get

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

GOOD, EVIL = b"#!/bin/sh\necho fine\n", b"#!/bin/sh\nrm -rf / \n"
CLOUDS = ["s3", "gcs", "azure", "memory"]


@pytest.fixture(params=CLOUDS)
def place(request: pytest.FixtureRequest, memory_account: Callable[[str, str], str]) -> str:
    """A prefix of each cloud."""
    if request.param == "memory":
        return f"mem://{memory_account('uploads', 'lake')}@lake/rel/"
    return str(getattr(request.getfixturevalue("lab"), request.param))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "app.sh"
    made.write_bytes(GOOD)
    return made


def claim(uri: str, content: bytes) -> None:
    """Another writer's object that says it is the good file."""
    end = at(uri)
    claimed = {SHA256_METADATA: hashlib.sha256(GOOD).hexdigest()}
    options = WriteOptions(attributes=ObjectAttributes(metadata=claimed))
    end.store.put_object(end.location.ref, content, options)


def test_metadata_is_no_proof(place: str, file: Path) -> None:
    claim(f"{place}app.sh", EVIL)
    for call in (api.plan_upload, api.upload_artifact):
        with pytest.raises(CloudError, match="has another content, and immutable is set") as caught:
            call(file, place, immutable=True)
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    assert get(f"{place}app.sh") == EVIL
    assert api.plan_upload(file, place).action == "replace"
    done = api.upload_artifact(file, place).uploaded
    assert (done.unchanged, done.sha256) == (False, hashlib.sha256(GOOD).hexdigest())
    assert get(f"{place}app.sh") == GOOD


@pytest.mark.parametrize("immutable", [False, True])
def test_the_same_content_is_sent_once(place: str, file: Path, immutable: bool) -> None:
    first = api.upload_artifact(file, place, immutable=immutable).uploaded
    assert api.plan_upload(file, place, immutable=immutable).action == "unchanged"
    again = api.upload_artifact(file, place, immutable=immutable).uploaded
    assert (first.unchanged, again.unchanged) == (False, True)
    assert (again.etag, again.sha256) == (first.etag, hashlib.sha256(GOOD).hexdigest())


def test_the_same_content_of_another_writer_is_found(place: str, file: Path) -> None:
    end = at(f"{place}app.sh")
    end.store.put_object(end.location.ref, GOOD)
    assert api.upload_artifact(file, place, immutable=True).uploaded.unchanged


@pytest.mark.parametrize("immutable", [False, True])
def test_a_large_file_is_sent_once(place: str, tmp_path: Path, immutable: bool) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(9 << 20))
    assert not api.upload_artifact(large, place, immutable=immutable).uploaded.unchanged
    assert api.upload_artifact(large, place, immutable=immutable).uploaded.unchanged
    large.write_bytes(os.urandom(9 << 20))
    if immutable:
        with pytest.raises(CloudError, match="another content"):
            api.upload_artifact(large, place, immutable=True)
    else:
        assert not api.upload_artifact(large, place).uploaded.unchanged


class Telling(object_store.Hook):
    """A store that reports the digests it is told to, and counts what is read."""

    unreadable: StorageError | None = None
    reads = 0

    def __init__(self) -> None:
        super().__init__("telling")
        self.digests: Callable[[bytes], Digests] = lambda _: Digests()

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        meta = super().stat_object(ref)
        content = bytes(super().get_object(ref).read())
        fields = {name: getattr(meta, name) for name in meta.__dataclass_fields__}
        return ObjectMeta(**{**fields, "digests": self.digests(content)})

    def get_object(self, ref: ObjectRef, **given: Any) -> ObjectBody:
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable
        return super().get_object(ref, **given)


@pytest.fixture
def telling() -> Endpoint:
    object_store.reset("telling")
    store = Telling()
    store.ensure_bucket("lake")
    return Endpoint("memory", store, Location("mem", "telling", "lake", "app.sh"))


def test_a_crc32c_alone_is_no_proof(telling: Endpoint, file: Path) -> None:
    forged = with_crc32c_of(GOOD, EVIL)
    assert crc32c_of(forged) == crc32c_of(GOOD)
    assert zlib.crc32(forged) != zlib.crc32(GOOD)
    store = telling.store
    assert isinstance(store, Telling)
    store.digests = lambda content: Digests(crc32c=crc32c_of(content))
    store.put_object(telling.location.ref, forged)
    with pytest.raises(StorageError, match="another content"):
        upload(file, telling, immutable=True)
    store.put_object(telling.location.ref, GOOD)
    assert upload(file, telling, immutable=True).unchanged


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_a_digest_of_the_store_saves_reading(telling: Endpoint, file: Path, name: str) -> None:
    def digests(content: bytes) -> Digests:
        return Digests(**{name: hashlib.new(name, content).hexdigest()})

    store = telling.store
    assert isinstance(store, Telling)
    store.digests = digests
    upload(file, telling)
    assert upload(file, telling).unchanged
    assert store.reads == 0


def test_what_can_not_be_read_is_not_believed(telling: Endpoint, file: Path) -> None:
    store = telling.store
    assert isinstance(store, Telling)
    store.put_object(telling.location.ref, EVIL)
    store.unreadable = StorageError("it is archived", kind=ErrorKind.UNSUPPORTED)
    for call in (upload, plan_upload):
        with pytest.raises(StorageError, match=r"can't be compared \(it is archived\)") as caught:
            call(file, telling, immutable=True)
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    assert not upload(file, telling).unchanged
    store.unreadable = StorageError("later", kind=ErrorKind.UNAVAILABLE)
    with pytest.raises(StorageError, match="later"):
        upload(file, telling)


def bad_paths() -> dict[str, Callable[[Path], Path]]:
    return {
        "missing": lambda tmp: tmp / "missing",
        "a directory": lambda tmp: tmp,
        "too long": lambda tmp: tmp / ("x" * 5000),
        "below a file": lambda tmp: tmp / "app.sh" / "x",
        "a null byte": lambda tmp: tmp / "a\0b",
        "a memory of another process": lambda _: Path("/proc/self/mem"),
        "a name that is no text": lambda tmp: _named(tmp, "half \udc80"),
    }


def _named(directory: Path, name: str) -> Path:
    made = directory / name
    made.write_bytes(GOOD)
    return made


@pytest.mark.parametrize("bad", bad_paths().values(), ids=bad_paths().keys())
def test_whatever_is_no_file_is_one_error(
    place: str, file: Path, tmp_path: Path, bad: Callable[[Path], Path]
) -> None:
    path = bad(tmp_path)
    for call in (api.plan_upload, api.upload_artifact):
        with pytest.raises(CloudError) as caught:
            call(path, place)
        assert str(caught.value).isprintable()


def test_a_name_with_a_control_character_is_taken_or_one_error(place: str, tmp_path: Path) -> None:
    path = _named(tmp_path, "a\x1b[2J\nb")
    for call in (api.plan_upload, api.upload_artifact):
        try:
            call(path, place)
        except CloudError as err:
            assert str(err).isprintable()  # noqa: PT017

"""The smaller optional capabilities of object stores."""
# ruff: noqa: S101, PLR2004, S310 - a test suite asserts, compares with literal numbers, and
# opens the URLs that the store under test signed

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import KnownIds, Work, comparable, working_for
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    BucketListing,
    ConditionalWrites,
    IfAbsent,
    MetadataRules,
    ObjectAttributes,
    ObjectRef,
    ObjectTags,
    ObjectVersions,
    ServerSideCopy,
    SignedUrls,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    contradictions,
    fails,
    keys_in,
    only,
    put,
    read,
)
from airflow_multicloud.testing.contracts.object_store.objects import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

_SIGNATURE = re.compile(r"(?<=signature=)[^&]{8}|(?<=sig=)[^&]{8}", re.IGNORECASE)


def _request(
    url: str,
    *,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    # Else urllib calls every body a form, and some servers then take it apart.
    sent = {"content-type": "application/octet-stream", **(headers or {})} if data else {}
    request = urllib.request.Request(url, data=data, method=method, headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


class ObjectVersionsContract:
    """The port's ``ObjectVersions``."""

    needs: ClassVar[tuple[type, ...]] = (ObjectVersions,)

    def test_lists_versions(self, rig: StoreRig) -> None:
        """Each write is a version; by it, the old content can be read."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        written = [put(rig.store, ref, content) for content in (b"one", b"two!")]
        versions = list(rig.capability(ObjectVersions).list_versions(bucket))
        assert len(versions) == 2
        assert {v.version for v in versions} == {w.version for w in written}
        contents = {
            read(rig.store, ObjectRef(bucket, "key", version.version)) for version in versions
        }
        assert contents == {b"one", b"two!"}
        for version in versions:
            stat = rig.store.stat_object(ObjectRef(bucket, "key", version.version))
            assert (stat.size, stat.etag, stat.version) == (
                version.size,
                version.etag,
                version.version,
            )

    def test_by_prefix(self, rig: StoreRig) -> None:
        """Only keys that start with it."""
        bucket = rig.versioned_bucket()
        for key in ("a", "ab", "b"):
            put(rig.store, ObjectRef(bucket, key), b"content")
        versions = rig.capability(ObjectVersions).list_versions(bucket, "a")
        assert sorted(version.key for version in versions) == ["a", "ab"]

    def test_delete_keeps_versions(self, rig: StoreRig) -> None:
        """A deleted object is gone from listings; its version can still be read."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        written = put(rig.store, ref, b"content")
        rig.store.delete_object(ref)
        assert keys_in(rig.store, bucket) == []
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.stat_object(ref)
        version = only(rig.capability(ObjectVersions).list_versions(bucket))
        assert version.version == written.version
        assert read(rig.store, ObjectRef(bucket, "key", version.version)) == b"content"

    def test_delete_one_version(self, rig: StoreRig) -> None:
        """The others stay."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        old, new = put(rig.store, ref, b"old"), put(rig.store, ref, b"new")
        rig.store.delete_object(ObjectRef(bucket, "key", old.version))
        version = only(rig.capability(ObjectVersions).list_versions(bucket))
        assert version.version == new.version
        assert read(rig.store, ref) == b"new"
        with fails(rig, ErrorKind.NOT_FOUND):
            read(rig.store, ObjectRef(bucket, "key", old.version))


class ObjectTagsContract:
    """The port's ``ObjectTags``."""

    needs: ClassVar[tuple[type, ...]] = (ObjectTags,)

    def test_tags(self, rig: StoreRig) -> None:
        """Set, replaced, and taken away; the content stays."""
        store = rig.capability(ObjectTags)
        put(rig.store, rig.ref("key"), b"content")
        assert dict(store.get_tags(rig.ref("key"))) == {}
        for tags in ({"team": "Search", "cost centre": "a+b=c/d"}, {"other": "1"}, {}):
            store.set_tags(rig.ref("key"), tags)
            assert dict(store.get_tags(rig.ref("key"))) == tags
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_missing_object(self, rig: StoreRig) -> None:
        """Neither has tags nor takes them."""
        store = rig.capability(ObjectTags)
        with fails(rig, ErrorKind.NOT_FOUND):
            store.get_tags(rig.ref("absent"))
        with fails(rig, ErrorKind.NOT_FOUND):
            store.set_tags(rig.ref("absent"), {"a": "b"})


class ServerSideCopyContract:
    """The port's ``ServerSideCopy``."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy,)

    @pytest.mark.parametrize("key", ["copy", "dir/c opy+é%41?#"], ids=["plain", "awkward"])
    def test_copy(self, rig: StoreRig, key: str) -> None:
        """Content and attributes are the source's, which stays."""
        source = rig.ref("so urce+é%41?#")
        put(rig.store, source, b"content", WriteOptions(attributes=ATTRIBUTES))
        meta = rig.capability(ServerSideCopy).copy_within(source, rig.ref(key))
        stat = rig.store.stat_object(rig.ref(key))
        assert (meta.key, meta.size, meta.etag) == (key, 7, stat.etag)
        assert stat.attributes == rig.store.stat_object(source).attributes
        assert not contradictions(meta.digests, b"content")
        assert read(rig.store, rig.ref(key)) == read(rig.store, source) == b"content"

    def test_ignores_given_attributes(self, rig: StoreRig) -> None:
        """``options.attributes`` is not looked at."""
        put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=ATTRIBUTES))
        other = WriteOptions(attributes=ObjectAttributes(content_type="text/other"))
        rig.capability(ServerSideCopy).copy_within(rig.ref("key"), rig.ref("copy"), other)
        attributes = rig.store.stat_object(rig.ref("copy")).attributes
        assert attributes is not None
        assert attributes.content_type == ATTRIBUTES.content_type

    def test_missing_source(self, rig: StoreRig) -> None:
        """Nothing is written."""
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.capability(ServerSideCopy).copy_within(rig.ref("absent"), rig.ref("copy"))
        assert keys_in(rig.store, rig.bucket) == []


class CopyVersionContract:
    """Copying an earlier version."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy, ObjectVersions)

    def test_copies_that_version(self, rig: StoreRig) -> None:
        """Not the newest one."""
        bucket = rig.versioned_bucket()
        old = put(rig.store, ObjectRef(bucket, "key"), b"old")
        put(rig.store, ObjectRef(bucket, "key"), b"new")
        source = ObjectRef(bucket, "key", old.version)
        rig.capability(ServerSideCopy).copy_within(source, ObjectRef(bucket, "copy"))
        assert read(rig.store, ObjectRef(bucket, "copy")) == b"old"


class ConditionalCopyContract:
    """Copying only when a condition holds."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy, ConditionalWrites)

    def test_copy_if_absent(self, rig: StoreRig) -> None:
        """Copies to a free key; else ``already_exists``, and the old object stays."""
        store = rig.capability(ServerSideCopy)
        options = WriteOptions(condition=IfAbsent())
        put(rig.store, rig.ref("key"), b"content")
        store.copy_within(rig.ref("key"), rig.ref("copy"), options)
        assert read(rig.store, rig.ref("copy")) == b"content"
        put(rig.store, rig.ref("taken"), b"old")
        with fails(rig, ErrorKind.ALREADY_EXISTS):
            store.copy_within(rig.ref("key"), rig.ref("taken"), options)
        assert read(rig.store, rig.ref("taken")) == b"old"


class SignedUrlsContract:
    """The port's ``SignedUrls``; requests are made without credentials."""

    needs: ClassVar[tuple[type, ...]] = (SignedUrls,)

    @pytest.mark.parametrize("key", ["key", "dir/a b+é%41?#"], ids=["plain", "awkward"])
    def test_get(self, rig: StoreRig, key: str) -> None:
        """Whoever has the URL can read the object."""
        put(rig.store, rig.ref(key), b"content")
        hour = timedelta(hours=1)
        signed = rig.signer().sign_url(rig.ref(key), method="GET", expires_in=hour)
        assert _request(signed.reveal()) == (200, b"content")
        assert signed.expires_at.utcoffset() == timedelta(0)
        assert abs(signed.expires_at - datetime.now(UTC) - hour) < timedelta(minutes=1)

    def test_put(self, rig: StoreRig) -> None:
        """Whoever has the URL can write the object."""
        signed = rig.signer().sign_url(rig.ref("key"), method="PUT", expires_in=timedelta(hours=1))
        status, _ = _request(
            signed.reveal(), method="PUT", data=b"content", headers=rig.signed_put_headers
        )
        assert status in (200, 201)
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_is_secret(self, rig: StoreRig) -> None:
        """Its texts show neither the URL nor the signature."""
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        signature = _SIGNATURE.search(signed.reveal())
        assert signature is not None
        for text in (str(signed), repr(signed), f"{signed}"):
            assert signature[0] not in text
            assert "://" not in text

    def test_tampered(self, rig: StoreRig) -> None:
        """Another signature is refused."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        status, content = _request(_SIGNATURE.sub("00000000", signed.reveal()))
        assert (status, content) == (403, b"")

    def test_other_method(self, rig: StoreRig) -> None:
        """A URL for reading does not allow writing."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(rig.ref("key"), method="GET", expires_in=timedelta(hours=1))
        status, _ = _request(
            signed.reveal(), method="PUT", data=b"other", headers=rig.signed_put_headers
        )
        assert status == 403
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_expires(self, rig: StoreRig) -> None:
        """Not long after the time stated, it is worth nothing."""
        put(rig.store, rig.ref("key"), b"content")
        signed = rig.signer().sign_url(
            rig.ref("key"), method="GET", expires_in=timedelta(seconds=1)
        )
        time.sleep(2.5)
        assert _request(signed.reveal())[0] in (400, 403)

    @pytest.mark.parametrize(
        ("method", "seconds"),
        [pytest.param("TRACE", 60, id="method"), pytest.param("GET", 0, id="expires_in")],
    )
    def test_refuses(self, rig: StoreRig, method: str, seconds: int) -> None:
        """Methods but GET and PUT, and durations that are none."""
        with fails(rig, ErrorKind.INVALID_ARGUMENT):
            rig.signer().sign_url(
                rig.ref("key"), method=method, expires_in=timedelta(seconds=seconds)
            )


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


class MetadataRulesContract:
    """The port's ``MetadataRules``: each name travels unharmed or is refused."""

    needs: ClassVar[tuple[type, ...]] = (MetadataRules,)

    def test_plain_name(self, rig: StoreRig) -> None:
        """Letters are fine everywhere."""
        assert rig.capability(MetadataRules).why_not_metadata_name("team") is None

    def test_empty_name(self, rig: StoreRig) -> None:
        """No store takes it."""
        assert rig.capability(MetadataRules).why_not_metadata_name("")

    @pytest.mark.parametrize(
        "name", ["a-b", "a_b", "1a", "a.b", "a b", "a:b", "é", "class", "x-amz-meta-a"]
    )
    def test_travels_or_is_refused(self, rig: StoreRig, name: str) -> None:
        """The very name comes back."""
        if rig.capability(MetadataRules).why_not_metadata_name(name) is not None:
            return
        options = WriteOptions(attributes=ObjectAttributes(metadata={name: "value"}))
        put(rig.store, rig.ref("key"), b"content", options)
        attributes = rig.store.stat_object(rig.ref("key")).attributes
        assert attributes is not None
        assert dict(attributes.metadata) == {name: "value"}

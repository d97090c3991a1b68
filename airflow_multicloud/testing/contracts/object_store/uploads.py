"""Uploads under way: listed, aborted, taken up again."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Part,
    PartUpload,
    PartUploads,
    UploadResumption,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    digests_of,
    fails,
    keys_in,
    only,
    part_contents,
    put,
    read,
    send_part,
)
from airflow_multicloud.testing.contracts.rigs import as_capable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


PLAIN = WriteOptions()
#: As long as the token of a run may be.
RUN = "aZ09-_aZ09-_aZ09-_aZ09-_aZ09"


class UploadsContract:
    """The uploads of :class:`~.parts.PartUploadsContract`."""

    def test_abort(self, rig: StoreRig) -> None:
        """The upload and its parts are gone; doing it again is no error."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        part = send_part(store, upload, 1, b"content")
        store.abort_upload(upload)
        assert list(store.list_uploads(rig.bucket)) == []
        kind: ErrorKind | None = None
        held: Sequence[Part] = ()
        try:
            held = store.list_parts(upload)
        except StorageError as error:
            kind = error.kind
        assert kind in (None, ErrorKind.NOT_FOUND)
        assert list(held) == []
        with fails(rig):
            store.complete_upload(upload, [part])
        assert keys_in(rig.store, rig.bucket) == []
        store.abort_upload(upload)

    def test_abort_after_completion(self, rig: StoreRig) -> None:
        """Too late to matter: the object stays."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        store.complete_upload(upload, [send_part(store, upload, 1, b"content")])
        store.abort_upload(upload)
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_abort_keeps_the_old_object(self, rig: StoreRig) -> None:
        """Whatever was sent meanwhile."""
        store = rig.capability(PartUploads)
        put(rig.store, rig.ref("key"), b"old")
        upload = store.begin_upload(rig.ref("key"))
        send_part(store, upload, 1, b"new")
        store.abort_upload(upload)
        assert read(rig.store, rig.ref("key")) == b"old"

    def test_lists_uploads(self, rig: StoreRig) -> None:
        """Those under way, by prefix."""
        store = rig.capability(PartUploads)
        assert list(store.list_uploads(rig.bucket)) == []
        for key in ("a", "ab", "b"):
            send_part(store, store.begin_upload(rig.ref(key)), 1, b"content")
        assert sorted(u.ref.key for u in store.list_uploads(rig.bucket)) == ["a", "ab", "b"]
        assert sorted(u.ref.key for u in store.list_uploads(rig.bucket, "a")) == ["a", "ab"]

    def test_two_uploads_of_one_key(self, rig: StoreRig) -> None:
        """They do not mix: what is completed last stays."""
        store = rig.capability(PartUploads)
        first, second = (store.begin_upload(rig.ref("key")) for _ in range(2))
        assert first.upload_id != second.upload_id
        of_first, of_second = (
            send_part(store, first, 1, b"first"),
            send_part(store, second, 1, b"second"),
        )
        store.complete_upload(second, [of_second])
        assert read(rig.store, rig.ref("key")) == b"second"
        store.complete_upload(first, [of_first])
        assert read(rig.store, rig.ref("key")) == b"first"

    def test_survives_the_process(self, rig: StoreRig) -> None:
        """Another hook goes on from the upload's id alone."""
        contents = part_contents(rig, 2)
        before = rig.capability(PartUploads)
        begun = before.begin_upload(rig.ref("key"))
        send_part(before, begun, 1, contents[0])
        after = as_capable(rig.reopen(), PartUploads)
        found = only(after.list_uploads(rig.bucket, "key"))
        assert (found.ref, found.upload_id) == (begun.ref, begun.upload_id)
        upload = PartUpload(begun.ref, begun.upload_id)
        send_part(after, upload, 2, contents[1])
        after.complete_upload(upload, after.list_parts(upload))
        assert read(rig.store, rig.ref("key")) == b"".join(contents)

    def test_tells_the_run_that_began_it(self, rig: StoreRig) -> None:
        """Whatever process lists it; an upload that was given no run has none."""
        store = rig.capability(PartUploads)
        for key, run in (("a", RUN), ("b", None), ("c", "short")):
            begun = store.begin_upload(rig.ref(key), run=run)
            assert begun.run == run
            send_part(store, begun, 1, b"content")
        after = as_capable(rig.reopen(), PartUploads)
        found = {upload.ref.key: upload.run for upload in after.list_uploads(rig.bucket)}
        assert found == {"a": RUN, "b": None, "c": "short"}
        upload = only(after.list_uploads(rig.bucket, "a"))
        after.complete_upload(upload, after.list_parts(upload))
        assert read(rig.store, rig.ref("a")) == b"content"


class UploadResumptionContract:
    """The port's ``UploadResumption``: only what was begun alike is taken up again."""

    needs: ClassVar[tuple[type, ...]] = (PartUploads, UploadResumption)

    def test_none(self, rig: StoreRig) -> None:
        """Nothing was begun, or it is over."""
        store, ref = rig.capability(PartUploads), rig.ref("key")
        assert self._left(rig, WriteOptions()) == []
        upload = store.begin_upload(ref)
        part = store.put_part(upload, 1, b"content", digests=digests_of(b"content"))
        store.complete_upload(upload, [part])
        assert self._left(rig, WriteOptions()) == []

    def test_begun_alike(self, rig: StoreRig) -> None:
        """The same options fit, whatever the condition; the upload is the one that was begun."""
        options = WriteOptions(attributes=ATTRIBUTES)
        upload = self._begin(rig, options)
        self._begin(rig, options, key="key2")
        (left,) = rig.capability(UploadResumption).left_uploads(rig.ref("key"), options)
        assert left.fits
        assert (left.upload.ref, left.upload.upload_id) == (upload.ref, upload.upload_id)
        store = rig.capability(PartUploads)
        store.complete_upload(left.upload, store.list_parts(left.upload), options)
        stat = rig.store.stat_object(rig.ref("key"))
        assert stat.attributes is not None
        assert stat.attributes.content_type == ATTRIBUTES.content_type
        assert self._left(rig, options) == []

    def test_begun_otherwise(self, rig: StoreRig) -> None:
        """Whatever fits makes just the object that was asked for."""
        self._begin(rig, WriteOptions(attributes=replace(ATTRIBUTES, content_type="text/old")))
        options = WriteOptions(attributes=ATTRIBUTES)
        store = rig.capability(PartUploads)
        (left,) = rig.capability(UploadResumption).left_uploads(rig.ref("key"), options)
        if left.fits:
            store.complete_upload(left.upload, store.list_parts(left.upload), options)
            stat = rig.store.stat_object(rig.ref("key"))
            assert stat.attributes is not None
            assert stat.attributes.content_type == ATTRIBUTES.content_type
            assert dict(stat.attributes.metadata) == dict(ATTRIBUTES.metadata)
        else:
            store.abort_upload(left.upload)
            assert self._left(rig, options) == []

    def test_newest_first(self, rig: StoreRig) -> None:
        """So that what got furthest last is taken up."""
        begun = [self._begin(rig, WriteOptions()).upload_id]
        time.sleep(1.1)  # S3 tells seconds.
        begun.append(self._begin(rig, WriteOptions()).upload_id)
        assert self._left(rig, WriteOptions()) == begun[::-1]

    def test_another_run_goes_on(self, rig: StoreRig) -> None:
        """The upload and its parts are as before; who can discard it is told of that run."""
        store = rig.capability(PartUploads)
        resumption = rig.capability(UploadResumption)
        begun = store.begin_upload(rig.ref("key"), run=RUN)
        send_part(store, begun, 1, b"content")
        (left,) = resumption.left_uploads(rig.ref("key"), PLAIN)
        taken = resumption.take_up(left.upload, run=RUN[::-1])
        assert taken.upload_id == begun.upload_id
        runs = {RUN[::-1]} if store.part_limits.expiry is None else {RUN}
        assert {one.run for one in store.list_uploads(rig.bucket, "key")} == runs
        left = only(resumption.left_uploads(rig.ref("key"), PLAIN))
        assert {left.upload.run} == runs
        assert left.fits
        store.complete_upload(taken, store.list_parts(taken))
        assert read(rig.store, rig.ref("key")) == b"content"
        assert self._left(rig, PLAIN) == []
        assert list(resumption.left_records(rig.bucket)) == []
        assert list(rig.store.list_objects(rig.bucket, ".airflow-multicloud/")) == []

    def _begin(self, rig: StoreRig, options: WriteOptions, key: str = "key") -> PartUpload:
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref(key), options)
        store.put_part(upload, 1, b"content", digests=digests_of(b"content"))
        return upload

    def _left(self, rig: StoreRig, options: WriteOptions) -> Sequence[str]:
        left = rig.capability(UploadResumption).left_uploads(rig.ref("key"), options)
        return [one.upload.upload_id for one in left]

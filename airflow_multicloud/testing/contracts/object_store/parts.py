"""Large objects in parts."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    ObjectTags,
    Part,
    PartUploads,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    WRONG,
    content_of,
    contradictions,
    digests_of,
    fails,
    in_threads,
    keys_in,
    only,
    part_contents,
    put,
    read,
    send_part,
)
from airflow_multicloud.testing.contracts.object_store.uploads import UploadsContract

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class PartUploadsContract(UploadsContract):
    """The port's ``PartUploads``."""

    needs: ClassVar[tuple[type, ...]] = (PartUploads,)

    def test_limits_make_sense(self, rig: StoreRig) -> None:
        """Parts can be sent, and every object up to the largest can be made of them."""
        limits = rig.capability(PartUploads).part_limits
        assert 0 <= limits.min_part <= limits.max_part
        assert limits.put_limit > 0
        assert limits.max_object <= limits.max_parts * limits.max_part

    def test_parts_become_the_object(self, rig: StoreRig) -> None:
        """Content, attributes, ETag and digests are those of the whole."""
        contents = part_contents(rig, 2)
        whole = b"".join(contents)
        options = WriteOptions(attributes=ATTRIBUTES)
        meta = self._upload(rig, contents, options)
        stat = rig.store.stat_object(rig.ref("key"))
        assert meta.size == stat.size == len(whole)
        assert meta.etag == stat.etag
        assert not contradictions(meta.digests, whole)
        assert not contradictions(stat.digests, whole)
        assert stat.attributes is not None
        assert stat.attributes.content_type == ATTRIBUTES.content_type
        assert stat.attributes.cache_control == ATTRIBUTES.cache_control
        assert dict(stat.attributes.metadata) == dict(ATTRIBUTES.metadata)
        assert read(rig.store, rig.ref("key")) == whole
        listed = only(rig.store.list_objects(rig.bucket))
        assert (listed.etag, listed.size) == (stat.etag, stat.size)

    def test_one_part(self, rig: StoreRig) -> None:
        """The only part is the last one, so it may be small."""
        self._upload(rig, [b"small"])
        assert read(rig.store, rig.ref("key")) == b"small"

    def test_any_order_any_thread(self, rig: StoreRig) -> None:
        """Parts may arrive backwards and at once."""
        store = rig.capability(PartUploads)
        contents = part_contents(rig, 4)
        upload = store.begin_upload(rig.ref("key"))
        numbered = list(enumerate(contents, start=1))[::-1]
        parts = in_threads(
            lambda one: send_part(store, upload, one[0], one[1]), numbered, threads=4
        )
        assert [part.number for part in parts] == [4, 3, 2, 1]
        store.complete_upload(upload, parts[::-1], digests=digests_of(b"".join(contents)))
        assert read(rig.store, rig.ref("key")) == b"".join(contents)

    def test_a_number_again_replaces(self, rig: StoreRig) -> None:
        """The last content sent under a number counts."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        send_part(store, upload, 1, b"first")
        again = send_part(store, upload, 1, b"second!")
        held = only(store.list_parts(upload))
        assert held.size == 7
        store.complete_upload(upload, [again])
        assert read(rig.store, rig.ref("key")) == b"second!"

    def test_lists_parts(self, rig: StoreRig) -> None:
        """By number, with sizes and true digests, at least a CRC32C or an MD5."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        assert list(store.list_parts(upload)) == []
        contents = {3: b"three", 1: b"one", 2: b"two"}
        sent = {number: send_part(store, upload, number, body) for number, body in contents.items()}
        held = store.list_parts(upload)
        assert [part.number for part in held] == [1, 2, 3]
        for part in held:
            content = contents[part.number]
            assert part.size == sent[part.number].size == len(content)
            assert part.digests.crc32c or part.digests.md5
            assert not contradictions(part.digests, content)
            assert not contradictions(sent[part.number].digests, content)
        store.abort_upload(upload)

    def test_parts_tell_when_they_were_sent(self, rig: StoreRig) -> None:
        """By part, not by upload: that tells one under way from one that was left."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        for number in (1, 2):
            time.sleep(1.1)  # S3 tells seconds.
            send_part(store, upload, number, content_of(max(store.part_limits.min_part, 1000)))
        first, second = (part.sent for part in store.list_parts(upload))
        assert first is not None
        assert second is not None
        assert first < second
        assert abs(datetime.now(UTC) - second) < timedelta(minutes=5)
        store.abort_upload(upload)

    def test_nothing_shows_before_completion(self, rig: StoreRig) -> None:
        """No object under the key, or the old one."""
        store = rig.capability(PartUploads)
        old = put(rig.store, rig.ref("old"), b"old")
        for key in ("new", "old"):
            send_part(store, store.begin_upload(rig.ref(key)), 1, b"content")
        assert keys_in(rig.store, rig.bucket) == ["old"]
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.stat_object(rig.ref("new"))
        with fails(rig, ErrorKind.NOT_FOUND):
            read(rig.store, rig.ref("new"))
        assert rig.store.stat_object(rig.ref("old")).etag == old.etag
        assert read(rig.store, rig.ref("old")) == b"old"

    def test_unnamed_parts_are_discarded(self, rig: StoreRig) -> None:
        """The object has the parts named, and the upload is over."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        parts = [
            send_part(store, upload, number, content)
            for number, content in enumerate([*part_contents(rig, 2), b"unnamed"], start=1)
        ]
        store.complete_upload(upload, parts[:2])
        assert read(rig.store, rig.ref("key")) == b"".join(part_contents(rig, 2))
        assert list(store.list_uploads(rig.bucket)) == []

    def test_a_part_never_sent(self, rig: StoreRig) -> None:
        """Completion fails and writes nothing."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        sent = send_part(store, upload, 1, b"content")
        with fails(rig):
            store.complete_upload(upload, [Part(2, sent.size, sent.token, sent.digests)])
        assert keys_in(rig.store, rig.bucket) == []

    def test_wrong_part_digest(self, rig: StoreRig) -> None:
        """Kind ``integrity``; the store does not hold the part."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        with fails(rig, ErrorKind.INTEGRITY):
            store.put_part(upload, 1, b"content", digests=WRONG)
        assert list(store.list_parts(upload)) == []

    def test_wrong_part_crc32c(self, rig: StoreRig) -> None:
        """As every caller gives it, alone."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        with fails(rig, ErrorKind.INTEGRITY):
            store.put_part(upload, 1, b"content", digests=Digests(crc32c=WRONG.crc32c))

    def test_wrong_whole_digest(self, rig: StoreRig) -> None:
        """Kind ``integrity`` and no object; a store that can't verify never reports it."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        part = send_part(store, upload, 1, b"content")
        kind: ErrorKind | None = None
        try:
            store.complete_upload(upload, [part], digests=WRONG)
        except StorageError as error:
            kind = error.kind
        assert kind in (None, ErrorKind.INTEGRITY)
        if kind is not None:
            assert keys_in(rig.store, rig.bucket) == []
        else:
            assert not contradictions(rig.store.stat_object(rig.ref("key")).digests, b"content")

    def test_late_metadata(self, rig: StoreRig) -> None:
        """Kept with the object as metadata or as a tag, beside what was given at first."""
        late = {"multicloud_crc32c": "0123abcd"}
        options = WriteOptions(attributes=ATTRIBUTES)
        self._upload(rig, [b"content"], options, late=late)
        attributes = rig.store.stat_object(rig.ref("key")).attributes
        assert attributes is not None
        kept = dict(attributes.metadata)
        if isinstance(rig.store, ObjectTags):
            kept = {**rig.store.get_tags(rig.ref("key")), **kept}
        assert kept == {**ATTRIBUTES.metadata, **late}

    def _upload(
        self,
        rig: StoreRig,
        contents: list[bytes],
        options: WriteOptions | None = None,
        late: dict[str, str] | None = None,
    ) -> ObjectMeta:
        store = rig.capability(PartUploads)
        options = options or WriteOptions()
        upload = store.begin_upload(rig.ref("key"), options)
        parts = [
            send_part(store, upload, n, content) for n, content in enumerate(contents, start=1)
        ]
        return store.complete_upload(
            upload, parts, options, late_metadata=late or {}, digests=digests_of(b"".join(contents))
        )

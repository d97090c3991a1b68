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
    PartUpload,
    PartUploads,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    WRONG,
    content_of,
    contradictions,
    digests_of,
    fails,
    in_threads,
    keys_in,
    only,
    put,
    read,
)
from airflow_multicloud.testing.contracts.object_store.objects import ATTRIBUTES
from airflow_multicloud.testing.contracts.object_store.rigs import as_capable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


def _contents(rig: StoreRig, count: int, seed: str = "") -> list[bytes]:
    """Parts that the store accepts: all but the last as small as allowed."""
    size = max(rig.capability(PartUploads).part_limits.min_part, 1000)
    sizes = [size] * (count - 1) + [777]
    return [content_of(size, f"{seed}{number}") for number, size in enumerate(sizes)]


def _send(store: PartUploads, upload: PartUpload, number: int, content: bytes) -> Part:
    return store.put_part(upload, number, content, digests=digests_of(content))


class PartUploadsContract:
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
        contents = _contents(rig, 2)
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
        contents = _contents(rig, 4)
        upload = store.begin_upload(rig.ref("key"))
        numbered = list(enumerate(contents, start=1))[::-1]
        parts = in_threads(lambda one: _send(store, upload, one[0], one[1]), numbered, threads=4)
        assert [part.number for part in parts] == [4, 3, 2, 1]
        store.complete_upload(upload, parts[::-1], digests=digests_of(b"".join(contents)))
        assert read(rig.store, rig.ref("key")) == b"".join(contents)

    def test_a_number_again_replaces(self, rig: StoreRig) -> None:
        """The last content sent under a number counts."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        _send(store, upload, 1, b"first")
        again = _send(store, upload, 1, b"second!")
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
        sent = {number: _send(store, upload, number, body) for number, body in contents.items()}
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
            _send(store, upload, number, content_of(max(store.part_limits.min_part, 1000)))
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
            _send(store, store.begin_upload(rig.ref(key)), 1, b"content")
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
            _send(store, upload, number, content)
            for number, content in enumerate([*_contents(rig, 2), b"unnamed"], start=1)
        ]
        store.complete_upload(upload, parts[:2])
        assert read(rig.store, rig.ref("key")) == b"".join(_contents(rig, 2))
        assert list(store.list_uploads(rig.bucket)) == []

    def test_a_part_never_sent(self, rig: StoreRig) -> None:
        """Completion fails and writes nothing."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        sent = _send(store, upload, 1, b"content")
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
        part = _send(store, upload, 1, b"content")
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

    def test_abort(self, rig: StoreRig) -> None:
        """The upload and its parts are gone; doing it again is no error."""
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref("key"))
        part = _send(store, upload, 1, b"content")
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
        store.complete_upload(upload, [_send(store, upload, 1, b"content")])
        store.abort_upload(upload)
        assert read(rig.store, rig.ref("key")) == b"content"

    def test_abort_keeps_the_old_object(self, rig: StoreRig) -> None:
        """Whatever was sent meanwhile."""
        store = rig.capability(PartUploads)
        put(rig.store, rig.ref("key"), b"old")
        upload = store.begin_upload(rig.ref("key"))
        _send(store, upload, 1, b"new")
        store.abort_upload(upload)
        assert read(rig.store, rig.ref("key")) == b"old"

    def test_lists_uploads(self, rig: StoreRig) -> None:
        """Those under way, by prefix."""
        store = rig.capability(PartUploads)
        assert list(store.list_uploads(rig.bucket)) == []
        for key in ("a", "ab", "b"):
            _send(store, store.begin_upload(rig.ref(key)), 1, b"content")
        assert sorted(u.ref.key for u in store.list_uploads(rig.bucket)) == ["a", "ab", "b"]
        assert sorted(u.ref.key for u in store.list_uploads(rig.bucket, "a")) == ["a", "ab"]

    def test_two_uploads_of_one_key(self, rig: StoreRig) -> None:
        """They do not mix: what is completed last stays."""
        store = rig.capability(PartUploads)
        first, second = (store.begin_upload(rig.ref("key")) for _ in range(2))
        assert first.upload_id != second.upload_id
        of_first, of_second = _send(store, first, 1, b"first"), _send(store, second, 1, b"second")
        store.complete_upload(second, [of_second])
        assert read(rig.store, rig.ref("key")) == b"second"
        store.complete_upload(first, [of_first])
        assert read(rig.store, rig.ref("key")) == b"first"

    def test_survives_the_process(self, rig: StoreRig) -> None:
        """Another hook goes on from the upload's id alone."""
        contents = _contents(rig, 2)
        before = rig.capability(PartUploads)
        begun = before.begin_upload(rig.ref("key"))
        _send(before, begun, 1, contents[0])
        after = as_capable(rig.reopen(), PartUploads)
        found = only(after.list_uploads(rig.bucket, "key"))
        assert (found.ref, found.upload_id) == (begun.ref, begun.upload_id)
        upload = PartUpload(begun.ref, begun.upload_id)
        _send(after, upload, 2, contents[1])
        after.complete_upload(upload, after.list_parts(upload))
        assert read(rig.store, rig.ref("key")) == b"".join(contents)

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
        parts = [_send(store, upload, n, content) for n, content in enumerate(contents, start=1)]
        return store.complete_upload(
            upload, parts, options, late_metadata=late or {}, digests=digests_of(b"".join(contents))
        )

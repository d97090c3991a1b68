"""Attributes and tags travel unharmed, or the store says beforehand that it can't hold them."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    ObjectAttributes,
    ObjectTags,
    PartUploads,
    TagRules,
    UploadResumption,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import digests_of, fails, only, put
from airflow_multicloud.testing.contracts.object_store.objects import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.ports.object_store import PartUpload
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

STANDARD = tuple(field.name for field in fields(ObjectAttributes) if field.name != "metadata")

#: Text that headers carry, or can't carry as it is.
AWKWARD_TEXT = {
    "latin": "Müller",
    "beyond_latin": "資料 🚀",
    "outer_blanks": " both ",
    "line_break": "a\r\nb: c",
    "control": "a\x01b\x7f",
    "looks_encoded": "=?UTF-8?B?w7w=?=",
    "looks_broken": "=?UTF-8?B?***?=",
    "unknown_charset": "=?nonsense?Q?a?=",
    "quotes": "\"a\" 'b' \\ , ; = %41 +",
    "empty": "",
}
FILE_NAMES = {
    "latin": 'attachment; filename="bérichte.csv"',
    "beyond_latin": 'attachment; filename="資料 \\"1\\".csv"; size=3',
    "both": "attachment; filename=\"bérichte.csv\"; filename*=UTF-8''b%C3%A9richte.csv",
    "bare": "inline; filename=bérichte.csv",
    "no_parameter": "Anlage für alle",
    "line_break": 'attachment; filename="a\r\nb"',
}


class AttributeReadsContract:
    """What a read of the whole object tells of its attributes."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("key", ["key", "/awk//ward/"], ids=["plain", "awkward"])
    @pytest.mark.parametrize("content", [b"content", b""], ids=["content", "empty"])
    def test_a_read_tells_what_a_stat_does(self, rig: StoreRig, key: str, content: bytes) -> None:
        """All of them, also of an empty object and of a key that few clients can name."""
        put(rig.store, rig.ref(key), content, WriteOptions(attributes=ATTRIBUTES))
        stat = rig.store.stat_object(rig.ref(key))
        body = rig.store.get_object(rig.ref(key))
        assert bytes(body.read()) == content
        assert body.meta.attributes == stat.attributes
        assert body.meta.attributes is not None
        assert dict(body.meta.attributes.metadata) == dict(ATTRIBUTES.metadata)
        assert body.meta.attributes.cache_control == ATTRIBUTES.cache_control

    def test_no_attribute_is_made_up(self, rig: StoreRig) -> None:
        """An object written without any reads as the stat and the listing say."""
        put(rig.store, rig.ref("key"), b"content")
        body = rig.store.get_object(rig.ref("key"))
        stat = rig.store.stat_object(rig.ref("key"))
        listed = only(rig.store.list_objects(rig.bucket))
        assert body.meta.attributes == stat.attributes
        assert listed.attributes in (None, stat.attributes)
        assert stat.attributes is not None
        assert stat.attributes.cache_control is None
        assert stat.attributes.content_disposition is None

    def test_declared_digests_of_our_own_write(self, rig: StoreRig) -> None:
        """With the ETag of a write in one request they are true."""
        written = put(rig.store, rig.ref("key"), b"content")
        stat = rig.store.stat_object(rig.ref("key"))
        for there in (stat, only(rig.store.list_objects(rig.bucket))):
            assert there.etag == written.etag
            for name in ("crc32c", "md5", "sha256"):
                declared = getattr(there.declared, name)
                assert declared in (None, getattr(digests_of(b"content"), name))


class AttributeRulesContract:
    """The port's ``AttributeRules``: what ``fit_attributes`` gives is held and read back."""

    needs: ClassVar[tuple[type, ...]] = (AttributeRules,)

    def test_plain_attributes_fit(self, rig: StoreRig) -> None:
        """Nothing is changed."""
        fitted = rig.capability(AttributeRules).fit_attributes(ATTRIBUTES)
        assert (fitted.attributes, fitted.not_kept) == (ATTRIBUTES, ())

    @pytest.mark.parametrize("name", AWKWARD_TEXT)
    def test_metadata_value(self, rig: StoreRig, name: str) -> None:
        """It comes back as it is, or is said not to be kept."""
        wanted = ObjectAttributes(metadata={"note": AWKWARD_TEXT[name], "team": "a"})
        fitted = rig.capability(AttributeRules).fit_attributes(wanted)
        assert fitted.not_kept in ((), ("metadata:note",))
        if not fitted.not_kept:
            assert fitted.attributes == wanted
        self._travels(rig, fitted.attributes)

    @pytest.mark.parametrize("name", FILE_NAMES)
    def test_content_disposition(self, rig: StoreRig, name: str) -> None:
        """In ASCII it has the file name beside it, percent-encoded."""
        wanted = ObjectAttributes(content_type="text/plain", content_disposition=FILE_NAMES[name])
        fitted = rig.capability(AttributeRules).fit_attributes(wanted)
        assert fitted.not_kept in ((), ("content_disposition",))
        kept = fitted.attributes.content_disposition
        assert (kept is None) == bool(fitted.not_kept)
        if kept not in (None, FILE_NAMES[name]):
            assert kept.isascii()
            assert "filename*=UTF-8''" in kept
        self._travels(rig, fitted.attributes)

    @pytest.mark.parametrize("field", STANDARD)
    def test_standard_field(self, rig: StoreRig, field: str) -> None:
        """Those that are no header's value are said not to be kept; the others stay."""
        for text in ("Grüße", "a\nb", " a "):
            changed: dict[str, Any] = {field: text}
            wanted = replace(ATTRIBUTES, **changed)
            fitted = rig.capability(AttributeRules).fit_attributes(wanted)
            assert fitted.not_kept in ((), (field,))
            self._travels(rig, fitted.attributes)

    def test_too_much_metadata(self, rig: StoreRig) -> None:
        """The first entries stay, as many as there is room for."""
        wanted = {f"name_{number:03}": "x" * 100 for number in range(200)}
        fitted = rig.capability(AttributeRules).fit_attributes(ObjectAttributes(metadata=wanted))
        kept = list(fitted.attributes.metadata)
        assert kept == list(wanted)[: len(kept)]
        assert fitted.not_kept == tuple(f"metadata:{n}" for n in list(wanted)[len(kept) :])
        self._travels(rig, fitted.attributes)

    def test_what_does_not_fit_is_refused(self, rig: StoreRig) -> None:
        """A write names it and writes nothing."""
        wanted = ObjectAttributes(content_language="a\nb")
        assert rig.capability(AttributeRules).fit_attributes(wanted).not_kept == (
            "content_language",
        )
        with fails(rig, ErrorKind.INVALID_ARGUMENT) as caught:
            put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=wanted))
        assert "content_language" in str(caught.value)
        assert list(rig.store.list_objects(rig.bucket)) == []

    def _travels(self, rig: StoreRig, attributes: ObjectAttributes) -> None:
        """A write takes them; stat, read and listing tell them."""
        put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=attributes))
        stat = rig.store.stat_object(rig.ref("key"))
        body = rig.store.get_object(rig.ref("key"))
        assert bytes(body.read()) == b"content"
        listed = only(rig.store.list_objects(rig.bucket))
        for found in (stat.attributes, body.meta.attributes, listed.attributes or stat.attributes):
            assert found is not None
            assert dict(found.metadata) == dict(attributes.metadata)
            for name in STANDARD:
                if (value := getattr(attributes, name)) is not None:
                    assert getattr(found, name) == value, name


class TagRulesContract:
    """The port's ``TagRules``: each tag travels unharmed or is refused."""

    needs: ClassVar[tuple[type, ...]] = (ObjectTags, TagRules)

    def test_plain_tag(self, rig: StoreRig) -> None:
        """Letters are fine everywhere."""
        assert rig.capability(TagRules).why_not_tag("team", "Search") is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param("", "x", id="no_name"),
            pytest.param("a", "", id="no_value"),
            pytest.param("k" * 129, "x", id="long_name"),
            pytest.param("a", "v" * 257, id="long_value"),
            pytest.param("é", "x", id="name_beyond_ascii"),
            pytest.param("a", "Müller", id="value_beyond_ascii"),
            pytest.param("a", "me@here", id="at"),
            pytest.param("a", "a=b/c.d:e+f-g_h i", id="punctuation"),
            pytest.param("a", "x*y", id="asterisk"),
            pytest.param("aws:a", "x", id="reserved"),
        ],
    )
    def test_tag_travels_or_is_refused(self, rig: StoreRig, name: str, value: str) -> None:
        """The very tag comes back."""
        if rig.capability(TagRules).why_not_tag(name, value) is not None:
            return
        put(rig.store, rig.ref("key"), b"content")
        tags = rig.capability(ObjectTags)
        tags.set_tags(rig.ref("key"), {name: value})
        assert dict(tags.get_tags(rig.ref("key"))) == {name: value}

    def test_most_tags(self, rig: StoreRig) -> None:
        """So many are held."""
        put(rig.store, rig.ref("key"), b"content")
        tags = {f"name{number}": "x" for number in range(rig.capability(TagRules).most_tags)}
        rig.capability(ObjectTags).set_tags(rig.ref("key"), tags)
        assert dict(rig.capability(ObjectTags).get_tags(rig.ref("key"))) == tags


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

    def _begin(self, rig: StoreRig, options: WriteOptions, key: str = "key") -> PartUpload:
        store = rig.capability(PartUploads)
        upload = store.begin_upload(rig.ref(key), options)
        store.put_part(upload, 1, b"content", digests=digests_of(b"content"))
        return upload

    def _left(self, rig: StoreRig, options: WriteOptions) -> Sequence[str]:
        left = rig.capability(UploadResumption).left_uploads(rig.ref("key"), options)
        return [one.upload.upload_id for one in left]

"""Attributes travel unharmed, or the store says beforehand that it can't hold them."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    MetadataRules,
    ObjectAttributes,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    digests_of,
    fails,
    only,
    put,
)

if TYPE_CHECKING:
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

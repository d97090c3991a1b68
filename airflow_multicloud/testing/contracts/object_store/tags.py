"""Tags of objects."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    ObjectTags,
    TagRules,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    fails,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


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
